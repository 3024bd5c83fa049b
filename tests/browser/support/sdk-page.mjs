// A page of the site with nothing on it but the SDK, for calls that the demo page never makes. What goes wrong comes back as plain data.

/** Opens the page; `createClient`, `withToken` and `outcome` are then global in it. */
export async function openSdkPage(stage, { site = stage.site, ...pageOptions } = {}) {
  const page = await stage.open(`${site.origin}/blank.html`, pageOptions);
  await prepareSdkPage(stage, page);
  return page;
}

/** What a page needs once more after it was loaded anew. */
export async function prepareSdkPage(stage, page) {
  await page.evaluate(async (gateway) => {
    const { Client, isSportelloError } = await import("/pkg/index.js");
    const demoToken = async (identifier) => {
      const response = await fetch(`${gateway}/demo/token`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ identifier }),
      });
      return response.json();
    };
    globalThis.createClient = ({ identifier, token, ...options } = {}) => {
      const client = new Client({
        companyId: "demo",
        host: gateway,
        authenticate: () => (token ? Promise.resolve({ token }) : demoToken(identifier)),
        ...options,
      });
      client.errors = [];
      client.on("error", (error) => client.errors.push(error.code));
      return client;
    };
    globalThis.outcome = (promise) =>
      promise.then(
        (value) => ({ value }),
        (error) => ({
          code: error.code,
          status: error.status,
          retryable: error.retryable,
          isTyped: isSportelloError(error) && error instanceof Error && error.name === "SportelloError",
        }),
      );
  }, stage.gateway.origin);
}

/** The JWT that a site's server would sign, asked for outside any browser. */
export async function demoToken(stage, claims = {}) {
  const response = await fetch(`${stage.gateway.origin}/demo/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(claims),
  });
  return (await response.json()).token;
}
