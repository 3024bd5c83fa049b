// The account finds what it is there to find: each case spoils a schedule that is in order, in one way.

import assert from "node:assert/strict";
import { test } from "node:test";

import { account } from "./account.mjs";

const stored = (index, id, user = "end_user") => ({ $index: index, $sid: `s${index}`, $userType: user, type: "text", content: `${id} text`, client_id: `k-${id}` });
const heard = (index) => ({ kind: "message", index, sid: `s${index}` });

/** Two messages of tab a, one of the agent, one left behind by a page that was reloaded. */
function inOrder() {
  return {
    store: [stored(1, "c-a-1"), stored(2, "g-1", "agent"), stored(3, "c-a-2"), stored(4, "c-a-3")],
    agent: [{ id: "g-1", index: 2 }],
    lives: [
      {
        life: "a1",
        slot: "a",
        alive: false,
        notes: [
          { kind: "loaded", chatId: 1, lastIndex: 0 },
          { kind: "listen", number: 1 },
          { kind: "send", id: "c-a-1" },
          heard(1),
          { kind: "heard", number: 1, index: 1 },
          { kind: "sent", id: "c-a-1", index: 1 },
          { kind: "delivery", id: "c-a-1", clientId: "k-c-a-1", state: "sent", index: 1 },
          { kind: "send", id: "c-a-2" },
        ],
      },
      {
        life: "a2",
        slot: "a",
        alive: true,
        summary: { indexes: [3, 4], outbox: 0, stored: 0 },
        notes: [
          { kind: "loaded", chatId: 1, lastIndex: 1 },
          { kind: "fetch", number: 1 },
          { kind: "fetched", number: 1, list: [[1, "s1"], [2, "s2"]] },
          heard(3),
          { kind: "send", id: "c-a-3" },
          { kind: "sent", id: "c-a-3", index: null },
          heard(4),
        ],
      },
    ],
  };
}

test("a schedule in order has no problems, and its counts say what it was", () => {
  const { problems, counts } = account(inOrder());
  assert.deepEqual(problems, []);
  assert.deepEqual(counts, { sent: 4, acknowledged: 3, gaveUp: 0, outlived: 1, stored: 4, heard: 3, lost: 0, repeated: 0, misordered: 0, other: 0 });
});

const SPOILED = {
  "an acknowledged message that is not stored": ["lost", (run) => run.store.splice(2, 2)],
  "a message that a page left and nobody stored": ["lost", (run) => run.store.splice(2, 1, stored(3, "x"))],
  "a message that is stored twice": ["repeated", (run) => run.store.push(stored(5, "c-a-3"))],
  "a hole in the store": ["lost", (run) => run.store.splice(1, 1)],
  "messages of one tab in another order": ["misordered", (run) => run.store.splice(2, 2, stored(3, "c-a-3"), stored(4, "c-a-2"))],
  "an acknowledgement with another index": ["misordered", (run) => (run.agent[0].index = 3)],
  "a message that a listener did not hear": ["lost", (run) => run.lives[1].notes.splice(3, 1)],
  "a message that a listener heard twice": ["repeated", (run) => run.lives[1].notes.push(heard(4))],
  "a message that was emitted although a fetch returned it": ["repeated", (run) => run.lives[1].notes.splice(3, 0, heard(2))],
  "a fetch that misses a message": ["lost", (run) => run.lives[1].notes[2].list.shift()],
  "a message that was heard while a fetch was in flight": ["misordered", (run) => run.lives[1].notes.splice(2, 0, heard(2))],
  "a message with another's place": ["misordered", (run) => (run.lives[1].notes[3].sid = "s9")],
  "a second listener that missed one": ["lost", (run) => run.lives[0].notes.splice(4, 1, heard(2), { kind: "heard", number: 1, index: 2 })],
  "a send that is never settled": ["lost", (run) => run.lives[1].notes.splice(5, 1)],
  "a rejection without a type": ["other", (run) => (run.lives[1].notes[5] = { kind: "rejected", id: "c-a-3", code: "TypeError", typed: false })],
  "a message that nobody sent": ["other", (run) => run.store.push(stored(5, "c-z-1"))],
  "text that stays in storage": ["other", (run) => (run.lives[1].summary.stored = 1)],
  "a picture with other bytes": ["lost", (run) => (run.lives[1].notes[4].digest = "00")],
  "a delivery at another's place": ["misordered", (run) => (run.lives[0].notes[6].index = 2)],
};

for (const [name, [kind, spoil]] of Object.entries(SPOILED)) {
  test(`found: ${name}`, () => {
    const run = inOrder();
    spoil(run);
    const { problems } = account(run);
    assert.ok(problems.some((problem) => problem.kind === kind), JSON.stringify(problems));
  });
}
