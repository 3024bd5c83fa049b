// Runs the real gateway binary: on a free port, on a data directory of its own, stopped kindly or killed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { GATEWAY_BIN, PKG_DIR, WWW_DIR } from "./paths.mjs";

const START_TIMEOUT_MS = 20_000;
const LISTENING = /^listening on (http:\/\/\S+)$/u;

/** The demo agent that `--demo` configures. */
export const DEMO_AGENT = { login: "ada", password: "sportello-demo" };

export class Gateway {
  #child = null;
  #port;
  #dataDir;
  #allowOrigins;
  #config;
  #log = [];

  /** `allowOrigins` are the foreign origins it answers; `port` 0 takes a free one and keeps it across restarts; `config` is TOML. */
  constructor({ allowOrigins = [], port = 0, config = "" } = {}) {
    this.#allowOrigins = allowOrigins;
    this.#config = config;
    this.#port = port;
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The process, for measuring it. */
  get pid() {
    return this.#child?.pid;
  }

  /** What the process wrote to its log, for a failing test. */
  get log() {
    return this.#log.join("\n");
  }

  /** Starts on the same data and the same port as before; resolves when it listens. */
  async start() {
    this.#dataDir ??= await mkdtemp(join(tmpdir(), "sportello-gateway-"));
    const args = ["serve", "--listen", `127.0.0.1:${this.#port}`, "--data", this.#dataDir, "--demo", "--www", WWW_DIR, "--pkg", PKG_DIR];
    if (this.#config) {
      const file = join(this.#dataDir, "gateway.toml");
      await writeFile(file, this.#config);
      args.push("--config", file);
    }
    for (const origin of this.#allowOrigins) args.push("--allow-origin", origin);
    const child = spawn(GATEWAY_BIN, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    createInterface({ input: child.stderr }).on("line", (line) => this.#log.push(line));
    this.#port = Number(new URL(await this.#listening(child)).port);
    return this;
  }

  /** SIGKILL: no goodbye to anybody, nothing flushed. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** Stops it and removes its data. */
  async dispose() {
    await this.#end("SIGTERM");
    if (this.#dataDir) await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #end(signal) {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    // A graceful shutdown may take its time, but not the test's.
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  }

  #listening(child) {
    return new Promise((resolve, reject) => {
      const fail = (reason) => reject(new Error(`the gateway ${reason}\n${this.log}`));
      const timer = setTimeout(() => fail("did not say that it listens"), START_TIMEOUT_MS);
      child.once("error", (error) => fail(`could not be started: ${error.message}`));
      child.once("exit", (code) => fail(`ended with ${code} before it listened`));
      const lines = createInterface({ input: child.stdout });
      lines.on("line", (line) => {
        const match = LISTENING.exec(line);
        if (!match) return;
        clearTimeout(timer);
        resolve(match[1]);
      });
    });
  }
}

/** A port nobody listens on just now, for a gateway that is to be started later. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
