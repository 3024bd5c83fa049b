// The steps that people take on the two pages, and how to read what is on their screens. Everything is found as a person with a screen
// reader would find it: by role and name.

import { DEMO_AGENT } from "./gateway.mjs";

/** Waits for the menus and takes a ticket; resolves when the conversation is open. */
export async function takeTicket(page, name = /./u) {
  await page.getByRole("heading", { name: "How can we help?" }).waitFor();
  await page.getByRole("main").getByRole("listitem").getByRole("button", { name }).first().click();
  await page.getByRole("log").waitFor();
}

/** Writes in the text field and presses Enter. */
export async function say(page, text) {
  await page.getByRole("textbox").fill(text);
  await page.getByRole("textbox").press("Enter");
}

/** Waits until a message with this text, from the gateway and not only on its way, is on the screen. */
export async function sees(page, text) {
  await page.locator(".log [data-index] .bubble", { hasText: text }).first().waitFor();
}

/** Messages as a person reads them: author's side and text, in the order on the screen; those on their way come last. */
export function readLog(page) {
  return page.locator(".log").evaluate((log) =>
    [...log.querySelectorAll("li.message")]
      .filter((item) => !item.hidden)
      .map((item) => ({
        index: item.dataset.index === undefined ? null : Number(item.dataset.index),
        author: item.dataset.author,
        text: (item.querySelector(".bubble") ?? item.querySelector(".note"))?.innerText ?? "",
      })),
  );
}

/** Only what people said: "author: first line", for comparing two pages. */
export async function readSaid(page) {
  const log = await readLog(page);
  return log.filter(({ author }) => author === "end_user" || author === "agent").map(({ author, text }) => `${author}: ${text}`);
}

/** Signs the demo agent in; resolves when the desk is open. */
export async function signIn(page, { login, password } = DEMO_AGENT) {
  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: /^Waiting/u }).waitFor();
}

/** Accepts whoever waits longest. */
export async function accept(page) {
  await page.getByRole("button", { name: /^Accept/u }).first().click();
  await page.getByRole("button", { name: "Finish" }).waitFor();
}

/** Asks for a person and waits until the page says that it waits for one. */
export async function askForPerson(page) {
  await page.getByRole("button", { name: "Ask for a person" }).click();
  await page.getByText(/Waiting for a person/u).first().waitFor();
}

/** A customer who talks to an agent: `{ customer, desk }`. `options.customer` is `stage.customer`'s. */
export async function startConversation(stage, options = {}) {
  const customer = await stage.customer(options.customer);
  await takeTicket(customer);
  await customer.getByRole("button", { name: "Ask for a person" }).waitFor();
  await askForPerson(customer);
  const desk = await stage.desk();
  await signIn(desk);
  await accept(desk);
  await customer.getByText(/You are talking to/u).waitFor();
  return { customer, desk };
}

/** What a browser does to a page behind another tab; headless pages are always in front. */
export function setHidden(page, hidden) {
  return page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (isHidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}
