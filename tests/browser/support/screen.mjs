// The steps of sharing a screen, and how to read what the desk shows of it.

/** The customer's page as the desk shows it: a frame without scripts in the frame that shows it. */
export function shown(desk) {
  return desk.frameLocator(".screen-frame").frameLocator("iframe");
}

/** Waits until the desk says that it shows the page, and the page is there. */
export async function seesScreen(desk) {
  await desk.getByText(/^You see the page of/u).waitFor();
  await shown(desk).locator("body").waitFor();
}

/** The customer answers the question whether the page may be shown. */
export async function answer(customer, name) {
  await customer.getByRole("alertdialog", { name: "Share this page?" }).getByRole("button", { name, exact: true }).click();
}

/** A page that waits for the agent's pointer is told that the share is over by a refusal, which the browser logs. */
export const SHARE_OVER = /409.*\/(?:signals|records)\?/u;

/** The agent asks and the customer agrees. */
export async function agentAsks({ customer, desk }) {
  await desk.getByRole("button", { name: "Ask to see the screen" }).click();
  await answer(customer, "Allow");
  await seesScreen(desk);
}

/** What must be true once the share is over: nothing of the page is left on the desk, and nothing that shares on the customer's. */
export async function isOver({ customer, desk }) {
  await desk.locator(".screen-frame").waitFor({ state: "detached" });
  await customer.locator(".cobrowse-controls_bar").waitFor({ state: "detached" });
}
