// What the page of a screen share test begins with: a gateway inside it, a client in a chat, and everything that its listeners hear.
import { Client } from "/node_modules/sportello/index.js";
import { ScreenGateway } from "/screen-gateway.js";

export const EVENTS = ["cobrowse.request", "cobrowse.loaded", "cobrowse.updated", "cobrowse.ended", "error"];

const watchers = new Set();
export const changed = () => {
  for (const look of watchers) look();
};

/** Once `holds()` gives something, that; fails where it does not come. */
export async function until(holds) {
  const from = performance.now();
  for (;;) {
    if (performance.now() - from > 10_000) throw new Error(`never: ${holds}`);
    const found = await holds();
    if (found) return found;
    await new Promise((resolve) => {
      const timer = setTimeout(() => wake(), 15);
      const wake = () => (clearTimeout(timer), watchers.delete(wake), resolve());
      watchers.add(wake);
    });
  }
}

let gateway;

/** A client of the page's gateway, with `heard`: `[event, state or code]` of what it told. */
export function openClient(options = {}) {
  gateway ??= new ScreenGateway("https://gateway.test");
  const client = new Client({ companyId: "c", host: gateway.origin, authenticate: async () => ({ token: "jwt" }), reconnect: { initialMs: 1, maxMs: 5 }, ...options });
  const heard = [];
  for (const event of EVENTS) {
    client.on(event, (argument) => {
      if (event.startsWith("cobrowse.") && argument?.state) heard.session = argument;
      heard.push([event, event === "cobrowse.request" ? argument : event === "error" ? argument.code : argument.state(), ...(event === "cobrowse.ended" ? [argument.endedReason()] : [])]);
      if (event === "error") heard.error = argument;
      changed();
    });
  }
  return { gateway, client, heard };
}

/** One that is in a chat with an agent. */
export async function inChat(options = { cobrowse: { enabled: true } }) {
  const scene = openClient(options);
  await scene.client.createChat(1);
  scene.gateway.change(JSON.stringify({ status: "assigned", features: ["cobrowse"] }));
  await until(() => scene.client.chat?.state.status === "assigned" && scene.client.connection === "online");
  return scene;
}

export const dialog = () => document.querySelector("dialog[data-sportello-screen]");
export const button = (name) => document.querySelector(`.js-cobrowse-${name}`);
export const controls = () => button("end");
/** A press of a button, once it is there; by the test, because a script's is no consent. */
export const press = async (name) => globalThis.click(`.js-cobrowse-${name}`, await until(() => Boolean(button(name))));

/** One that is shared. */
export async function sharing(options) {
  const scene = await inChat(options);
  await scene.client.startCobrowse();
  await press("allow");
  await until(() => scene.gateway.batches.length > 0);
  return scene;
}

export const recorder = () => globalThis.recorders?.at(-1);
/** What the newest recorder was told. */
export const told = () => recorder().calls.join(" ");
export const foreign = () => document.querySelectorAll("[data-sportello-screen]").length;
