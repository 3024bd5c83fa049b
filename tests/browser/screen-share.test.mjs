// Screen share as people see it: the customer's page on the desk, the agent's pointer on the customer's page, consent, and every way in which it ends. What
// passed between the customer's page and the gateway is recorded and searched for what must not be in it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { say, sees, startConversation } from "./support/conversation.mjs";
import { agentAsks, answer, isOver, seesScreen, SHARE_OVER, shown } from "./support/screen.mjs";
import { picture } from "./support/screenshots.mjs";
import { CONNECTION_LOST, withStage as onStage } from "./support/stage.mjs";
import { Wire } from "./support/wire.mjs";

const withStage = (play) =>
  onStage((stage) => {
    stage.expectFaults(SHARE_OVER);
    return play(stage);
  });

/** Waits until `read()` gives a value that `holds`. */
async function until(read, holds, what) {
  const end = Date.now() + 20_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) assert.fail(`${what}: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the agent asks, sees what changes on the customer's page, and points at it; nothing hidden passes", async () => {
  await withStage(async (stage) => {
    const wire = await Wire.open(stage.gateway.origin);
    try {
      const { customer, desk } = await startConversation(stage, { customer: { query: { gateway: wire.origin, secret: "SECRET-query" } } });
      await plantSecrets(customer);
      await agentAsks({ customer, desk });
      const view = shown(desk);
      await view.getByText("PLAIN-paragraph").waitFor();
      // A change, an element that comes, and one that goes.
      await customer.evaluate(() => {
        document.querySelector("#plain").textContent = "PLAIN-changed";
        document.querySelector("#going").remove();
      });
      await view.getByText("PLAIN-changed").waitFor();
      await view.locator("#going").waitFor({ state: "detached" });
      // Typing is seen, its letters are not.
      await customer.getByLabel("Name on the card").fill("SECRET-card-name");
      await until(() => view.getByLabel("Name on the card").inputValue(), (value) => /^•+$/u.test(value), "the typed letters");
      await customer.getByLabel("Password for it").pressSequentially("SECRET-pass", { delay: 5 });
      await until(() => view.getByLabel("Password for it").inputValue(), (value) => /^•+$/u.test(value), "the typed password");
      // Scrolling, and a dialog over the page.
      await customer.locator("#scroller").evaluate((node) => (node.scrollTop = 500));
      await until(() => view.locator("#scroller").evaluate((node) => node.scrollTop), (top) => top === 500, "the place in the scroller");
      await customer.getByRole("button", { name: "What the site sends" }).click();
      await view.getByText("In the demo you are the site").waitFor();
      await customer.keyboard.press("Escape");
      await view.getByText("In the demo you are the site").waitFor({ state: "hidden" });

      await pointerComes({ customer, desk });

      // Once more everything at once, as after a break.
      await desk.reload();
      await seesScreen(desk);
      await view.getByText("PLAIN-changed").waitFor();
      await desk.getByRole("button", { name: "Stop" }).click();
      await isOver({ customer, desk });
      await desk.getByText("You have stopped looking at the page.").waitFor();
      await customer.getByText("The agent has stopped looking at the page").waitFor();

      const records = wire.text(({ path, from }) => from === "page" && path.includes("/records?"));
      for (const word of ["PLAIN-paragraph", "PLAIN-changed", "Name on the card", "Ada asks to see the page"]) assert.ok(records.includes(word), `${word} was on the wire`);
      const all = wire.text();
      for (const secret of SECRETS) assert.equal(all.includes(secret), false, `${secret} was on the wire`);
      assert.doesNotMatch(all, /SECRET/u);
    } finally {
      await wire.close();
    }
  });
});

/** Everything in which a page could hide something, with a word that must not leave it. */
const SECRETS = ["SECRET", "Visa 4242"];

async function plantSecrets(customer) {
  await customer.evaluate(() => {
    const make = (tag, attributes, ...children) => {
      const node = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      node.append(...children);
      return node;
    };
    const section = make(
      "section",
      { id: "planted" },
      make("p", { id: "plain" }, "PLAIN-paragraph"),
      make("p", { id: "going" }, "PLAIN-going"),
      make("div", { id: "scroller", tabindex: "0" }, make("div", {}, "PLAIN-scroller")),
      make("label", {}, "Name on the card", make("input", { id: "card", value: "SECRET-value" })),
      make("label", {}, "Password for it", make("input", { type: "password", value: "SECRET-password" })),
      make("label", {}, "Words", make("textarea", {}, "SECRET-textarea")),
      make("select", { "aria-label": "Choice" }, make("option", { value: "SECRET-option" }, "SECRET-choice")),
      make("input", { type: "hidden", value: "SECRET-hidden" }),
      make("p", { contenteditable: "true", "aria-label": "Editor" }, "SECRET-editable"),
      make("div", { class: "account", title: "SECRET-title", "aria-label": "SECRET-label", "data-number": "SECRET-data" }, make("b", {}, "SECRET-redacted"), make("img", { alt: "SECRET-alt", src: "/favicon.svg?SECRET-image" })),
      make("a", { href: "/reset?token=SECRET-link", ping: "/SECRET-ping" }, "PLAIN-link"),
      make("form", { action: "/SECRET-action" }),
      make("template", {}, "SECRET-template"),
      make("noscript", {}, "SECRET-noscript"),
    );
    section.append(document.createComment("SECRET-comment"));
    section.querySelector("#card").value = "SECRET-typed";
    // By scripts, because the page's policy takes no inline styles.
    Object.assign(section.style, { flex: "none", backgroundImage: "url(/favicon.svg?SECRET-style)" });
    const scroller = section.querySelector("#scroller");
    Object.assign(scroller.style, { height: "40px", overflow: "auto" });
    scroller.firstChild.style.height = "2000px";
    document.querySelector(".site-footer").before(section);
    document.head.append(make("meta", { name: "x", content: "SECRET-meta" }));
    history.replaceState(null, "", `${location.href}&token=SECRET-address#SECRET-hash`);
  });
}

