// The soak: `npm run soak`. Prints tables, and everything as JSON; fails where a bar is missed.
//
// SPORTELLO_SOAK_MESSAGES=n sends n messages (1,000,000), SPORTELLO_SOAK_CLIENTS=n lets n clients vanish in each wave (2,000); 0 leaves a part out.
// A release build of the gateway is several times as fast: SPORTELLO_GATEWAY_BIN.

import assert from "node:assert/strict";
import { test } from "node:test";

import { checkPaths } from "../browser/support/paths.mjs";
import { BARS as CLIENT_BARS, soakClients } from "./clients.mjs";
import { BARS as MESSAGE_BARS, soakMessages } from "./messages.mjs";

const MESSAGES = Number(process.env.SPORTELLO_SOAK_MESSAGES ?? 1_000_000);
const CLIENTS = Number(process.env.SPORTELLO_SOAK_CLIENTS ?? 2_000);
/** Fewer messages say nothing about memory: the first 10,000 are kept. */
const FEWEST_MESSAGES = 50_000;

test("a soak keeps order and memory", async () => {
  const missed = [];
  const bar = (name, value, most, unit = "") => {
    const holds = value <= most;
    console.log(`${holds ? "ok    " : "MISSED"} ${name}: ${Number.isInteger(value) ? value : value.toFixed(2)}${unit} (at most ${most}${unit})`);
    if (!holds) missed.push(name);
  };
  const orderBars = (who, { lost, repeated, misordered }) => {
    bar(`${who}: lost`, lost, 0);
    bar(`${who}: repeated`, repeated, 0);
    bar(`${who}: misordered`, misordered, 0);
  };

  await checkPaths();
  const result = {};
  if (MESSAGES > 0) {
    if (MESSAGES < FEWEST_MESSAGES) throw new Error(`SPORTELLO_SOAK_MESSAGES must be 0 or at least ${FEWEST_MESSAGES}`);
    console.log(`${MESSAGES} messages through one client in Chrome`);
    result.messages = await soakMessages(MESSAGES);
    orderBars("one client", result.messages);
    bar("faults and errors of the page", result.messages.faults.length + result.messages.errors.length, 0);
    bar(`memory over the last ${MESSAGES * 0.8} messages`, result.messages.slopeMb, MESSAGE_BARS.slopeMb, " MB");
    bar("memory of 10000 kept messages", result.messages.keptMb, MESSAGE_BARS.keptMb, " MB");
  }
  if (CLIENTS > 0) {
    console.log(`${CLIENTS} clients that connect and vanish, in waves`);
    result.clients = await soakClients(CLIENTS);
    orderBars("the one who behaves", result.clients);
    bar("growth of the gateway from the sixth wave to the last", result.clients.growthMb, CLIENT_BARS.growthMb, " MB");
    bar("memory of the gateway after the last wave above its start", result.clients.aboveStartMb, CLIENT_BARS.aboveStartMb, " MB");
  }
  console.log(JSON.stringify(result));
  assert.deepEqual(missed, [], "missed bars");
});
