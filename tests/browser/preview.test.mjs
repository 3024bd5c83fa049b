// What the customer has typed and not sent, shown at the desk where the company wants it.

import { test } from "node:test";

import { sees, startConversation } from "./support/conversation.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

test("what is being typed is shown at the desk, and goes when it is sent or taken back", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    const preview = desk.locator(".typing-preview");
    await customer.getByRole("textbox").pressSequentially("My order 47");
    await preview.getByText("My order 47").waitFor();
    await picture(desk, "preview");
    await customer.getByRole("textbox").fill("");
    await preview.waitFor({ state: "hidden" });
    await customer.getByRole("textbox").pressSequentially("My order 4711");
    await preview.getByText(/^My order/u).waitFor();
    await customer.getByRole("textbox").press("Enter");
    await sees(desk, "My order 4711");
    await preview.waitFor({ state: "hidden" });
  });
});