/** The mouse over the view, a click, and the keys: each is seen on the customer's page, where it belongs. */
async function pointerComes({ customer, desk }) {
  const target = customer.getByRole("button", { name: "End chat" });
  // The whole page scrolls, and the view with it.
  await target.scrollIntoViewIfNeeded();
  const frame = await desk.locator(".screen-frame").boundingBox();
  const box = await until(() => shown(desk).locator("#finish").boundingBox(), ({ y }) => y > frame.y, "the button in the view");
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const wanted = await target.boundingBox();
  const pointer = async () => (await pointerOf(customer)) ?? {};
  await desk.mouse.move(at.x - 20, at.y - 20);
  await desk.mouse.move(at.x, at.y);
  const isThere = ({ x, y }) => x >= wanted.x && x <= wanted.x + wanted.width && y >= wanted.y && y <= wanted.y + wanted.height;
  await until(pointer, (one) => isThere(one) && !one.isDown, "the pointer over the button");
  await desk.mouse.down();
  await until(pointer, (one) => isThere(one) && one.isDown, "the pressed pointer");
  await desk.mouse.up();
  await until(pointer, ({ isDown }) => isDown === false, "the released pointer");
  const before = await pointer();
  const surface = desk.getByRole("application", { name: "The customer’s page" });
  await surface.focus();
  await surface.press("ArrowRight");
  await surface.press("ArrowDown");
  await until(pointer, ({ x, y }) => x === before.x + 10 && y === before.y + 10, "the pointer moved with keys");
  await surface.press("Enter");
  await until(pointer, ({ isDown }) => isDown === true, "the pointer pressed with a key");
  await surface.press("Escape");
  await until(() => pointerOf(customer), (one) => one === null, "the pointer that left");
}

/** Where the agent's pointer is on the customer's page. Its tree is closed to scripts; a debugger sees it. */
async function pointerOf(customer) {
  const session = await customer.context().newCDPSession(customer);
  try {
    const { root } = await session.send("DOM.getDocument", { depth: -1, pierce: true });
    const host = find(root, (node) => attributeOf(node, "data-sportello-screen") !== undefined && node.shadowRoots?.length > 0);
    if (!host || !attributeOf(host, "class")?.includes("here")) return null;
    const inner = find(host.shadowRoots[0], (node) => attributeOf(node, "class")?.split(" ").includes("pointer"));
    await session.send("CSS.enable");
    const { computedStyle } = await session.send("CSS.getComputedStyleForNode", { nodeId: inner.nodeId });
    const value = (name) => Number.parseFloat(computedStyle.find((one) => one.name === name)?.value);
    return { x: value("--x"), y: value("--y"), isDown: attributeOf(inner, "class").includes("down") };
  } finally {
    await session.detach();
  }
}

