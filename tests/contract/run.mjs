// Runs the tests of this folder and writes docs/contract.md from what they asserted. Fails where a row of what is there has no evidence, or
// where the committed document says something else; SPORTELLO_UPDATE=1 writes it anew.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readNotes, report } from "./support/report.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DOCUMENT = fileURLToPath(new URL("../../docs/contract.md", import.meta.url));

const folder = await mkdtemp(join(tmpdir(), "sportello-ledger-"));
try {
  const files = (await readdir(HERE)).filter((file) => file.endsWith(".test.mjs")).map((file) => join(HERE, file));
  const runner = spawn(process.execPath, ["--no-concurrent-recompilation", "--test", "--test-timeout=900000", ...files], { stdio: "inherit", env: { ...process.env, SPORTELLO_LEDGER: folder } });
  const [code] = await once(runner, "exit");
  if (code !== 0) process.exit(code ?? 1);
  const { text, missing } = report(await readNotes(folder));
  const committed = await readFile(DOCUMENT, "utf8").catch(() => "");
  if (process.env.SPORTELLO_UPDATE) await writeFile(DOCUMENT, text);
  if (missing.length > 0) {
    console.error(`${missing.length} rows of the contract without evidence:\n${missing.join("\n")}`);
    process.exit(1);
  }
  if (!process.env.SPORTELLO_UPDATE && committed !== text) {
    console.error("docs/contract.md is not what the tests assert now: SPORTELLO_UPDATE=1 npm run test:contract writes it");
    process.exit(1);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
