// Who is who in a chat: agents and virtual agents with their names and pictures, end users, and the numbers of each.
import { aWholeNumber, REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

/** The demo's password, hashed. */
const HASH = "$argon2id$v=19$m=19456,t=2,p=1$rGRkxU4Rbk4BoN5fYDu0Eg$MLLf8993BoGQX5RfB4tR9IvDSlKzwAMAv9O38/+qi5Q";
const agent = (login, name) => `
[[agents]]
login = "${login}"
name = "${name}"
avatar_url = "https://a.example/${login}.png"
password_hash = "${HASH}"
companies = ["other"]
`;
const CONFIG = `
[[companies]]
id = "other"
name = "Altra Srl"
secret = "${SECRET}"
allowed_origins = ["*"]

[[companies.menus]]
id = 1
name = "Coda"
virtual_agent = 9

[[companies.menus]]
id = 2
name = "Altre"
children = [{ id = 3, name = "Prima" }]

[[virtual_agents]]
id = 9
name = "Leo"
avatar_url = "https://a.example/leo.png"
greeting = "Ciao"
fallback = "Come?"
${agent("zoe", "Zoe Rossi")}${agent("max", "Max Verdi")}`;

scene("agents, virtual agents and end users by name, picture and number", async (scene, ledger) => {
  const [first, second] = [await scene.customer({ companyId: "other", token: sign({ identifier: "uno" }) }), await scene.customer({ companyId: "other", token: sign({ identifier: "due" }) })];
  const opened = [await first.call("createChat", 1), await second.call("createChat", 3)];
  for (const [at, { state }] of opened.entries()) {
    ledger.saw("ChatResponse", state, { [REST]: true, id: aWholeNumber, end_user: { id: aWholeNumber, identifier: ["uno", "due"][at] } });
  }
  const leo = { id: 9, name: "Leo", avatar_url: "https://a.example/leo.png", status: "online" };
  ledger.saw("ChatResponse", opened[0].state, { [REST]: true, virtual_agent: { [REST]: true, ...leo }, all_virtual_agents: [{ [REST]: true, ...leo }] });
  const { menus } = await first.call("getMenus");
  ledger.saw("MenuResponse", { menus, direct: { key: false, user: false } }, { menus: [{ [REST]: true, id: 1 }, { [REST]: true, id: 2, children: [{ [REST]: true, id: 3, name: "Prima" }] }], direct: { key: false, user: false } });

  const demo = await scene.customer({ identifier: "tre" });
  const { state } = await demo.call("createChat", 1);
  ledger.saw("ChatResponse", state, { [REST]: true, virtual_agent: { [REST]: true, id: 1, name: "Pia" } });
  await first.call("escalateChat");
  for (const [login, customer, name] of [["zoe", first, "Zoe Rossi"], ["max", second, "Max Verdi"]]) {
    const desk = await scene.desk({ login, password: "sportello-demo" });
    const { id } = await customer.state();
    await desk.accept(id);
    const [{ state: assigned }] = await customer.hears("chat.updated", { where: "(chat) => chat.state.agent" });
    ledger.saw("ChatAgent", assigned.agent, { id: desk.agent.id, name, first_name: name.split(" ")[0], avatar_url: `https://a.example/${login}.png`, status: "online" });
    ledger.saw("ChatResponse", assigned, { [REST]: true, all_agents: [{ [REST]: true, id: desk.agent.id, name }] });
    await desk.say(id, "Salve");
    const [said] = await customer.hears("chat.message", { where: '(message) => message.$userType === "agent"' });
    ledger.saw("MessageResponse", said, { [REST]: true, $userId: desk.agent.id, $userType: "agent", content: "Salve" });
    desk.close();
  }
}, { config: CONFIG });
