// The two routes of the gateway that a client needs to become ready and show menus, on an origin of its own (docs/protocol.md).
import { createServer } from "node:http";

export const MENUS = { menus: [{ id: 7, name: "Parcels", enabled: true, channels: [{ name: "chat", enabled: true }] }], direct: { key: false, user: false } };
export const SITE_TOKEN = "signed-by-the-site";
const SESSION_TOKEN = "session-of-the-gateway";

export async function startFakeGateway() {
  const seen = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://gateway");
    seen.push(`${request.method} ${pathname}`);
    response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
    response.setHeader("access-control-allow-headers", "authorization, content-type");
    response.setHeader("access-control-allow-methods", "GET, POST, PATCH, DELETE");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    const [status, body] = answer(request, pathname, await readJson(request));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const origin = await listen(server);
  return { origin, seen, close: () => stop(server) };
}

function answer(request, pathname, body) {
  if (request.method === "POST" && pathname === "/api/v1/sessions") {
    if (body?.company_id !== "demo") return refusal(404, "company_unknown");
    if (body.token !== SITE_TOKEN) return refusal(401, "token_invalid");
    return [200, { session_token: SESSION_TOKEN, expires_in_ms: 600_000, end_user: { id: 1, identifier: null } }];
  }
  if (request.headers.authorization !== `Bearer ${SESSION_TOKEN}`) return refusal(401, "unauthorized");
  if (request.method === "GET" && pathname === "/api/v1/menus") return [200, MENUS];
  if (request.method === "GET" && pathname === "/api/v1/chats/ongoing") return [200, { chat: null }];
  return refusal(404, "not_found");
}

const refusal = (status, code) => [status, { error: { code, message: "refused by the fake gateway" } }];

async function readJson(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? undefined : JSON.parse(text);
}

/** Listens on a free port of the loopback address and gives the origin. */
export async function listen(server) {
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

export async function stop(server) {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
