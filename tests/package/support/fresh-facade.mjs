// A copy of the package's JavaScript beside a fake core, so that each test has module state of its own.
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const TEMPLATE = fileURLToPath(new URL("../../../pkg-template/", import.meta.url));
const FAKE_CORE = fileURLToPath(new URL("fake-core.js", import.meta.url));

/** The shortest valid module: magic number and version. */
export const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

export async function freshFacade(context) {
  const folder = await mkdtemp(join(tmpdir(), "sportello-facade-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const files = (await readdir(TEMPLATE)).filter((file) => file.endsWith(".js") || file === "package.json");
  await Promise.all(files.map((file) => cp(join(TEMPLATE, file), join(folder, file))));
  await cp(FAKE_CORE, join(folder, "sportello_core.js"));
  await writeFile(join(folder, "sportello_core_bg.wasm"), EMPTY_WASM);
  const address = (file) => pathToFileURL(join(folder, file)).href;
  const { fake, Chat } = await import(address("sportello_core.js"));
  return { folder, address, fake, Chat, ...(await import(address("index.js"))) };
}
