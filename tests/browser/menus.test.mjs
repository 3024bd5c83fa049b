// Choosing a counter: nested, redirected, hidden and closed menus, by language and by key; and the other ways that are offered where a person would take
// too long or is not there.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, say, sees, signIn, takeTicket } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

/** A company of its own under the demo's id, so that no test depends on the hour. */
const CONFIG = `
[wait_time]
default_handling_ms = 300000

[[companies]]
id = "demo"
name = "Counter tests"
secret = "a secret of these tests, long enough to be one"
languages = ["en", "it", "pt"]
after_hours_message = { en = "Back on Monday.", it = "Torniamo lunedì.", pt = "Voltamos na segunda." }
links = [{ id = 1, name = { en = "Guides", it = "Guide" }, url = "https://example.com/guides" }]
deflection = { email = true, links = [1] }
menus = [
  { id = 1, name = "Orders", names = { it = "Ordini" }, virtual_agent = 1 },
  { id = 2, name = "Help", children = [{ id = 21, name = "Bikes" }, { id = 22, name = "Batteries" }] },
  { id = 3, name = "Night counter", hours = {}, channels = ["chat", "voice_call", "email"] },
  { id = 4, name = "Gift cards", redirection = { queue = 1 } },
  { id = 5, name = "Test rides", redirection = { message = "Again in spring." } },
  { id = 6, name = "Manuals", redirection = { external_link = "https://example.com/manuals" } },
  { id = 7, name = "Trade", hidden = true, direct_access_key = "trade", direct_users = ["trade-1"] },
  { id = 8, name = "People away", virtual_agent = 1, virtual_agent_after_hours = true, hours = {}, deflection = { email = true, links = [1] } },
  { id = 9, name = "Very busy", virtual_agent = 1, deflection = { threshold_ms = 1000, email = true, links = [1] } },
  { id = 10, name = "Very busy, no bot", deflection = { threshold_ms = 1000, links = [1] } },
]

[[virtual_agents]]
id = 1
name = "Pia"
greeting = "Hello, I'm Pia."
fallback = "I see."
`;

test("the lobby shows the tree of menus with what leads where, in each language", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await page.getByRole("heading", { name: "How can we help?" }).waitFor();
      await page.getByRole("button", { name: /^Orders/u }).waitFor();
      const names = await page.locator("#menus .ticket-name").allInnerTexts();
      assert.deepEqual(names, ["Orders", "Bikes", "Batteries", "Night counter", "Gift cards", "Test rides", "Manuals", "People away", "Very busy", "Very busy, no bot"]);

      // Nested: the heading leads nowhere, what is below it does.
      const folder = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Help" }) });
      assert.equal(await folder.getByRole("button").count(), 2);
      // Closed, with the company's words, its link and its other ways.
      assert.ok(await page.getByRole("button", { name: /^Night counter/u }).isDisabled());
      assert.ok(await page.getByText("closed at this hour").first().isVisible());
      const panel = page.locator("#after-hours");
      await panel.getByText("Back on Monday.").waitFor();
      await panel.getByText("Closed at this hour: Night counter and People away").waitFor();
      assert.equal(await panel.getByRole("link", { name: "Guides" }).getAttribute("href"), "https://example.com/guides");
      assert.ok(await panel.getByRole("button", { name: "By e-mail" }).isEnabled());
      // Redirected: to another queue, to a text, to another page.
      assert.match(await page.getByRole("button", { name: /Gift cards/u }).innerText(), /answered by Orders/u);
      assert.equal(await page.getByRole("button", { name: /Test rides/u }).count(), 0);
      assert.ok(await page.getByText("Again in spring.").isVisible());
      assert.equal(await page.getByRole("link", { name: /Manuals/u }).getAttribute("href"), "https://example.com/manuals");
      await picture(page, "menus-lobby");

      await page.getByLabel("Language").selectOption("it");
      await page.getByRole("heading", { name: "Come possiamo aiutarti?" }).waitFor();
      await page.getByRole("button", { name: /^Ordini/u }).waitFor();
      await panel.getByText("Torniamo lunedì.").waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), "it");
      await picture(page, "menus-lobby-italian");

      // The chosen language is the chat's, and outlives a reload.
      await page.reload();
      await page.getByRole("button", { name: /^Ordini/u }).click();
      await page.getByText("Ti risponde Pia").waitFor();
      await page.getByLabel("Lingua").selectOption("pt");
      await page.getByText("Pia responde-lhe").waitFor();
    },
    { config: CONFIG },
  );
});

