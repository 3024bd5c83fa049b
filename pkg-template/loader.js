// Loads the core (wasm-bindgen's glue and the WebAssembly module) once per page, when asked to. Never caches a failure.
import { sportelloError } from "./errors.js";
import { guardCore } from "./guard.js";
import { dispatch, log } from "./logger.js";

let loading;
let given;
let pause;

/** A `source` is remembered for later tries, and ignored once loaded. */
export function loadCore(source) {
  given = source ?? given;
  loading ??= load().catch((cause) => {
    loading = undefined;
    // For who tries again in an `error` listener.
    pause = new Promise((resolve) => setTimeout(resolve, 500));
    log("error", "the WebAssembly module could not be loaded");
    throw sportelloError("wasm_load_failed", "The WebAssembly module could not be loaded.", cause);
  });
  return loading;
}

export async function initWasm(source) {
  await loadCore(source);
}

async function load() {
  await pause;
  // At the same time: the module is compiled while it downloads.
  const [core, module_or_path] = await Promise.all([import("./sportello_core.js"), compileAny()]);
  await core.default({ module_or_path });
  core.setChunks({
    events: () => import("./events.js"), files: () => import("./files.js"), more: () => import("./more.js"),
  });
  guardCore(core);
  core.setLogHandler(dispatch);
  return core;
}

async function compileAny() {
  const source = await (typeof given === "function" ? given() : given);
  if (source !== undefined) return compile(source);
  let failure;
  for (const url of defaultUrls()) {
    try {
      return await compile(url);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

// Bundlers emit the file for `new URL(…, import.meta.url)`. Vite's development server does not: it moves this code to
// `node_modules/.vite/deps/` and leaves the file where it was installed.
function defaultUrls() {
  const beside = new URL("./sportello_core_bg.wasm", import.meta.url);
  const moved = /^(.*?\/)(node_modules\/)?\.vite\//.exec(import.meta.url);
  return moved ? [new URL(`${moved[1]}node_modules/sportello/sportello_core_bg.wasm`), beside] : [beside];
}

// Whether it is WebAssembly is for the compiler to say; its type only decides about streaming.
async function compile(source) {
  if (typeof source === "string" || source instanceof URL) source = await open(source);
  if (source instanceof WebAssembly.Module) return source;
  if (!(source instanceof Response)) return WebAssembly.compile(source);
  if (!source.ok) throw new Error(`HTTP status ${source.status}`);
  return WebAssembly.compileStreaming && /^application\/wasm$/i.test(source.headers.get("content-type"))
    ? WebAssembly.compileStreaming(source)
    : WebAssembly.compile(await source.arrayBuffer());
}

// Node cannot fetch a file. `getBuiltinModule` is invisible to bundlers, unlike an import.
function open(url) {
  const node = String(url).startsWith("file:") && globalThis.process?.getBuiltinModule?.("node:fs/promises");
  return node ? node.readFile(new URL(url)) : fetch(url);
}
