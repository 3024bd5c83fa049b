// Runs the tests of this folder and writes docs/contract.md from what they asserted. Fails where a row of what is there has no evidence, or
// where the committed document says something else; SPORTELLO_UPDATE=1 writes it anew.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { runFiles } from "../run.mjs";
import { readNotes, report } from "./support/report.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DOCUMENT = fileURLToPath(new URL("../../docs/contract.md", import.meta.url));

const folder = await mkdtemp(join(tmpdir(), "sportello-ledger-"));
try {
  const files = (await readdir(HERE)).filter((file) => file.endsWith(".test.mjs")).map((file) => join(HERE, file));
  const failed = await runFiles(files, { minutes: 15, env: { SPORTELLO_LEDGER: folder } });
  if (failed.length > 0) process.exit(1);
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
