// Which gateway this page talks to and who is signed in, both from the address bar because this is a demo. A real site knows both itself, and
// its own server signs tokens and data: the company secret never reaches a browser.

const DEMO_COMPANY_ID = "demo";

/**
 * What the address bar asks for. `?gateway=` is an origin; without it the page's own origin serves the chat. `?key=` is a direct access key, `?tools`
 * opens the developer tools.
 */
export function readPageOptions(location) {
  const query = new URLSearchParams(location.search);
  return {
    gateway: originOf(query.get("gateway")) ?? location.origin,
    identifier: query.get("user") || undefined,
    companyId: query.get("company") || DEMO_COMPANY_ID,
    key: query.get("key") || undefined,
    tools: query.has("tools"),
  };
}

/** Asks the demo gateway for the JWT that a site's own server would sign. */
export function requestDemoToken(gateway, identifier) {
  return sign(gateway, identifier ? { identifier, name: identifier } : {});
}

/** Asks the demo gateway to sign custom data, as a site's own server would. */
export async function requestSignedData(gateway, customData) {
  return (await sign(gateway, { custom_data: customData })).signed_data;
}

async function sign(gateway, body) {
  const response = await fetch(`${gateway}/demo/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the demo gateway signs nothing (HTTP ${response.status})`);
  return response.json();
}

function originOf(text) {
  try {
    const url = new URL(text ?? "");
    return url.protocol === "http:" || url.protocol === "https:" ? url.origin : undefined;
  } catch {
    return undefined;
  }
}
