// Random schedules: a plan is plain data that its seed makes again, whatever happened when it was carried out. Each plan draws on a few kinds
// of trouble only, so that each meets every other undisturbed by the rest. Carries nothing out.

import { randomFrom } from "./random.mjs";

/**
 * What the package and the gateway offer. A kind that is false is never planned.
 */
export const OFFERED = {
  /** `reconnect.connectTimeoutMs` and `reconnect.probeTimeoutMs`. */
  connectTimeout: true,
  /** Streams by server-sent events: WebSockets may be blocked for good. */
  serverSentEvents: true,
  /** An open tab sends what a closed one left. */
  sharedOutbox: true,
  /** `authenticate` is given up after a while. */
  authenticateTimeout: true,
  /** `sendFileMessage`. */
  files: true,
  /** `resumeChat`, and a gateway that dismisses. */
  resume: true,
};

/** Every kind of trouble; those that are not faults of the network are counted by the run. */
export const TROUBLES = [
  "reset",
  "halfOpen",
  "silence",
  "refuse",
  "latency",
  "status401",
  "status429",
  "status503",
  "opaque503",
  "lostAnswer",
  "cutAnswer",
  "cutFrame",
  "streamRefused",
  "streamHangs",
  "reload",
  "closeTab",
  "openTab",
  "offline",
  "freeze",
  "front",
  "authFails",
  "abort",
  ...(OFFERED.serverSentEvents ? ["blockedForGood"] : []),
  ...(OFFERED.authenticateTimeout ? ["authHangs"] : []),
  ...(OFFERED.files ? ["file"] : []),
  ...(OFFERED.resume ? ["dismissed"] : []),
];

const MOST_TABS = 3;

/** The plan of a seed: how the chat and the client are set up, and the steps with the pause before each. */
export function makePlan(seed) {
  const random = randomFrom(seed);
  const troubles = random.some(TROUBLES, 0.28);
  const plan = {
    seed,
    troubles,
    tabs: random.weighted([[3, 1], [4, 2], [3, 3]]),
    menu: random.chance(0.2) ? "virtualAgent" : "person",
    options: {
      sendTimeoutMs: random.chance(0.15) ? random.int(300, 1500) : 60_000,
      callTimeoutMs: random.int(500, 1000),
      historyLimit: random.chance(0.2) ? random.int(1, 20) : 10_000,
      reconnect: { initialMs: random.int(10, 40), maxMs: random.int(60, 200), connectTimeoutMs: random.int(300, 600), probeTimeoutMs: random.int(100, 300) },
    },
    resumes: random.chance(0.5),
    blockedForGood: troubles.includes("blockedForGood"),
    steps: [],
  };
  const state = {
    live: Array.from({ length: plan.tabs }, (_, at) => "abcdefgh"[at]),
    next: plan.tabs,
    frozen: new Set(),
    offline: false,
  };
  const count = random.int(12, 24);
  while (plan.steps.length < count) {
    const step = nextStep(random, plan, state);
    if (step) plan.steps.push({ pauseMs: random.weighted([[5, 0], [4, random.int(1, 40)], [1, random.int(40, 250)]]), ...step });
  }
  return plan;
}

function nextStep(random, plan, state) {
  const awake = state.live.filter((tab) => !state.frozen.has(tab));
  if (state.offline && random.chance(0.4)) {
    state.offline = false;
    return { do: "online" };
  }
  if (state.frozen.size > 0 && random.chance(0.25)) {
    const tab = random.pick([...state.frozen]);
    state.frozen.delete(tab);
    return { do: "thaw", tab };
  }
  const ordinary = random.weighted([[8, "send"], [plan.menu === "person" ? 5 : 0, "agent"], [2, "fetch"], [1, "listen"], [1, "heal"], [9, null]]);
  if (ordinary === "send") return { do: "send", tab: random.pick(awake), count: random.weighted([[5, 1], [3, random.int(2, 4)], [1, 8]]), by: random.pick(["client", "chat"]) };
  if (ordinary === "agent") return { do: "agent", count: random.weighted([[5, 1], [3, random.int(2, 5)], [1, 20]]) };
  if (ordinary === "fetch") return { do: "fetch", tab: random.pick(awake) };
  if (ordinary === "listen") return { do: "listen", tab: random.pick(awake) };
  if (ordinary === "heal") return { do: "heal" };
  return TROUBLE[random.pick(plan.troubles)]?.({ random, state, awake }) ?? null;
}

/** How each kind of trouble becomes a step; null where it cannot now. */
const TROUBLE = {
  reset: () => ({ do: "reset" }),
  halfOpen: () => ({ do: "halfOpen" }),
  silence: () => ({ do: "silence" }),
  refuse: () => ({ do: "refuse" }),
  latency: ({ random }) => ({ do: "latency", ms: random.int(5, 120) }),
  status401: ({ random }) => ({ do: "answer", status: 401, count: random.int(1, 4) }),
  status429: ({ random }) => ({ do: "answer", status: 429, count: random.int(1, 3), retryAfterS: random.weighted([[9, 0], [1, 1]]) }),
  status503: ({ random }) => ({ do: "answer", status: 503, count: random.int(1, 4), retryAfterS: random.weighted([[4, undefined], [5, 0], [1, 1]]) }),
  opaque503: ({ random }) => ({ do: "answer", status: 503, count: random.int(1, 3), opaque: true }),
  lostAnswer: ({ random }) => ({ do: "loseAnswers", count: random.int(1, 3) }),
  cutAnswer: ({ random }) => ({ do: "cutAnswers", count: random.int(1, 3) }),
  cutFrame: ({ random }) => ({ do: "cutFrames", count: random.int(1, 2) }),
  streamRefused: () => ({ do: "blockStreams", how: "refuse" }),
  streamHangs: () => ({ do: "blockStreams", how: "hang" }),
  // What is not reachable cannot be loaded either.
  reload: ({ random, state, awake }) =>
    state.offline ? null : { do: "reload", tab: random.pick(awake), sending: random.int(0, 3) },
  closeTab: ({ random, state, awake }) => {
    if (awake.length < 2) return null;
    const tab = random.pick(awake);
    state.live.splice(state.live.indexOf(tab), 1);
    return { do: "closeTab", tab, sending: random.int(0, 2) };
  },
  openTab: ({ state }) => {
    if (state.offline || state.live.length >= MOST_TABS || state.next >= 8) return null;
    const tab = "abcdefgh"[state.next];
    state.next += 1;
    state.live.push(tab);
    return { do: "openTab", tab };
  },
  offline: ({ state }) => {
    if (state.offline) return null;
    state.offline = true;
    return { do: "offline" };
  },
  freeze: ({ random, state, awake }) => {
    if (awake.length < 2) return null;
    const tab = random.pick(awake);
    state.frozen.add(tab);
    return { do: "freeze", tab };
  },
  front: ({ random, awake }) => ({ do: "front", tab: random.pick(awake) }),
  authFails: ({ random, awake }) => ({ do: "authFails", tab: random.pick(awake), count: random.int(1, 3) }),
  authHangs: ({ random, awake }) => ({ do: "authHangs", tab: random.pick(awake), count: 1 }),
  abort: ({ random, awake }) => ({ do: "send", tab: random.pick(awake), count: random.int(1, 3), by: "client", abortAfterMs: random.int(0, 60) }),
  file: ({ random, awake }) => ({ do: "file", tab: random.pick(awake), pixels: random.int(1, 60) }),
  // The gateway does it, where nobody writes for long enough.
  dismissed: ({ random }) => ({ do: "rest", ms: random.int(500, 900) }),
};
