// What the end user sees of screen share: the question and the controls, by keyboard and screen reader, in the site's own templates and words, under the policies of
// the page, and beside its own dialogs.
// What runs in the page uses the names of support/screen-scene.js (`until`, `dialog`, `press`, …) as globals.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { startScreenSite } from "./support/screen-page.mjs";

let site;
before(async () => {
  site = await startScreenSite();
});
after(() => site?.close());

test("dialogs and controls have no violation of accessibility, in three languages, light and dark, under a strict policy", async (context) => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  for (const [lang, title, end] of [["en-GB", "Share this page?", "Stop sharing"], ["it", "Condividere questa pagina?", "Interrompi condivisione"], ["pt-BR", "Partilhar esta página?", "Parar de partilhar"]]) {
    const page = await site.open(context, { path: "/strict" });
    const check = async (what) => {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const violations = await page.evaluate(async (source) => {
          if (!globalThis.axe) (0, eval)(source);
          const { violations } = await globalThis.axe.run(document);
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`).join(" | ")}`);
        }, axe);
        assert.deepEqual(violations, [], `${lang}, ${what}, ${colorScheme}`);
      }
    };
    const labels = await page.evaluate(async (lang) => {
      globalThis.s = await inChat({ cobrowse: { enabled: true }, lang });
      await globalThis.s.client.startCobrowse();
      const asked = await until(dialog);
      return [document.getElementById(asked.getAttribute("aria-labelledby")).textContent, document.getElementById(asked.getAttribute("aria-describedby")).textContent, asked.lang, asked.matches(":modal")];
    }, lang);
    assert.deepEqual([labels[0], labels[2], labels[3]], [title, lang.slice(0, 2), true]);
    assert.ok(labels[1].length > 20);
    await check("the question");
    const controls = await page.evaluate(async () => {
      await press("allow");
      const end = await until(() => button("end"));
      await until(() => document.querySelector("[role=status]").textContent !== "");
      const box = end.getBoundingClientRect();
      return { end: end.textContent, status: document.querySelector("[role=status]").textContent, seen: box.width > 0 && box.bottom <= innerHeight && box.top >= 0, hit: document.elementFromPoint(box.x + 5, box.y + 5) === end };
    });
    assert.deepEqual([controls.end, controls.seen, controls.hit], [end, true, true]);
    assert.match(controls.status, /Ada/u);
    await check("the controls");
    const said = await page.evaluate(async () => {
      await press("end");
      const status = await until(() => document.querySelector("[role=status]"));
      const before = status.textContent;
      await until(() => status.textContent !== before);
      return status.textContent;
    });
    assert.ok(said.length > 10 && said !== controls.status);
    assert.deepEqual(page.faults, []);
  }
});

const MARKUP = '<img src="x" onerror="globalThis.hurt = true"><script>globalThis.hurt = true</script>';

test("the site's own templates and messages are used; what is put into them stays text", async (context) => {
  const page = await site.open(context, { path: "/strict" });
  const template = `<section class="mine" title="$title &amp; $title"><h2>$title</h2><div>$content</div><a href="#no" class="js-cobrowse-deny">$deny</a><button class="js-cobrowse-allow" onfocus="$title">$allow</button><i>$other $titles</i></section>`;
  const seen = await page.evaluate(async ([template, markup]) => {
    const root = document.body.appendChild(document.createElement("aside"));
    const cobrowse = {
      enabled: true, root, template: "<b class='js-cobrowse-allow js-cobrowse-deny'>for the others</b>", confirmSessionTemplate: template,
      sessionControlsTemplate: '<button class="js-cobrowse-end mine-too" title="$end">$end</button>',
      messages: { confirmSessionTitle: `${markup} $content $$ $& "quoted"`, confirmSessionContent: markup, allowText: "<b>Ja</b>", denyText: "Nein", endSessionText: `<u>${"Schluss"}</u>` },
    };
    globalThis.s = await inChat({ cobrowse });
    await globalThis.s.client.startCobrowse();
    const asked = await until(dialog);
    const parts = {
      title: asked.querySelector("h2").textContent, attribute: asked.querySelector(".mine").title, content: asked.querySelector(".mine > div").textContent, allow: button("allow").textContent, deny: button("deny").textContent,
      other: asked.querySelector("i").textContent, handler: button("allow").getAttribute("onfocus"), images: asked.querySelectorAll("img, script, b").length, place: root.contains(asked), label: document.getElementById(asked.getAttribute("aria-labelledby")).tagName,
    };
    await press("allow");
    const end = await until(() => document.querySelector(".mine-too"));
    return { parts, end: [end.textContent, end.title, end.querySelectorAll("u").length, root.contains(end)], hurt: globalThis.hurt ?? false };
  }, [template, MARKUP]);
  const title = `${MARKUP} $content $$ $& "quoted"`;
  assert.deepEqual(seen.parts, {
    title, attribute: `${title} & ${title}`, content: MARKUP, allow: "<b>Ja</b>", deny: "Nein", other: "$other $titles", handler: "$title", images: 0, place: true, label: "H2",
  });
  assert.deepEqual(seen.end, ["<u>Schluss</u>", "<u>Schluss</u>", 0, true]);
  assert.equal(seen.hurt, false);
});

