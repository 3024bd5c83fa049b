// The demo's own modules in a page whose policy forbids markup from strings: hostile texts stay texts, links stay web addresses, and the
// conversation shows each message once and in order, however it comes in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withStage } from "./support/stage.mjs";

/** Runs `play(page)` on an empty page of the site that can import the demo's modules. The gateway is not needed. */
function onBlankPage(play) {
  return withStage(async (stage) => play(await stage.open(`${stage.site.origin}/blank.html`)), { startGateway: false });
}

test("markup in a message is shown as it was typed and never becomes an element", async () => {
  await onBlankPage(async (page) => {
    const hostile = '<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script><b>bold</b>';
    for (const type of ["text", "markdown", "text_template", "made_up_type"]) {
      const shown = await page.evaluate(
        async ({ type, content }) => {
          const { renderMessage } = await import("/shared/messages/render-message.js");
          const { node } = renderMessage({ type, content, title: content }, { name: content });
          document.body.append(node);
          return { text: node.textContent, elements: node.querySelectorAll("img, script, b").length, hit: globalThis.hit };
        },
        { type, content: hostile },
      );
      assert.equal(shown.elements, 0, type);
      assert.equal(shown.hit, undefined, type);
      if (type !== "made_up_type") assert.ok(shown.text.includes("<img src=x"), type);
    }
    const button = await page.evaluate(async (title) => {
      const { renderMessage } = await import("/shared/messages/render-message.js");
      const { node } = renderMessage({ type: "inline_button", title, buttons: [{ title }, {}, null] }, { name: "", onChoose() {} });
      return { elements: node.querySelectorAll("img, script, b").length, labels: [...node.querySelectorAll("button")].map((one) => one.textContent) };
    }, hostile);
    assert.deepEqual(button, { elements: 0, labels: [hostile] });
  });
});

test("only web addresses become links, and the sentence around them stays outside", async () => {
  await onBlankPage(async (page) => {
    const cases = [
      ["plainText", "See https://example.com/a_b?c=d.", ["https://example.com/a_b?c=d"]],
      ["plainText", "javascript:alert(1) data:text/html,x ftp://example.com", []],
      ["markdownText", "[click](javascript:alert(1)) [ok](https://example.com/x)", ["https://example.com/x"]],
      ["markdownText", "[data](data:text/html;base64,x) [rel](/desk)", []],
      ["markdownText", "(https://example.com/in_brackets)", ["https://example.com/in_brackets"]],
    ];
    for (const [kind, text, expected] of cases) {
      const links = await page.evaluate(
        async ({ kind, text }) => {
          const root = document.createElement("div");
          root.append((await import("/shared/messages/safe-text.js"))[kind](text));
          return [...root.querySelectorAll("a")].map((link) => ({ href: link.href, rel: link.rel, target: link.target }));
        },
        { kind, text },
      );
      assert.deepEqual(links.map(({ href }) => href), expected, text);
      for (const link of links) assert.ok(link.rel.split(" ").includes("noopener") && link.target === "_blank");
    }
  });
});

test("markdown keeps names with underscores, formats the safe part and leaves the rest alone", async () => {
  await onBlankPage(async (page) => {
    const shapes = await page.evaluate(async () => {
      const { markdownText } = await import("/shared/messages/safe-text.js");
      const shape = (node) => (node.nodeType === Node.TEXT_NODE ? node.data : `${node.localName}(${[...node.childNodes].map(shape).join("")})`);
      const draw = (text) => [...markdownText(text).childNodes].map(shape).join("");
      return [
        draw("**bold** and *soft* and `code`"),
        draw("mail first_last_name@example.com"),
        draw("one\ntwo\n\nthree"),
        draw("- a\n- **b**\n1. c"),
        draw("**not closed"),
      ];
    });
    assert.deepEqual(shapes, [
      "p(strong(bold) and em(soft) and code(code))",
      "p(mail first_last_name@example.com)",
      "p(onebr()two)p(three)",
      "ul(li(a)li(strong(b)))ol(li(c))",
      "p(**not closed)",
    ]);
  });
});

