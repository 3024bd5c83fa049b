// The evidence behind docs/contract.md: what a test called over HTTP and compared with what it expected. Nothing is noted unless the comparison
// held, so a row cannot be claimed without it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

/** Where the notes go; `run.mjs` sets it. Without it the tests run as usual and note nothing. */
const FOLDER = process.env.SPORTELLO_LEDGER;

/** In an expectation: the value may be anything that the function accepts. */
export const holds = (what, accepts) => ({ [HOLDS]: accepts, what });
const HOLDS = Symbol("holds");

/** In an expected object: members that are not named may be there too. They are no evidence. */
export const REST = Symbol("rest");

export const aWholeNumber = holds("a whole number above 0", (value) => Number.isSafeInteger(value) && value > 0);
export const aText = holds("a text that is not empty", (value) => typeof value === "string" && value !== "");
export const aTime = holds("an ISO 8601 time", (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)) && value.endsWith("Z"));
export const aDate = holds("a Date of this hour", (value) => value instanceof Date && Math.abs(Date.now() - value.getTime()) < 3_600_000);

export class Ledger {
  #test;
  #notes = [];

  /** For the test with this name. */
  constructor(test) {
    this.#test = test;
  }

  /** A method was called and gave `actual`; `fields` says where its parts stand in the contract, such as `"ChatResponse"`. */
  gave(method, actual, expected, fields) {
    match(actual, expected, `${method}()`);
    this.#note(`${method}()`);
    if (fields) this.#fields(fields, actual, expected);
  }

  /** An object of a shape of the contract was seen, on whatever way. */
  saw(fields, actual, expected) {
    match(actual, expected, fields);
    this.#fields(fields, actual, expected);
  }

  /** What was asked by these parameters or fields, such as `"ChatRequest.lang"`, had this effect. */
  effect(rows, actual, expected) {
    match(actual, expected, [rows].flat().join(", "));
    for (const row of [rows].flat()) this.#note(row);
  }

  /** Listeners of an event were called with these arguments. */
  heard(event, actual, expected) {
    match(actual, expected, event);
    this.#note(event);
  }

  /** Writes the notes down; call it last, when everything held. */
  close() {
    if (FOLDER) writeFileSync(join(FOLDER, `${randomUUID()}.json`), JSON.stringify({ test: this.#test, notes: this.#notes }));
  }

  #fields(path, actual, expected) {
    if (Array.isArray(expected)) return expected.forEach((item, at) => this.#fields(path, actual[at], item));
    if (expected === null || typeof expected !== "object" || HOLDS in expected || expected instanceof Date) return undefined;
    for (const name of Object.keys(expected)) {
      if (expected[name] === undefined) continue;
      const inner = `${path}.${name}`;
      this.#note(inner, actual[name]);
      this.#fields(TYPES[inner] ?? inner, actual[name], expected[name]);
    }
    return undefined;
  }

  #note(row, value) {
    this.#notes.push(value === undefined ? { row } : { row, value: JSON.stringify(value) });
  }
}

/** Where a field is of another type of the contract. */
const TYPES = {
  "ChatResponse.agent": "ChatAgent",
  "ChatResponse.virtual_agent": "ChatAgent",
  "ChatResponse.all_agents": "ChatAgent",
  "ChatResponse.all_virtual_agents": "ChatAgent",
  "MenuResponse.menus": "MenuItem",
  "MenuItem.children": "MenuItem",
  "ChatSurveyResponse.questions": "QuestionItem",
  "ChatHistoryResponse.chats": "ChatHistoryItem",
  "ChatHistoryItem.entries": "MessageResponse",
  "Chat.state": "ChatResponse",
};

/** Fails where `actual` is not what is expected, and says where. */
export function match(actual, expected, path = "value") {
  if (expected !== null && typeof expected === "object" && HOLDS in expected) {
    return assert.ok(expected[HOLDS](actual), `${path} must be ${expected.what}, not ${shown(actual)}`);
  }
  if (expected instanceof RegExp) return assert.match(actual, expected, path);
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${path} must be an array, not ${shown(actual)}`);
    assert.equal(actual.length, expected.length, `${path} has the wrong length: ${shown(actual)}`);
    return expected.forEach((item, at) => match(actual[at], item, `${path}[${at}]`));
  }
  if (expected !== null && typeof expected === "object" && !(expected instanceof Date)) {
    assert.ok(actual !== null && typeof actual === "object", `${path} must be an object, not ${shown(actual)}`);
    const names = Object.keys(expected);
    if (!(REST in expected)) assert.deepEqual(Object.keys(actual).filter((name) => actual[name] !== undefined && !names.includes(name)), [], `${path} has more than expected`);
    return names.forEach((name) => match(actual[name], expected[name], `${path}.${name}`));
  }
  return assert.ok(isDeepStrictEqual(actual, expected), `${path} must be ${shown(expected)}, not ${shown(actual)}`);
}

const shown = (value) => JSON.stringify(value)?.slice(0, 400);
