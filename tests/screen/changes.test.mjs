// What a slice found out goes into events that a player can apply as it does: removals first, then additions, texts and attributes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Changes } from "../../screen/recorder/changes.js";

/** Entries as the tree keeps them: a body with a list, and two items in it. */
function page() {
  const body = { id: 1, parent: null };
  const list = { id: 2, parent: body };
  return { body, list, first: { id: 3, parent: list }, second: { id: 4, parent: list } };
}

/** The events that `play` leads to, as short words in the order in which a player applies them. */
function played(play) {
  const events = [];
  const changes = new Changes((event) => events.push(event.data));
  const entries = page();
  play(changes, entries);
  changes.flush();
  return events.map(({ removes, adds, texts, attributes }) => [
    ...removes.map(({ id }) => `-${id}`),
    ...adds.map(({ node, nextId }) => `+${node.id}${nextId === null ? "" : `<${nextId}`}`),
    ...texts.map(({ id }) => `text ${id}`),
    ...attributes.map(({ id }) => `attributes ${id}`),
  ]);
}

const add = (changes, entry, next) => changes.add(entry, next ?? null, { id: entry.id });

test("nothing is removed by the event that spoke of it before", () => {
  const table = [
    ["added, then removed", (changes, { first }) => (add(changes, first), changes.remove(first)), [["+3"], ["-3"]]],
    ["a text, then removed", (changes, { first }) => (changes.text(first, "a"), changes.remove(first)), [["text 3"], ["-3"]]],
    ["attributes, then removed", (changes, { first }) => (changes.attributes(first, {}), changes.remove(first)), [["attributes 3"], ["-3"]]],
    ["added, then its parent removed", (changes, { first, list }) => (add(changes, first), changes.remove(list)), [["+3"], ["-2"]]],
    ["a text, then its grandparent removed", (changes, { first, body }) => (changes.text(first, "a"), changes.remove({ ...body, parent: { id: 0 }, spoken: body.spoken })), [["text 3"], ["-1"]]],
    ["a place before it taken, then removed", (changes, { first, second }) => (add(changes, first, second), changes.remove(second)), [["+3<4"], ["-4"]]],
  ];
  for (const [name, play, expected] of table) assert.deepEqual(played(play), expected, name);
});

test("what has nothing to do with each other shares an event", () => {
  assert.deepEqual(played((changes, { first, second }) => (changes.remove(first), add(changes, second), changes.text(second, "a"))), [["-3", "+4", "text 4"]]);
  assert.deepEqual(played((changes, { first, second }) => (changes.text(first, "a"), changes.remove(second))), [["-4", "text 3"]]);
});

test("an event that was begun anew may remove what the one before spoke of, and nothing is an event of its own", () => {
  assert.deepEqual(played((changes, { first }) => (changes.text(first, "a"), changes.flush(), changes.flush(), changes.remove(first))), [["text 3"], ["-3"]]);
  assert.deepEqual(played((changes, { first }) => (changes.text(first, "a"), changes.clear())), []);
});