test("a long hostile text costs no noticeable time", async () => {
  await onBlankPage(async (page) => {
    const slowest_ms = await page.evaluate(async () => {
      const { markdownText } = await import("/shared/messages/safe-text.js");
      const times = ["[".repeat(50_000), "*".repeat(50_000), "[a](".repeat(12_000), "`_".repeat(25_000), "https://".repeat(6_000)].map((text) => {
        const start = performance.now();
        markdownText(text);
        return performance.now() - start;
      });
      return Math.max(...times);
    });
    assert.ok(slowest_ms < 2_000, `${slowest_ms} ms`);
  });
});

test("the conversation shows each message once and in index order, and swaps a waiting one for its stored self", async () => {
  await onBlankPage(async (page) => {
    const shown = await page.evaluate(async () => {
      const { ConversationView } = await import("/shared/conversation-view.js");
      const { el } = await import("/shared/dom.js");
      const root = el("div", {}, el("div", { class: "log" }), el("button", { class: "jump" }), el("p", { class: "typing" }), el("div", { class: "sticky" }));
      document.body.append(root);
      const view = new ConversationView(root, { own: "end_user", nameOf: () => "Ada", onChoose() {} });
      const message = ($index, text, extra = {}) => ({ $index, $userType: "agent", $userId: 1, $timestamp: 1, type: "text", content: text, ...extra });
      view.add(message(3, "three"));
      view.addHistory([message(1, "one"), message(2, "two"), message(3, "three")]);
      view.setPending({ clientId: "a", text: "mine", state: "queued" });
      view.setPending({ clientId: "a", text: "mine", state: "sending" });
      const waiting = [...root.querySelectorAll("li.message")].map((item) => item.querySelector(".bubble").textContent);
      view.add(message(4, "mine", { $userType: "end_user", client_id: "a" }));
      view.add(message(4, "mine", { $userType: "end_user", client_id: "a" }));
      // A late word about the delivery must not bring the waiting bubble back.
      view.setPending({ clientId: "a", text: "mine", state: "sent" });
      view.add(message(2, "two"));
      const stored = [...root.querySelectorAll("li.message")].map((item) => item.querySelector(".bubble").textContent);
      return { waiting, stored };
    });
    assert.deepEqual(shown.waiting, ["one", "two", "three", "mine"]);
    assert.deepEqual(shown.stored, ["one", "two", "three", "mine"]);
  });
});

test("a question takes one answer: its other choices close, and choices beside the text field leave", async () => {
  await onBlankPage(async (page) => {
    const result = await page.evaluate(async () => {
      const { ConversationView } = await import("/shared/conversation-view.js");
      const { el } = await import("/shared/dom.js");
      const root = el("div", {}, el("div", { class: "log", tabindex: "0" }), el("button", { class: "jump" }), el("p", { class: "typing" }), el("div", { class: "sticky" }));
      document.body.append(root);
      const chosen = [];
      const view = new ConversationView(root, { own: "end_user", nameOf: () => "Pia", onChoose: (title) => chosen.push(title) });
      const from = ($index, type, extra) => ({ $index, $userType: "virtual_agent", $userId: 1, $timestamp: 1, type, ...extra });
      view.add(from(1, "inline_button", { title: "Which?", buttons: [{ title: "This" }, { title: "That" }] }));
      view.add(from(2, "sticky_button", { buttons: [{ title: "Menu" }] }));
      const [first] = root.querySelectorAll(".log button");
      const sticky = root.querySelector(".sticky button") !== null;
      first.click();
      first.click();
      view.add({ ...from(3, "text", { content: "This" }), $userType: "end_user" });
      return { chosen, sticky, open: root.querySelectorAll("button.choice:enabled").length, stickyAfter: root.querySelector(".sticky button") !== null };
    });
    assert.deepEqual(result, { chosen: ["This"], sticky: true, open: 0, stickyAfter: false });
  });
});
