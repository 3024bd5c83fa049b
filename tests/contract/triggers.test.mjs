// Proactive triggers: the question that a page may ask its visitor, once, and the watch that asks when its time has come.
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

const COMPANY = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]
languages = ["it"]
menus = [{ id = 1, name = "Unica coda" }]
triggers = [
    { id = "checkout", menu_id = 1, title = "Cassa", message = "Aiuto?", conditions = { url_contains = ["#checkout"] } },
    { id = "welcome", menu_id = 1, message = "Benvenuti!", conditions = { url_contains = ["#welcome"], visitor = "new", time_on_page_ms = 20 } },
]
`;

scene("triggers: the one that matches, none where none does or it was asked, and the watch over a page that changes its address", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  const goTo = (hash) => customer.run((hash) => void (location.hash = hash), hash);
  ledger.gave("getTrigger", await customer.call("getTrigger"), null);
  await goTo("#checkout");
  const always = { url_excludes: [], min_visits: 0, max_visits: 0 };
  ledger.gave("getTrigger", await customer.call("getTrigger"), {
    id: "checkout", menu_id: 1, lang: "it", title: "Cassa", message: "Aiuto?", conditions: { ...always, url_contains: ["#checkout"], time_on_page_ms: 0 },
  });
  await customer.run(() => {
    globalThis.given = [];
    globalThis.asked = new Promise((resolve) => (globalThis.ask = (trigger) => (globalThis.given.push(trigger), resolve())));
  });
  ledger.gave("runTrigger", await customer.run(() => globalThis.client.runTrigger(globalThis.ask).then((value) => value === undefined)), true);
  await goTo("#welcome");
  const given = await customer.run(() => globalThis.asked.then(() => globalThis.given));
  ledger.effect("runTrigger(cb)", given, [
    { id: "welcome", menu_id: 1, lang: "it", message: "Benvenuti!", conditions: { ...always, url_contains: ["#welcome"], time_on_page_ms: 20, visitor: "new" } },
  ]);
  const again = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  await again.run(() => void (location.hash = "#checkout"));
  ledger.gave("getTrigger", await again.call("getTrigger"), null);
}, { config: COMPANY });
