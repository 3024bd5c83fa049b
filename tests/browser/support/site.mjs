// The customer's site: another origin than the gateway's, serving the demo page and the package as any static server would, under the strict
// content security policy that the demo promises to work with.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

import { PKG_DIR, WWW_DIR } from "./paths.mjs";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self' ws: http:",
  "style-src 'self'",
  "img-src 'self' data: blob: http:",
  "media-src 'self' blob: http:",
  "frame-src http:",
  "object-src 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

/** A page of the site with nothing on it. */
const BLANK = '<!doctype html><html lang="en"><title>Blank</title><link rel="icon" href="/favicon.svg"></html>';

/** Starts the site on a free port; `{ origin, close }`. */
export async function startSite() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://site").pathname));
    const file = path.startsWith("/pkg/") ? join(PKG_DIR, path.slice(5)) : join(WWW_DIR, path === "/" ? "index.html" : path);
    try {
      const body = path === "/blank.html" ? BLANK : await readFile(file);
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "content-security-policy": POLICY,
        "cache-control": "no-store",
      });
      response.end(body);
    } catch {
      response.writeHead(404, { "content-type": "text/plain" }).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
