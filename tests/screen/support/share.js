// In a page that is recorded: starts the recorder with a clock that the test moves, so that a slice is as long as the test says and comes when it says.

import { record } from "/pkg/screen-recorder.js";

const scheduled = new Map();
const later = new Map();
const every = new Map();
let next = 1;
let time_ms = 0;

const keep = (map, run) => {
  const key = next++;
  map.set(key, run);
  return () => map.delete(key);
};

function runAll(map) {
  for (const [key, run] of [...map]) {
    map.delete(key);
    run();
  }
}

export const events = [];
export const errors = [];
export const batches = [];
let recording;

/** Each question for the time costs a millisecond: `budget` is about the number of nodes of a slice. */
export function start({ budget = 3, ...options } = {}) {
  const clock = {
    now: () => time_ms++,
    schedule: (run) => keep(scheduled, run),
    later: (run) => keep(later, run),
    every: (run) => keep(every, run),
    budget_ms: budget,
  };
  const emit = (batch) => {
    batches.push(batch.length);
    // As it would travel.
    events.push(...JSON.parse(JSON.stringify(batch)));
  };
  recording = record({ emit, onError: (error) => errors.push(error.message), clock, ...options });
  return recording;
}

export const stop = () => recording.stop();
export const resync = () => recording.resync();
export const pause = () => recording.pause();
export const resume = () => recording.resume();

/** Runs so many slices, if there is work. */
export function slices(count) {
  for (let done = 0; done < count && scheduled.size > 0; done++) runAll(scheduled);
}

const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

/** Everything that there is to do is done, also what is only found by looking; gives the events that came. */
export async function settle({ frames = 1 } = {}) {
  for (let round = 0; round < 2; round++) {
    for (let waited = 0; waited < frames; waited++) await frame();
    for (const run of every.values()) run();
    let slices = 0;
    for (; scheduled.size > 0; slices++) {
      if (slices > 1_000_000) throw new Error("the recorder comes to no end");
      runAll(scheduled);
      if (slices % 1000 === 999) await frame();
    }
  }
  runAll(later);
  return events.splice(0);
}

/** Whether anything waits to be done. */
export const isBusy = () => scheduled.size > 0;
