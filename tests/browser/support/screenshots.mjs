// Pictures of a page at a telling moment: light and dark, narrow and wide. Only where a folder for them is named; nothing is compared.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { SCREENSHOT_DIR } from "./paths.mjs";

const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 800 } };

/** Saves `<name>-<size>-<colours>.png` for each size and colours, and leaves the page as it was. */
export async function picture(page, name) {
  if (!SCREENSHOT_DIR) return;
  await mkdir(SCREENSHOT_DIR, { recursive: true });
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: join(SCREENSHOT_DIR, `${name}-${size}-${colorScheme}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before) await page.setViewportSize(before);
}
