// Makes docs/contract.md from the rows and the notes. A row of what is there needs evidence, and a response field more than one value.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { contractRows } from "./rows.mjs";

/** Fields whose one value is all there is, and why. */
const ONE_VALUE = {
  "ChatHistoryItem.comm_type": "only chats are in the history",
  "ChatHistoryItem.timezone": "times are UTC, and the field says so",
  "ChatHistoryResponse.pagination.per_page": "a constant of the embedded platform",
};

const TITLES = { method: "Methods", event: "Events", request: "Request fields", response: "Response fields" };

/** Every note of a folder: a map from row to `{ tests, values }`. */
export async function readNotes(folder) {
  const evidence = new Map();
  for (const file of (await readdir(folder)).sort()) {
    const { test, notes } = JSON.parse(await readFile(join(folder, file), "utf8"));
    for (const { row, value } of notes) {
      if (!evidence.has(row)) evidence.set(row, { tests: new Set(), values: new Set() });
      evidence.get(row).tests.add(test);
      if (value !== undefined) evidence.get(row).values.add(value);
    }
  }
  return evidence;
}

/** `{ text, missing }`: the document, and what keeps rows of what is there from counting. */
export function report(evidence) {
  const rows = contractRows();
  const missing = [];
  const line = ({ id, kind }) => {
    const found = evidence.get(id);
    if (!found) {
      missing.push(`${kind} ${id}: no test called it and compared the result`);
      return `| \`${id}\` | **no evidence** |`;
    }
    if (kind === "response" && found.values.size < 2 && !(id in ONE_VALUE)) missing.push(`${kind} ${id}: only one value, ${[...found.values][0]}`);
    return `| \`${id}\` | ${[...found.tests].sort().join("; ")}${id in ONE_VALUE ? ` (${ONE_VALUE[id]})` : ""} |`;
  };
  const sections = Object.entries(TITLES).map(([kind, title]) => {
    const own = rows.filter((row) => row.kind === kind);
    const there = own.filter(({ id }) => evidence.has(id)).length;
    return `## ${title}: ${there} of ${own.length}\n\n| row | asserted by |\n|---|---|\n${own.map(line).join("\n")}\n`;
  });
  const text = `# The contract, row by row

Made by the test run (\`cargo xtask test --only contract\`); do not edit. The rows are read from the documented declarations
(\`tests/types/contract/headless-client.d.ts\`). A row counts only where a test of \`tests/contract/\` called it over HTTP, with the packed client in a browser
and a real gateway, and compared the result; a response field needs more than one value.

${sections.join("\n")}`;
  return { text, missing };
}
