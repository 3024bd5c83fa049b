// Messages of every type, as the gateway sends them, and files of every kind, made in the page: nothing binary is kept in the repository.

let index = 0;

/** A message by a virtual agent unless `extra` says otherwise. */
export function message(type, extra = {}) {
  index += 1;
  return { $index: index, $sid: `s${index}`, $userType: "virtual_agent", $userId: 1, $timestamp: 1_780_000_000_000 + index * 1000, type, signature: "s", ...extra };
}

const notice = (event, extra = {}) => message("noti", { $userType: "system", $userId: 0, event, ...extra });
const own = { $userType: "end_user", $userId: 5 };

/** Groups of samples by the name of their picture. */
export function sampleGroups() {
  index = 0;
  return {
    "text": [
      message("text", { content: "Hello, I'm Pia.\nSee https://example.com/hours." }),
      message("markdown", { content: "**Returns** within *30 days*:\n- print the label\n- hand it in, see [how](https://example.com/returns)\n\n1. `RET-1`" }),
      message("text", { ...own, content: "My card is 4111 1111 1111 1111", unredacted: "My card is 4111 1111 1111 1111" }),
      message("text", { $userType: "agent", $userId: 2, content: "I only see •••• here." }),
      message("something_new", { content: "whatever" }),
    ],
    "buttons": [
      message("inline_button", { title: "What is it about?", buttons: [{ title: "An order" }, { title: "Opening hours", link: "https://example.com/hours" }, { title: "A person", action: "escalation" }] }),
      message("sticky_button", { title: "I can do more:", buttons: [{ title: "Menu" }, { title: "Start over" }] }),
    ],
    "cards": [
      message("content_card", {
        cards: [
          {
            title: "City bike", subtitle: "from 749 €", body: "Hub dynamo, seven gears.", link: "https://example.com/city", images: ["/samples/city-bike.svg"],
            buttons: [{ title: "Take the city bike", style: "primary", auto_reply: true }, { title: "Ask about it" }],
          },
          { title: "E-bike", subtitle: "from 2,190 €", body: "A battery for 90 km.", images: ["/samples/e-bike.svg"], buttons: [{ title: "Take the e-bike", auto_reply: true }] },
          { title: "No picture", images: ["javascript:alert(1)"] },
        ],
      }),
    ],
    "media": [
      message("image", { url: "/samples/city-bike.svg", text: "The city bike" }),
      message("video", { url: "/samples/missing.mp4", title: "A ride" }),
      message("document", { document: { url: "https://example.com/manual.pdf" }, title: "Manual" }),
      message("photo", { ...own, media_id: 1, media: { name: "parcel.png", content_type: "image/png", size: 3_400 } }),
      message("video", { media_id: 2, media: { name: "unboxing.webm", content_type: "video/webm", size: 3_400_000 } }),
      message("audio", { media_id: 3, media: { name: "noise.wav", content_type: "audio/wav", size: 88_000 } }),
      message("document", { media_id: 4, document: { url: "/api/v1/chats/1/media/4" }, media: { name: "invoice.pdf", content_type: "application/pdf", size: 120_000 } }),
    ],
    "forms": [
      message("form", { form: { id: 1, form_type: "custom_form", name: "return", title: "Return a purchase", subtitle: "Two minutes", external_form_id: "return", smart_action_id: 17, image: "/samples/e-bike.svg" } }),
      message("form", { form: { id: 2, form_type: "browser_form", name: "survey", title: "How was it?", subtitle: "", external_form_id: "survey", smart_action_id: 18, image: "" } }),
      message("noti", { ...own, event: "formCompleted", form_name: "Return a purchase", smart_action_id: 17, form_data: [{ question_id: 1, question: "Order number", value: "4711" }, { question_id: 2, question: "Bank account", value: "••••" }, { question_id: 3, question: "Reasons", value: ["too small", "damaged"] }] }),
    ],
    "notices": [
      notice("escalationStarted"),
      notice("escalationAccepted", { agent: { id: 2, name: "Ada" } }),
      notice("escalationDeflected", { escalation_id: 1, reason: "after_hours", options: [] }),
      notice("chatTransferred", { to: { type: "queue", id: 2, name: "Billing" } }),
      notice("dismissalWarning", { dismiss_at_ms: 1_780_000_600_000 }),
      notice("chatDismissed"),
      notice("chatResumed"),
      notice("checkInTimedOut"),
      notice("memberLeft", { member: { type: "agent", id: 2, display_name: "Ada" } }),
      notice("chatEnded", { ended_by: "system", fail_reason: "expired" }),
      notice("somethingNew"),
    ],
    "grouped": [
      message("text", { content: "Here is what I found:", groupMessageId: 40 }),
      message("content_card", { groupMessageId: 40, cards: [{ title: "City bike", images: ["/samples/city-bike.svg"], buttons: [] }] }),
      message("inline_button", { title: "Shall I reserve it?", buttons: [{ title: "Yes" }, { title: "No" }], groupMessageId: 40 }),
    ],
    "hidden": [message("server_message", { message: { type: "text", messages: ["for machines"] } }), message("action", { action: "end" }), notice("formRequested"), notice("checkInRequired", { timeout_ms: 1 })],
  };
}

/** A PNG, drawn in a page. */
export async function photo(page) {
  const base64 = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 200 });
    const context = canvas.getContext("2d");
    const sky = context.createLinearGradient(0, 0, 0, 200);
    sky.addColorStop(0, "#f4e4c9");
    sky.addColorStop(1, "#a8371f");
    context.fillStyle = sky;
    context.fillRect(0, 0, 320, 200);
    return canvas.toDataURL("image/png").split(",")[1];
  });
  return Buffer.from(base64, "base64");
}