function attributeOf(node, name) {
  const at = (node.attributes ?? []).findIndex((one, index) => index % 2 === 0 && one === name);
  return at < 0 ? undefined : node.attributes[at + 1];
}

function find(node, holds) {
  if (holds(node)) return node;
  for (const child of [...(node.shadowRoots ?? []), ...(node.children ?? [])]) {
    const found = find(child, holds);
    if (found) return found;
  }
  return undefined;
}

test("the customer offers the page, thinks again, offers it once more and stops", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await customer.getByRole("button", { name: "Share this page" }).click();
    await desk.getByText("Visitor 1 is being asked to agree.").waitFor();
    await answer(customer, "Do not allow");
    await desk.getByText("Visitor 1 does not want to show the page.").waitFor();
    await customer.getByText("The customer does not want to show the page").waitFor();
    assert.equal(await desk.locator(".screen-frame").count(), 0);
    await desk.getByRole("region", { name: "Screen" }).getByRole("button", { name: "Close" }).click();
    await desk.getByRole("region", { name: "Screen" }).waitFor({ state: "hidden" });

    await customer.getByRole("button", { name: "Share this page" }).click();
    await answer(customer, "Allow");
    await seesScreen(desk);
    await shown(desk).getByText("Ada sees this page").waitFor();
    await customer.getByRole("button", { name: "Stop sharing" }).click();
    await isOver({ customer, desk });
    await desk.getByText("Visitor 1 has stopped showing the page.").waitFor();
    // The chat goes on, and so may another share, asked for by the other side.
    await say(desk, "Thank you, I saw it.");
    await sees(customer, "Thank you, I saw it.");
    await agentAsks({ customer, desk });
    await customer.getByRole("button", { name: "Stop sharing" }).click();
    await isOver({ customer, desk });
  });
});

