// Reads a PDF back with pdf.js: its words, its links, and whether a glyph is missing; and draws a page in the browser, to be looked at.

import { readFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { getDocument, OPS } from "pdfjs-dist/legacy/build/pdf.mjs";

import { SCREENSHOT_DIR } from "./paths.mjs";

const { resolve } = createRequire(import.meta.url);
/** The glyph of a font that stands for what it has not. */
const NOTDEF = 0;

/** `{ pages, text, links, glyphs, missing }`; `missing` lists the fonts and words of glyphs that are not there. */
export async function readPdf(bytes) {
  const document = await getDocument({ data: new Uint8Array(bytes), useSystemFonts: false, verbosity: 0 }).promise;
  const read = { pages: document.numPages, title: (await document.getMetadata()).info.Title, text: "", links: [], glyphs: 0, missing: [], pictures: 0 };
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    read.text += `${items.map(({ str, hasEOL }) => str + (hasEOL ? "\n" : "")).join("")}\n`;
    read.links.push(...(await page.getAnnotations()).map(({ url }) => url).filter(Boolean));
    const { fnArray, argsArray } = await page.getOperatorList();
    let font;
    fnArray.forEach((operation, at) => {
      if (operation === OPS.setFont) font = page.commonObjs.get(argsArray[at][0]);
      if (operation === OPS.paintImageXObject) read.pictures += 1;
      if (operation !== OPS.showText) return;
      for (const glyph of argsArray[at][0].filter((glyph) => typeof glyph === "object")) {
        read.glyphs += 1;
        // Pictures are glyphs of fonts whose numbers mean nothing.
        const isMissing = !font.isType3Font && (glyph.originalCharCode === NOTDEF || (glyph.isInFont === false && glyph.unicode.trim() !== ""));
        if (isMissing) read.missing.push(`${font.name}: ${glyph.unicode}`);
      }
    });
  }
  await document.destroy();
  return read;
}

/** Saves pictures of the pages as `<name>-<page>.png`; only where a folder for them is named. Gives how much of the first page is not white, in thousandths. */
export async function drawPdf(browser, bytes, name) {
  const [script, worker] = await Promise.all(["pdf.min.mjs", "pdf.worker.min.mjs"].map((file) => readFile(resolve(`pdfjs-dist/legacy/build/${file}`), "utf8")));
  const page = await browser.newPage();
  try {
    const pictures = await page.evaluate(
      async ({ script, worker, base64 }) => {
        const address = (source) => URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        const pdfjs = await import(address(script));
        pdfjs.GlobalWorkerOptions.workerSrc = address(worker);
        const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const document = await pdfjs.getDocument({ data, useSystemFonts: false }).promise;
        const pictures = [];
        for (let number = 1; number <= document.numPages; number += 1) {
          const page = await document.getPage(number);
          const viewport = page.getViewport({ scale: 1.5 });
          const canvas = Object.assign(globalThis.document.createElement("canvas"), { width: viewport.width, height: viewport.height });
          const context = canvas.getContext("2d");
          await page.render({ canvasContext: context, viewport }).promise;
          const { data: pixels } = context.getImageData(0, 0, canvas.width, canvas.height);
          let inked = 0;
          for (let at = 0; at < pixels.length; at += 4) if (pixels[at] + pixels[at + 1] + pixels[at + 2] < 720) inked += 1;
          pictures.push({ png: canvas.toDataURL("image/png").split(",")[1], inked: Math.round((4_000 * inked) / pixels.length) });
        }
        return pictures;
      },
      { script, worker, base64: Buffer.from(bytes).toString("base64") },
    );
    if (SCREENSHOT_DIR) {
      await mkdir(SCREENSHOT_DIR, { recursive: true });
      await Promise.all(pictures.map(({ png }, at) => writeFile(join(SCREENSHOT_DIR, `${name}-${at + 1}.png`), Buffer.from(png, "base64"))));
    }
    return pictures[0].inked;
  } finally {
    await page.close();
  }
}
