// Files between the two pages: chosen, pasted and dropped, with their progress, cancelled, refused, and shown again after a reload.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "./support/axe.mjs";
import { startConversation } from "./support/conversation.mjs";
import { photo } from "./support/samples.mjs";
import { picture } from "./support/screenshots.mjs";
import { withStage } from "./support/stage.mjs";

test("a photo is chosen, pasted and dropped, and both pages show it, also after a reload", async () => {
  await withStage(async (stage) => {
    const { customer, desk } = await startConversation(stage);
    const image = await photo(customer);
    await customer.locator("#composer input[type=file]").setInputFiles({ name: "chosen.png", mimeType: "image/png", buffer: image });
    await customer.getByRole("img", { name: "chosen.png" }).waitFor();
    await give(customer, "paste", image, "pasted.png");
    await customer.getByRole("img", { name: "pasted.png" }).waitFor();
    await give(customer, "drop", image, "dropped.png");
    await customer.getByRole("img", { name: "dropped.png" }).waitFor();
    for (const name of ["chosen.png", "pasted.png", "dropped.png"]) await desk.getByRole("img", { name }).waitFor();
    await picture(customer, "files-photos");
    await picture(desk, "files-photos-desk");
    for (const page of [customer, desk]) await shownAsPictures(page, 3);

    await customer.reload();
    await customer.getByRole("img", { name: "dropped.png" }).waitFor();
    await shownAsPictures(customer, 3);
  });
});

test("a file on its way shows how far it is, can be given up, and a refused one says why", async () => {
  await withStage(async (stage) => {
    stage.expectFaults(/status of 4\d\d/u);
    const { customer, desk } = await startConversation(stage);
    const image = await photo(customer);
    // The upload waits until it is given up.
    await customer.route("**/api/v1/uploads", () => {});
    await customer.locator("#composer input[type=file]").setInputFiles({ name: "slow.png", mimeType: "image/png", buffer: image });
    await customer.getByRole("progressbar", { name: /slow\.png/u }).waitFor();
    await picture(customer, "files-progress");
    await check(customer, "a file on its way");
    await customer.getByRole("button", { name: "Cancel slow.png" }).click();
    await customer.locator(".is-pending").waitFor({ state: "detached" });
    await customer.unroute("**/api/v1/uploads");

    await customer.locator("#composer input[type=file]").setInputFiles({ name: "empty.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await customer.locator('.is-pending[data-state="failed"]').getByText(/^Not sent\. /u).waitFor();
    await customer.locator("#composer input[type=file]").setInputFiles({ name: "good.png", mimeType: "image/png", buffer: image });
    await desk.getByRole("img", { name: "good.png" }).waitFor();
    assert.equal(await desk.getByRole("img", { name: /slow|empty/u }).count(), 0);
  });
});

/** Every picture on the page has really been drawn. */
async function shownAsPictures(page, count) {
  await page.waitForFunction((wanted) => [...document.querySelectorAll(".log img")].filter((image) => image.complete && image.naturalWidth > 0).length === wanted, count);
}

/** Pastes a file into the text field, or drops it on the conversation. */
async function give(page, how, bytes, name) {
  await page.evaluate(
    ({ how: kind, data, name: fileName }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(data), (char) => char.codePointAt(0))], fileName, { type: "image/png" }));
      const init = { bubbles: true, cancelable: true, clipboardData: transfer, dataTransfer: transfer };
      if (kind === "paste") return document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", init));
      for (const step of ["dragenter", "dragover", "drop"]) document.getElementById("conversation").dispatchEvent(new DragEvent(step, init));
    },
    { how, data: bytes.toString("base64"), name },
  );
}
