// What a browser form has to do: keep the signature it was opened with, and repeat it in the message that says that it is filled in. The chat's page
// believes no message without it.

const signature = new URLSearchParams(location.hash.slice(1)).get("signature");

document.getElementById("return").addEventListener("submit", (event) => {
  event.preventDefault();
  const data = Object.fromEntries(new FormData(event.currentTarget));
  // A frame in a sandbox has no origin and does not know that of the page around it; nothing in this message is secret to that page.
  parent.postMessage({ type: "form_complete", signature, data }, "*");
  document.getElementById("outcome").textContent = "Sent. Thank you.";
});
