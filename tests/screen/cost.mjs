// What recording costs the page that is recorded, beside rrweb's own recorder and beside none: `npm run cost:screen`. Not part of CI, because it measures
// time. Prints the table that docs/screen-share.md has.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

import { stage } from "./support/stage.mjs";

const RRWEB = join(createRequire(import.meta.url).resolve("rrweb"), "../rrweb.umd.min.cjs");
const ROUNDS = Number(process.env.SPORTELLO_ROUNDS ?? 3);
const ROWS = 1_430;
const ROWS_A_FRAME = 200;
const MUTATING_MS = 5_000;

/** In the page: about 10,000 elements, with fields, links, buttons and 500 rules. */
function furnish(rows) {
  const frame = document.createElement("div");
  for (let index = 0; index < rows; index++) {
    const row = document.createElement("div");
    row.className = `row r${index}`;
    row.innerHTML = `<span class=a>name ${index}</span><a href="/x/${index}">link</a><button type=button>ok</button><p>some text <b>bold</b></p><input value="abc">`;
    frame.append(row);
  }
  const style = document.createElement("style");
  style.textContent = Array.from({ length: 500 }, (_, index) => `.r${index} { color: #${(index + 100).toString(16).padStart(3, "0")}; margin: ${index % 7}px }`).join("\n");
  document.head.append(style);
  document.body.append(frame);
}

/** In the page: one run; `who` is "none", "rrweb" or "ours". */
async function measure({ who, rowsAFrame, mutating_ms }) {
  const long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => Math.round(entry.duration))));
  observer.observe({ entryTypes: ["longtask"] });
  // What the debugger runs is no task of the page's.
  await new Promise((resolve) => setTimeout(resolve, 100));
  let bytes = 0;
  let complete_ms = 0;
  const started = performance.now();
  const count = (event) => {
    // As it would be sent, and counted as part of the cost.
    bytes += JSON.stringify(event).length;
  };
  const starts = {
    none: () => () => {},
    rrweb: () => globalThis.rrweb.record({ emit: count, maskAllInputs: true }),
    ours: () => {
      const recording = globalThis.recorder.record({
        emit: (events) => {
          count(events);
          if (events.some(({ data }) => data.tag === "sportello.complete")) complete_ms = performance.now() - started;
        },
      });
      return () => recording.stop();
    },
  };
  const stop = starts[who]();
  const blocked_ms = performance.now() - started;
  if (who === "rrweb") complete_ms = blocked_ms;
  for (let waited = 0; who === "ours" && complete_ms === 0 && waited < 200; waited++) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const beginning = { long: long.splice(0), bytes, complete_ms, blocked_ms };
  bytes = 0;
  const rows = [...document.querySelectorAll(".row")];
  let frames = 0;
  let waits = [];
  let previous = performance.now();
  const begun = previous;
  await new Promise((done) => {
    const frame = () => {
      for (let index = 0; index < rowsAFrame; index++) {
        const row = rows[(frames * rowsAFrame + index) % rows.length];
        row.children[0].textContent = `name ${frames}`;
        row.children[3].innerHTML = `some <b>x${frames}</b>`;
      }
      frames++;
      const now = performance.now();
      waits.push(now - previous);
      previous = now;
      if (now - begun < mutating_ms) requestAnimationFrame(frame);
      else done();
    };
    requestAnimationFrame(frame);
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  stop();
  observer.disconnect();
  waits = waits.sort((one, other) => one - other);
  return { beginning, mutating: { long, bytes, frames, slowest_ms: waits[Math.floor(waits.length * 0.99)] } };
}

const scene = await stage();
const rows = [];
for (const throttle of [1, 4]) {
  for (const who of ["none", "rrweb", "ours"]) {
    const runs = [];
    for (let round = 0; round < ROUNDS; round++) {
      const page = await scene.page("<!DOCTYPE html><body></body>");
      await page.evaluate(furnish, ROWS);
      if (who === "rrweb") await page.evaluate(await readFile(RRWEB, "utf8"));
      if (who === "ours") await page.evaluate(async () => (globalThis.recorder = await import("/pkg/screen-recorder.js")));
      await page.waitForTimeout(500);
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Performance.enable");
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: throttle });
      const script = async () => (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "ScriptDuration").value * 1000;
      const before = await script();
      const run = await page.evaluate(measure, { who, rowsAFrame: ROWS_A_FRAME, mutating_ms: MUTATING_MS });
      run.elements = await page.evaluate(() => document.querySelectorAll("*").length);
      run.script_ms = (await script()) - before;
      runs.push(run);
      await page.context().close();
    }
    // The middle one by frames.
    runs.sort((one, other) => one.mutating.frames - other.mutating.frames);
    rows.push({ throttle, who, ...runs[Math.floor(runs.length / 2)] });
  }
}
await scene.close();

const sum = (list) => list.reduce((total, one) => total + one, 0);
const long = (list) => (list.length === 0 ? "none" : `${list.length}, ${Math.max(...list)} ms at most, ${sum(list)} ms in all`);
const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;
console.log(`${rows[0].elements} elements; ${ROWS_A_FRAME} rows change in each frame for ${MUTATING_MS / 1000} s; median of ${ROUNDS} runs\n`);
console.log("| processor | recorder | long tasks at the start | the whole page is told after | JSON | long tasks while it changes | frames in 5 s | 99 % of frames within | JSON | script |");
console.log("|---|---|---|---|---|---|---|---|---|---|");
for (const { throttle, who, beginning, mutating, script_ms } of rows) {
  const told = who === "none" ? "" : `${Math.round(beginning.complete_ms)} ms`;
  console.log(
    `| ${throttle === 1 ? "full" : `${throttle}× slower`} | ${who} | ${long(beginning.long)} | ${told} | ${kb(beginning.bytes)} | ${long(mutating.long)} | ${mutating.frames} | ${Math.round(mutating.slowest_ms)} ms | ${kb(mutating.bytes)} | ${Math.round(script_ms)} ms |`,
  );
}
