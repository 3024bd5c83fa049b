// The rules of axe-core on a page as it stands, in light and dark.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Fails with the rule, the place and the reason of each violation. */
export async function check(page, state) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // Through the debugger, because the page's own policy lets no foreign script in.
    const violations = await page.evaluate(
      async ({ source, tags }) => {
        if (!globalThis.axe) (0, eval)(source);
        const { violations } = await globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(" | ")}`);
      },
      { source: AXE, tags: RULES },
    );
    assert.deepEqual(violations, [], `${state}, ${colorScheme}`);
  }
}