test("the customer reads a code out; a wrong one is refused, and the right one still needs a yes", async () => {
  await withStage(async (stage) => {
    // The browser logs the refusal of a wrong code as an error.
    stage.expectFaults(/404.*screen_share\/join/u);
    const { customer, desk } = await startConversation(stage);
    await customer.getByRole("button", { name: "Give a code" }).click();
    const digits = customer.locator(".screen-digits");
    await digits.waitFor();
    // One that is taken back is asked for no more.
    await desk.getByLabel("Code that the customer reads out").waitFor();
    await customer.getByRole("button", { name: "Cancel" }).click();
    await desk.getByText("Visitor 1 has stopped showing the page.").waitFor();
    await desk.getByLabel("Code that the customer reads out").waitFor({ state: "hidden" });
    await customer.getByRole("button", { name: "Give a code" }).click();
    await digits.waitFor();
    const code = (await digits.textContent()).replaceAll(/\D/gu, "");
    assert.match(code, /^\d{6}$/u);
    const field = desk.getByLabel("Code that the customer reads out");
    await field.fill("12");
    await field.press("Enter");
    await desk.getByText("The code has six digits.").waitFor();
    await field.fill(code === "111111" ? "222222" : "111111");
    await field.press("Enter");
    await desk.getByText(/^This is not the code/u).waitFor();
    // As people write it down.
    await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`);
    await field.press("Enter");
    await answer(customer, "Allow");
    await seesScreen(desk);
    await customer.getByRole("button", { name: "End chat" }).click();
    await customer.getByRole("dialog").getByRole("button", { name: "End chat" }).click();
    await isOver({ customer, desk });
    await desk.getByText("This conversation has ended.").waitFor();
  });
});

test("a reload of either page, another address of the page and a restart of the gateway are only breaks", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(...CONNECTION_LOST, /502|503/u);
    const { customer, desk } = await startConversation(stage);
    await agentAsks({ customer, desk });
    await customer.reload();
    await customer.getByText("Ada sees this page").waitFor();
    await shown(desk).getByText("Ada sees this page").waitFor();
    await seesScreen(desk);
    await desk.reload();
    await seesScreen(desk);
    await shown(desk).getByText("Ada sees this page").waitFor();
    // The same site at another address, in another language.
    await customer.goto(`${customer.url()}&lang=it`);
    await customer.getByText("Ada vede questa pagina").waitFor();
    await shown(desk).getByText("Ada vede questa pagina").waitFor();
    await stage.gateway.kill();
    await desk.getByText("Offline, trying again").waitFor();
    await stage.gateway.start();
    await desk.getByText("Connected").first().waitFor();
    await seesScreen(desk);
    await customer.evaluate(() => document.querySelector(".site-footer").append("after the restart"));
    await shown(desk).getByText("after the restart").waitFor();
  });
});

test("handing the conversation on ends it: the yes was for one agent", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await agentAsks({ customer, desk });
    await desk.getByRole("button", { name: "Transfer" }).click();
    await desk.locator("#transfer-queues").getByRole("radio").first().check();
    await desk.getByRole("button", { name: "Hand on" }).click();
    await isOver({ customer, desk });
    await customer.getByText("The page is no longer shown: that was for one agent only").waitFor();
    assert.equal(await customer.getByRole("button", { name: "Share this page" }).isVisible(), false);
  });
});

test("a chat of words only loads nothing of it, on either side", async () => {
  await withStage(async (stage) => {
    const loaded = [];
    const setUp = (page) => page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
    const { customer, desk } = await startConversation(stage, { customer: { page: { setUp } } });
    desk.on("request", (request) => loaded.push(new URL(request.url()).pathname));
    await desk.reload();
    await desk.getByRole("button", { name: "Visitor 1" }).click();
    await say(customer, "Only words");
    await sees(desk, "Only words");
    await say(desk, "Only words, too");
    await sees(customer, "Only words, too");
    const heavy = loaded.filter((path) => /screen-(?:recorder|replay|stream|dialogs|pointer)|cobrowse-io|rrweb|^\/replay\/|screen_share/u.test(path));
    assert.deepEqual(heavy, []);
  });
});

test("a package that was built without npm says so on either page, and names the way out", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/404.*screen-re(?:corder|play)\.js/u, /ERR_FAILED|ERR_ABORTED/u);
    const { customer, desk } = await startConversation(stage);
    const without = (page, name) => page.route(`**/pkg/${name}`, (route) => route.fulfill({ status: 404, body: "" }));
    await without(customer, "screen-recorder.js");
    for (const name of ["Share this page", "Give a code"]) {
      await customer.getByRole("button", { name }).click();
      await customer.getByRole("alert").getByText("cargo xtask demo").waitFor();
      await customer.getByRole("button", { name: "Close this notice" }).click();
    }
    await customer.unroute("**/pkg/screen-recorder.js");
    await customer.reload();
    await customer.getByText("Connected").waitFor();
    await customer.getByRole("button", { name: "Share this page" }).waitFor();
    await without(desk, "screen-replay.js");
    await desk.getByRole("button", { name: "Ask to see the screen" }).click();
    await answer(customer, "Allow");
    await desk.getByText("cargo xtask demo").waitFor();
  });
});

test("every state keeps the rules for labels, roles and contrast, and looks as it should", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    await check(desk, "a screen can be asked for");
    await desk.getByRole("button", { name: "Ask to see the screen" }).click();
    await customer.getByRole("alertdialog", { name: "Share this page?" }).waitFor();
    await check(customer, "asked whether the page may be shown");
    await picture(customer, "screen-consent");
    await check(desk, "the customer is asked");
    await answer(customer, "Do not allow");
    await customer.getByRole("button", { name: "Give a code" }).click();
    await customer.locator(".screen-digits").waitFor();
    await check(customer, "a code");
    await picture(customer, "screen-code");
    await desk.getByLabel("Code that the customer reads out").waitFor();
    await check(desk, "waiting for a code");
    await picture(desk, "screen-desk-code");
    await desk.getByLabel("Code that the customer reads out").fill((await customer.locator(".screen-digits").textContent()).replaceAll(/\D/gu, ""));
    await desk.getByRole("button", { name: "See the screen" }).click();
    await answer(customer, "Allow");
    await seesScreen(desk);
    await check(desk, "the page is shown");
    await picture(desk, "screen-desk-live");
    await check(customer, "the page is shared");
    await picture(customer, "screen-shared");
    await desk.getByRole("button", { name: "Large" }).click();
    await check(desk, "the page is shown large");
    await picture(desk, "screen-desk-large");
    await desk.getByRole("button", { name: "Stop" }).click();
    await isOver({ customer, desk });
    await check(desk, "sharing has ended");
    await picture(desk, "screen-desk-ended");
  });
});
