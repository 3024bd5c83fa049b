// The desk sees the page as it is, masked: random changes, slices of a few nodes at any moment between them, and rrweb's own player. Each run prints its
// seed; SPORTELLO_SEED repeats one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Sanitiser } from "../../screen/replay/sanitise.js";
import { stage } from "./support/stage.mjs";

const SEED = Number(process.env.SPORTELLO_SEED ?? Math.floor(Math.random() * 1e9));
const RUNS = Number(process.env.SPORTELLO_RUNS ?? 12);
const ROUNDS = 25;
const HTML = "<!DOCTYPE html><html lang=en><head><title>Page</title><style>.a { color: red; }</style></head><body></body></html>";

let scene;
let player;
before(async () => {
  scene = await stage();
  player = await scene.player();
});
after(() => scene?.close());

/** One life of a page: its rounds of changes, each compared when everything is told. */
async function live(seed, { sanitised }) {
  const page = await scene.recorded(HTML);
  await player.start();
  const sanitiser = new Sanitiser();
  const show = async (events) => {
    const shown = sanitised ? events.map((event) => sanitiser.clean(event)).filter(Boolean) : events;
    assert.deepEqual(await player.play(shown), [], `seed ${seed}: the player complains`);
  };
  await page.evaluate(async (number) => {
    globalThis.random = await import("/support/random-page.js");
    globalThis.oracle = await import("/support/expected.js");
    globalThis.random.seed(number);
    globalThis.random.furnish();
    globalThis.share.start({ budget: 1 + (number % 7), redactedViews: [".redacted"], unredactedViews: [".unredacted"] });
  }, seed);
  let steps = 0;
  let history = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { events, expected, changes, errors } = await page.evaluate(async (count) => {
      const changes = [];
      for (let burst = 0; burst < count; burst++) {
        changes.push(...globalThis.random.change(1 + (burst % 3)));
        // Sometimes the observer is heard in between, sometimes not; and sometimes the slices are in the middle of something.
        if (burst % 2 === 0) await null;
        globalThis.share.slices(burst % 5);
      }
      if (count === 7) globalThis.share.resync();
      const events = await globalThis.share.settle();
      return { events, expected: globalThis.oracle.expected(), changes, errors: globalThis.share.errors };
    }, 3 + (round % 5));
    steps += changes.length;
    history = [...history.slice(-40), ...changes, "|"];
    await show(events);
    assert.deepEqual(errors, [], page.problems.join("\n"));
    assert.deepEqual(await player.tree(), expected, `seed ${seed}, round ${round}, after ${history.join(" ")}`);
  }
  assert.deepEqual(page.problems, []);
  await page.context().close();
  return steps;
}

test(`the shown page is the masked page after each of many random changes (seed ${SEED})`, async () => {
  let steps = 0;
  for (let run = 0; run < RUNS; run++) steps += await live(SEED + run, { sanitised: run % 3 === 2 });
  assert.ok(steps > 300, `${steps} changes`);
  console.log(`# ${steps} random changes, seed ${SEED}`);
});