test("a template that the page's policy refuses is said; without one no policy is needed", async (context) => {
  const page = await site.open(context, { path: "/no-policies" });
  const seen = await page.evaluate(async () => {
    const { client, heard, gateway } = await inChat({ cobrowse: { enabled: true, template: '<b class="js-cobrowse-allow"></b><b class="js-cobrowse-deny"></b>' } });
    await client.startCobrowse();
    await until(() => gateway.share?.status === "ended");
    const first = [heard.find(([event]) => event === "error"), heard.error.message.includes('Trusted Types policy "sportello-screen"'), gateway.share.ended_reason];
    client.close();
    const plain = await inChat();
    await plain.client.startCobrowse();
    await until(dialog);
    return first;
  });
  assert.deepEqual(seen, [["error", "invalid_argument"], true, "failed"]);
});

test("a rule of the page for a class wins over the default look, and one that resets elements does not take it away", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const style = document.head.appendChild(document.createElement("style"));
    style.textContent = "* { margin: 0; padding: 0; } h2, p { margin: 0; font: inherit; } button { background: none; border: 0; color: inherit; padding: 0; } .cobrowse-dialog_allow { background: rgb(1, 2, 3); } .cobrowse-end { color: rgb(4, 5, 6); }";
    await (await inChat()).client.startCobrowse();
    await until(dialog);
    const allow = getComputedStyle(button("allow"));
    const [title, text] = ["h2", "p"].map((name) => dialog().querySelector(name).getBoundingClientRect());
    const first = [allow.backgroundColor, allow.paddingLeft, text.top - title.bottom, allow.color];
    await press("allow");
    const end = getComputedStyle(await until(controls));
    return [...first, end.color, end.backgroundColor];
  });
  assert.deepEqual(seen, ["rgb(1, 2, 3)", "20px", 8, "rgb(255, 255, 255)", "rgb(4, 5, 6)", "rgb(179, 20, 43)"]);
});

test("the question and the controls can be reached while the page has a modal dialog of its own", async (context) => {
  const page = await site.open(context);
  await page.evaluate(async () => {
    globalThis.own = document.body.appendChild(document.createElement("dialog"));
    globalThis.own.append(Object.assign(document.createElement("button"), { textContent: "In it", id: "inside" }));
    globalThis.own.showModal();
    globalThis.s = await inChat();
    await globalThis.s.client.startCobrowse();
    await press("allow");
    await until(() => controls());
  });
  const inside = () => page.evaluate(async () => (await until(() => globalThis.own.contains(controls()) && controls().closest("[popover]").matches(":popover-open")), controls().getAttribute("class")));
  assert.match(await inside(), /cobrowse-end/u);
  await page.evaluate(() => document.getElementById("inside").focus());
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.className), /js-cobrowse-end/u);
  // It comes back when that is closed, goes into the next, and is there again where the page took it away.
  await page.evaluate(async () => {
    globalThis.own.close();
    await until(() => document.body === controls().closest("[data-sportello-screen]").parentNode);
    controls().closest("[data-sportello-screen]").remove();
    await until(() => controls());
    globalThis.own.showModal();
    await until(() => globalThis.own.contains(controls()));
  });
  await page.locator(".js-cobrowse-end").click();
  await page.evaluate(() => until(() => globalThis.s.gateway.share.status === "ended"));
});

test("an end while the question is open takes it away", async (context) => {
  const page = await site.open(context);
  const seen = await page.evaluate(async () => {
    const { client, gateway, heard } = await inChat();
    await client.startCobrowse();
    await until(dialog);
    gateway.moveShare({ status: "ended", ended_reason: "authorizing_timeout" });
    await until(() => !dialog());
    const code = await client.createCobrowseCode();
    gateway.moveShare({ status: "authorizing" });
    await until(dialog);
    // A new question takes the place of the former.
    client.close();
    await until(() => !dialog());
    return [code, heard.filter(([event]) => event === "cobrowse.ended"), gateway.patches.length];
  });
  assert.deepEqual(seen, ["123456", [["cobrowse.ended", "ended", "authorizing_timeout"]], 0]);
});

test("a root within a shadow root gets the question, the controls and their look", async (context) => {
  const page = await site.open(context, { path: "/strict" });
  const seen = await page.evaluate(async () => {
    const shadow = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
    const root = shadow.appendChild(document.createElement("div"));
    globalThis.s = await inChat({ cobrowse: { enabled: true, root } });
    await globalThis.s.client.startCobrowse();
    const asked = await until(() => root.querySelector("dialog"));
    const look = [asked.matches(":modal"), getComputedStyle(asked.querySelector(".cobrowse-dialog")).padding];
    await globalThis.click(".js-cobrowse-allow");
    const end = await until(() => root.querySelector(".js-cobrowse-end"));
    return [...look, getComputedStyle(end).backgroundColor];
  });
  assert.deepEqual(seen, [true, "24px", "rgb(179, 20, 43)"]);
});
