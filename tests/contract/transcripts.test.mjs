// Transcripts as PDF: asked for, asked about until it is there, also after a chat has ended; and one that cannot be made.
import assert from "node:assert/strict";

import { aWholeNumber, holds } from "./support/ledger.mjs";
import { scene } from "./support/scene.mjs";

const WITH_A_PERSON = 4;

/** Runs in the page: asks until the transcript is made or failed, and describes what there is. */
const settled = async (id) => {
  const seen = [];
  for (;;) {
    const { headers, data } = await globalThis.client.getPdfStatus(id);
    const { body, ...rest } = data;
    seen.push(headers["x-transcript-status"]);
    if (data.status !== "pending") {
      const file = body && { isFile: body instanceof File, name: body.name, type: body.type, start: await body.slice(0, 5).text() };
      return { headers, data: file ? { ...rest, body: file } : rest, seen };
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

const isPdf = holds("a PDF file", (value) => value?.isFile && value.name === "transcript.pdf" && value.type === "application/pdf" && value.start === "%PDF-");
const isStatus = holds("pending or finished", (value) => ["pending", "finished"].includes(value));

scene("a transcript is made during a chat and after it, and is a file", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  await customer.call("sendTextMessage", "Buongiorno");
  const first = await customer.call("downloadChatTranscript");
  ledger.gave("downloadChatTranscript", first, { status: isStatus, chat_transcript_id: aWholeNumber }, "GenerateTranscriptResponse");
  const made = await customer.run(settled, first.chat_transcript_id);
  ledger.gave("getPdfStatus", { headers: made.headers, data: made.data }, {
    headers: { "x-transcript-status": "finished" },
    data: { status: "finished", body: isPdf },
  }, "RequestReturn");
  ledger.saw("PdfStatusResponse", made.data, { status: "finished", body: isPdf });
  // The same one while the chat does not change.
  const again = await customer.call("downloadChatTranscript");
  ledger.saw("GenerateTranscriptResponse", again, { status: "finished", chat_transcript_id: first.chat_transcript_id });
  await customer.call("finishChat");
  const after = await customer.call("downloadChatTranscript");
  ledger.saw("GenerateTranscriptResponse", after, { status: isStatus, chat_transcript_id: aWholeNumber });
  assert.notEqual(after.chat_transcript_id, first.chat_transcript_id);
  ledger.effect("getPdfStatus(id)", (await customer.run(settled, after.chat_transcript_id)).data.status, "finished");
  scene.expectFaults(/404/u);
  assert.deepEqual(await customer.refusal("getPdfStatus", 987_654), { code: "not_found", status: 404 });
});

scene("a transcript that would be too large fails, and says why", async (scene, ledger) => {
  const customer = await scene.customer({ identifier: "maria" });
  await customer.call("createChat", WITH_A_PERSON);
  await customer.hears("chat.connected");
  const { chat_transcript_id: id } = await customer.call("downloadChatTranscript");
  const failed = await customer.run(settled, id);
  ledger.saw("RequestReturn", { headers: failed.headers, data: failed.data }, { headers: { "x-transcript-status": "failed" }, data: { status: "failed", failed_reason: "too_large" } });
  ledger.saw("PdfStatusResponse", failed.data, { status: "failed", failed_reason: "too_large" });
}, { config: "[transcripts]\nmax_pdf_bytes = 100\n" });
