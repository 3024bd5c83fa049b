// Browser forms: a page of the contact centre's in a frame, which says by a window message that it was filled in. Loaded with the first of them. Believes
// nobody but that frame, and nothing that does not carry the signature of the form's message.

const refuse = (message) => {
  throw Object.assign(new Error(message), { code: "invalid_argument" });
};

/** The plan of `attachBrowserForm(message, iframe)`: resolves once the form is filled in, to the message that says so. */
export function plan([message, iframe], signal) {
  const { form, signature } = Object(message);
  if (message?.type !== "form" || typeof signature !== "string" || signature === "" || typeof form?.preview_endpoint !== "string") {
    refuse("attachBrowserForm(message, iframe) takes a message with a browser form.");
  }
  if (iframe?.tagName !== "IFRAME") refuse("attachBrowserForm(message, iframe) takes an iframe element.");
  // An address such as `javascript:` would run in the page, and a relative one would be the page's own.
  const address = URL.canParse(form.preview_endpoint) ? new URL(form.preview_endpoint) : {};
  if (!/^https?:$/.test(address.protocol)) refuse("The form's address must begin with https:// or http://.");

  const noti = (data) => ({
    type: "noti", content: "", event: "formCompleted", form_name: form.name, smart_action_id: form.smart_action_id, signature, form_data: data ?? {},
  });
  return new Promise((resolve) => {
    const hear = ({ source, origin, data }) => {
      // A sandboxed frame without `allow-same-origin` has the opaque origin "null".
      const isFrame = source !== null && source === iframe.contentWindow && (origin === address.origin || origin === "null");
      if (!isFrame || data?.type !== "form_complete" || data.signature !== signature) return;
      stop();
      resolve({ body: noti(data.data), path: "", scope: "chat", answer: "message" });
    };
    const stop = () => removeEventListener("message", hear);
    addEventListener("message", hear);
    signal.addEventListener("abort", stop);
    if (!iframe.hasAttribute("src")) {
      if (!iframe.hasAttribute("sandbox")) iframe.setAttribute("sandbox", "allow-forms allow-scripts");
      iframe.src = address.href;
    }
  });
}
