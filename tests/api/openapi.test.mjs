// The gateway driven from its own OpenAPI document by schemathesis: whatever the document allows or forbids, no answer is a 5xx and none breaks the
// document. Needs schemathesis (`SPORTELLO_SCHEMATHESIS`, else on the path); `SPORTELLO_API_SECONDS` runs longer.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

import { DEMO_AGENT, Gateway } from "../browser/support/gateway.mjs";

const PROGRAM = process.env.SPORTELLO_SCHEMATHESIS ?? "schemathesis";
const SECONDS = process.env.SPORTELLO_API_SECONDS ?? "15";
const SEED = process.env.SPORTELLO_SEED ?? "1";
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
// The limits are tested elsewhere; here they would end most cases at the door.
const UNLIMITED = "{ per_minute = 0, burst = 1 }";
const CONFIG = `[limits]\nrequests_per_address = ${UNLIMITED}\nrequests_per_end_user = ${UNLIMITED}\nsign_ins = ${UNLIMITED}\n`;

async function post(url, body, headers = {}) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${url}: ${answer.status}`);
  return { json: await answer.json(), headers: answer.headers };
}

/** The headers of an end user who has a chat, and of an agent. */
async function callers(origin) {
  const { token } = (await post(`${origin}/demo/token`, { identifier: "fuzz" })).json;
  const session = (await post(`${origin}/api/v1/sessions`, { company_id: "demo", token })).json;
  const endUser = { authorization: `Bearer ${session.session_token}` };
  const { chat } = (await post(`${origin}/api/v1/chats`, { client_id: randomUUID(), menu_id: 1, chat: {} }, endUser)).json;
  const desk = await post(`${origin}/desk/api/v1/sessions`, DEMO_AGENT);
  const agent = { cookie: desk.headers.get("set-cookie").split(";")[0], "x-csrf-token": desk.json.csrf_token };
  return { endUser, agent, chatId: chat.id };
}

async function schemathesis(origin, headers, paths, chatId) {
  const folder = await mkdtemp(join(tmpdir(), "sportello-api-"));
  if (chatId) await writeFile(join(folder, "schemathesis.toml"), `[parameters]\n"path.chat_id" = ${chatId}\n`);
  const args = ["run", `${origin}/openapi.json`, "--checks", CHECKS, "--seed", SEED, "--max-time", SECONDS];
  args.push("--phases", "examples,coverage,fuzzing", "--include-path-regex", paths, "--no-color", "--suppress-health-check", "all");
  // A stream does not end by itself.
  args.push("--exclude-path-regex", "/stream$", "--generation-database", "none", "--request-timeout", "20", "--warnings", "off");
  for (const [name, value] of Object.entries(headers)) args.push("-H", `${name}:${value}`);
  const child = spawn(PROGRAM, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code] = await once(child, "exit");
  await rm(folder, { recursive: true, force: true });
  return { code, output };
}

/** What schemathesis says it did, for the counts of the run. */
const summary = (output) => output.split("\n").filter((line) => /test cases|operations|passed|failed|generated/iu.test(line)).join("\n");

const gateway = new Gateway({ config: CONFIG });
test.before(() => gateway.start());
test.after(() => gateway.dispose());

const RUNS = [
  ["the end user's API", "endUser", "^/(api|health|demo)", false],
  ["an end user's own chat", "endUser", "^/api/v1/chats/", true],
  ["the agent desk's API", "agent", "^/desk", false],
];

for (const [what, who, paths, ownChat] of RUNS) {
  test(`${what}: no request breaks the gateway or its document`, async () => {
    const known = await callers(gateway.origin);
    const { code, output } = await schemathesis(gateway.origin, known[who], paths, ownChat && known.chatId);
    console.log(summary(output));
    assert.equal(code, 0, output.slice(-8000));
    assert.equal((await fetch(`${gateway.origin}/health`)).status, 200);
  });
}
