// What a virtual agent says besides texts, in the fields of the contract.
import { REST } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";
import { SECRET, sign } from "./support/site-token.mjs";

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

[[virtual_agents]]
id = 9
name = "Leo"
greeting = "Ciao"
fallback = "Come?"

[[virtual_agents.rules]]
keywords = ["uno"]
messages = [
    { type = "complex", components = [{ type = "document", documents = [{ url = "https://a.example/uno.pdf" }] }, { type = "text", messages = ["insieme"] }] },
    { type = "server_message", kind = "page", messages = ["primo"] },
    { type = "sticky_button", buttons = [{ title = "Avanti" }] },
]

[[virtual_agents.rules]]
keywords = ["due"]
messages = [
    { type = "complex", components = [{ type = "document", documents = [{ url = "https://a.example/due.pdf" }] }] },
    { type = "server_message", kind = "basket", messages = ["secondo", "terzo"] },
    { type = "inline_button", title = "Scegli", buttons = [{ title = "Indietro" }] },
]
`;

scene("grouped messages, documents, buttons and messages for the page", async (scene, ledger) => {
  const customer = await scene.customer({ companyId: "other", token: sign({ identifier: "ugo" }) });
  await customer.call("createChat", 1);
  for (const [text, message, button, kind] of [["uno", { type: "page", messages: ["primo"] }, "Avanti", "sticky_button"], ["due", { type: "basket", messages: ["secondo", "terzo"] }, "Indietro", "inline_button"]]) {
    await customer.call("sendTextMessage", text);
    const where = (type, more = "true") => ({ where: `(message) => message.type === "${type}" && ${more}` });
    const [document] = await customer.hears("chat.message", where("document", `message.document.url.includes("${text}")`));
    ledger.saw("MessageResponse", document, { [REST]: true, type: "document", document: { url: `https://a.example/${text}.pdf` }, groupMessageId: document.$index });
    const [machine] = await customer.hears("chat.message", where("server_message", `message.message.type === "${message.type}"`));
    ledger.saw("MessageResponse", machine, { [REST]: true, type: "server_message", message });
    const [buttons] = await customer.hears("chat.message", where(kind));
    ledger.saw("MessageResponse", buttons, { [REST]: true, type: kind, buttons: [{ [REST]: true, title: button }] });
  }
}, { config: CONFIG });
