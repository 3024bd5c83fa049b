// What the site tells about the visitor when a chat starts: a panel to change it, because in the demo the developer is the site. Unsigned data could come
// from anyone; signed data is signed by the site's server, which the demo gateway plays.

import { byId, setText } from "../shared/dom.js";
import { t } from "../shared/language.js";
import { requestSignedData } from "./gateway.js";

const UNSIGNED = {
  cart: { label: "Cart", value: "2 items, 149.90 €", type: "string" },
  page: { label: "Page", value: "https://example.com/bikes/city", type: "url" },
  coupon: { label: "Coupon", value: "SPRING", type: "string", invisible_to_agent: true },
};
const SIGNED = {
  reserved_verified_customer: { label: "Verified customer", value: true, type: "boolean" },
  customer_number: { label: "Customer number", value: "C-1042", type: "string" },
};
/** A conversation that the visitor had elsewhere before, as another chat would hand it over. */
const EARLIER_CHAT = {
  greeting_override: "Hello again! I have read what you told our shop bot.",
  agent: { name: "Pia" },
  transcript: [
    { sender: "end_user", timestamp: "2026-03-15 12:00:00Z", content: [{ type: "text", text: "Does the **city bike** have lights?" }] },
    {
      sender: "agent",
      timestamp: "2026-03-15 12:00:04Z",
      content: [
        { type: "text", text: "It does, with a hub dynamo. Do you want to see it?" },
        { type: "buttons", buttons: [{ label: "Yes", selected: true }, { label: "No", selected: false }] },
      ],
    },
  ],
};

export class SiteData {
  #gateway;
  /** The fields of the next `ChatRequest`, `null` for none. */
  #request = null;

  constructor({ gateway }) {
    this.#gateway = gateway;
    byId("unsigned").value = JSON.stringify(UNSIGNED, null, 2);
    byId("signed").value = JSON.stringify(SIGNED, null, 2);
    byId("site-data-open").addEventListener("click", () => byId("site-data").showModal());
    byId("site-data-close").addEventListener("click", () => byId("site-data").close());
    byId("site-data-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep(event.currentTarget.elements);
    });
    byId("site-data-nothing").addEventListener("click", () => {
      this.#request = null;
      byId("site-data").close();
    });
  }

  /** What the next chat starts with, beside its language. Signed anew for each chat: a signature has an end. */
  async chatRequest() {
    if (!this.#request) return {};
    const { unsigned, signed, ...request } = this.#request;
    const custom_data = { unsigned };
    if (Object.keys(signed).length > 0) custom_data.signed = await requestSignedData(this.#gateway, signed);
    return { ...request, custom_data };
  }

  #keep(fields) {
    const unsigned = readObject(fields.unsigned.value);
    const signed = readObject(fields.signed.value);
    setText(byId("site-data-error"), unsigned && signed ? "" : t("siteData.notJson"));
    if (!unsigned || !signed) return fields[unsigned ? "signed" : "unsigned"].focus();
    if (fields.earlier.checked) unsigned.external_chat_transfer = EARLIER_CHAT;
    this.#request = { unsigned, signed };
    for (const name of ["greeting", "ticket_id", "email", "trigger_id"]) if (fields[name].value.trim()) this.#request[name] = fields[name].value.trim();
    this.#request.cobrowsable = fields.cobrowsable.checked;
    byId("site-data").close();
  }
}

/** The object in a text, `null` where there is none. An empty text is an empty object. */
function readObject(text) {
  try {
    const value = JSON.parse(text.trim() || "{}");
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