test("waiting times are read again while somebody chooses, and the focus stays", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer({ page: { setUp: (fresh) => fresh.clock.install() } });
      await page.getByRole("button", { name: /Bikes.*about 5 minutes/su }).waitFor();
      await page.getByRole("button", { name: /Bikes/u }).focus();
      // An agent comes: nobody has to wait any more.
      const desk = await stage.desk();
      await signIn(desk);
      await page.clock.fastForward(16_000);
      await page.getByRole("button", { name: /Bikes.*no wait/su }).waitFor();
      assert.match(await page.evaluate(() => document.activeElement.innerText), /Bikes/u);
    },
    { config: CONFIG },
  );
});

test("a key or the end user's name leads straight to a hidden counter, and a redirected one to its target", async () => {
  await withStage(
    async (stage) => {
      for (const [query, words] of [[{ key: "trade" }, "Your link leads straight here."], [{ user: "trade-1" }, "These counters are for you."]]) {
        const page = await stage.customer({ query });
        await page.getByText(words).waitFor();
        assert.deepEqual(await page.locator("#menus .ticket-name").allInnerTexts(), ["Trade"]);
      }
      const page = await stage.customer();
      await takeTicket(page, /Gift cards/u);
      await page.getByRole("heading", { name: "Orders" }).waitFor();
    },
    { config: CONFIG },
  );
});

test("where nobody is there the virtual agent offers other ways: stay, or a link that ends the chat", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await takeTicket(page, /People away/u);
      await page.getByText("Pia answers you").waitFor();
      await page.getByRole("button", { name: "Ask for a person" }).click();
      const offer = page.locator("#offer");
      await offer.getByText("No person is here at this hour.").waitFor();
      assert.ok(await offer.getByRole("button", { name: "By e-mail" }).isEnabled());
      assert.equal(await offer.getByRole("button", { name: "Keep waiting" }).count(), 0, "nobody will come");
      assert.ok(await page.getByText("Nobody is here at this hour").isVisible());
      await picture(page, "menus-offer");

      // A reload offers again; staying goes on with the virtual agent.
      await page.reload();
      await offer.getByRole("button", { name: "Stay with Pia" }).click();
      await offer.waitFor({ state: "hidden" });
      await say(page, "Then you");
      await sees(page, "I see.");

      await page.getByRole("button", { name: "Ask for a person" }).click();
      const [elsewhere] = await Promise.all([page.context().waitForEvent("page"), offer.getByRole("link", { name: /^Guides/u }).click()]);
      await elsewhere.close();
      await page.getByText("This chat has ended.").waitFor();
    },
    { config: CONFIG },
  );
});

test("where the wait is long the customer may keep waiting, with and without a virtual agent", async () => {
  await withStage(
    async (stage) => {
      const page = await stage.customer();
      await takeTicket(page, /Very busy/u);
      await page.getByText("Pia answers you").waitFor();
      await page.getByRole("button", { name: "Ask for a person" }).click();
      await page.locator("#offer").getByRole("button", { name: "Keep waiting" }).click();
      await page.getByText(/^Waiting for a person: about \d+ minutes$/u).waitFor();

      const other = await stage.customer();
      await takeTicket(other, /no bot/u);
      const panel = other.locator("#long-wait");
      await panel.getByRole("link", { name: "Guides" }).waitFor();
      await picture(other, "menus-long-wait");
      await panel.getByRole("button", { name: "Keep waiting" }).click();
      await panel.waitFor({ state: "hidden" });

      const desk = await stage.desk();
      await signIn(desk);
      await accept(desk);
      await page.getByText("You are talking to Ada").waitFor();
    },
    { config: CONFIG },
  );
});
