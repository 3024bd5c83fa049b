// Serves a folder as any web server would, with what a test wants changed: headers, refusals, MIME types.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { listen, stop } from "./fake-gateway.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** `intercept(pathname, count)` may give `{ status, headers, file }`, also later, to answer the count-th request of a path otherwise. */
export async function startStaticServer(folder, intercept = () => undefined) {
  const counts = new Map();
  const server = createServer(async (request, response) => {
    const pathname = decodeURIComponent(new URL(request.url, "http://site").pathname);
    const count = (counts.get(pathname) ?? 0) + 1;
    counts.set(pathname, count);
    const { status = 200, headers = {}, file = pathname } = (await intercept(pathname, count)) ?? {};
    if (status !== 200) return response.writeHead(status).end();
    try {
      const body = await readFile(join(folder, file === "/" ? "index.html" : file));
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/html", ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const origin = await listen(server);
  return { origin, counts, close: () => stop(server) };
}
