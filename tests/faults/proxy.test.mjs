// The fault proxy does to a connection what it says, and counts it: otherwise the schedules would prove nothing.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";

import { FaultProxy } from "./proxy.mjs";

const BODY = JSON.stringify({ text: "0123456789".repeat(20) });

/** A gateway that answers every request alike, greets every WebSocket with a frame's worth of bytes and echoes what follows. */
async function withProxy(play) {
  const seen = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming.url);
    if (incoming.url === "/events") return countFor(response);
    response.writeHead(200, { "content-type": "application/json" }).end(BODY);
  });
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    socket.on("data", (chunk) => socket.write(chunk));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await new FaultProxy(`http://127.0.0.1:${server.address().port}`).start();
  try {
    await play(proxy, seen);
  } finally {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Server-sent events without end: 0, 1, 2, … */
function countFor(response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let number = 0;
  // Several at once, which arrive at once, too.
  const timer = setInterval(() => {
    for (let left = 3; left > 0; left -= 1) response.write(`data: number ${(number += 1)}\n\n`);
  }, 0);
  response.on("close", () => clearInterval(timer));
}

/** `{ status, headers, body }`, or `{ error }`. */
function ask(proxy, { headers } = {}) {
  return new Promise((resolve) => {
    const asked = request(`${proxy.origin}/api/v1/company`, { agent: false, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }));
      answer.on("error", (error) => resolve({ error: error.code, read: Buffer.concat(chunks).length }));
    });
    asked.on("error", (error) => resolve({ error: error.code }));
    asked.end();
  });
}

/** An upgraded connection that has been answered. */
async function openStream(proxy) {
  const socket = connect(new URL(proxy.origin).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  const answer = await Promise.race([once(socket, "data").catch(() => []), isClosed(socket).then(() => [])]);
  return { socket, answer: String(answer[0] ?? "") };
}

/** Closed in whatever way. */
function isClosed(socket) {
  return new Promise((resolve) => socket.once("close", resolve));
}

test("what is not hit passes unchanged", async () => {
  await withProxy(async (proxy) => {
    const { status, body } = await ask(proxy);
    assert.deepEqual([status, body], [200, BODY]);
    const { socket, answer } = await openStream(proxy);
    assert.match(answer, /^HTTP\/1\.1 101/u);
    socket.write("hello");
    assert.equal((await once(socket, "data")).toString(), "hello");
    assert.equal(Object.values(proxy.counts).reduce((sum, count) => sum + count), 0);
  });
});

test("requests are answered with a status, in the number asked for, readable for a page unless they are opaque", async () => {
  await withProxy(async (proxy, seen) => {
    proxy.answer(2, { status: 429, retryAfterS: 1 });
    proxy.answer(1, { status: 503, opaque: true });
    const headers = { origin: "http://site" };
    for (let time = 0; time < 2; time += 1) {
      const { status, headers: answered, body } = await ask(proxy, { headers });
      assert.deepEqual([status, answered["retry-after"], answered["access-control-allow-origin"]], [429, "1", "http://site"]);
      assert.equal(JSON.parse(body).error.code, "rate_limited");
    }
    const opaque = await ask(proxy, { headers });
    assert.deepEqual([opaque.status, opaque.headers["access-control-allow-origin"]], [503, undefined]);
    assert.equal((await ask(proxy)).status, 200);
    assert.equal(seen.length, 1);
    assert.deepEqual([proxy.counts.status429, proxy.counts.opaque503], [2, 1]);
  });
});

test("an answer is lost after the gateway had the request, or breaks off", async () => {
  await withProxy(async (proxy, seen) => {
    proxy.loseAnswers(1);
    assert.equal((await ask(proxy)).error, "ECONNRESET");
    assert.equal(seen.length, 1);
    proxy.cutAnswers(1);
    const cut = await ask(proxy);
    assert.ok(cut.error && (cut.read ?? 0) < BODY.length);
    assert.deepEqual([proxy.counts.lostAnswer, proxy.counts.cutAnswer], [1, 1]);
  });
});

test("connections are reset", async () => {
  await withProxy(async (proxy) => {
    const { socket } = await openStream(proxy);
    const closed = isClosed(socket);
    proxy.reset();
    await closed;
    assert.equal(proxy.counts.reset, 1);
  });
});

test("a half-open connection stays open and silent, and a new one works", async () => {
  await withProxy(async (proxy) => {
    const { socket } = await openStream(proxy);
    proxy.halfOpen();
    socket.on("data", () => assert.fail("a byte passed"));
    socket.write("hello");
    // By the time that a later connection has been answered, this one would have been, too.
    const other = await openStream(proxy);
    other.socket.write("hello");
    await once(other.socket, "data");
    assert.equal(socket.destroyed, false);
    assert.equal(proxy.counts.halfOpen, 1);
    socket.destroy();
  });
});

test("silence holds what is asked, and healing resets it", async () => {
  await withProxy(async (proxy, seen) => {
    proxy.silence();
    const asked = ask(proxy);
    while (proxy.counts.silence === 0) await new Promise(setImmediate);
    assert.equal(seen.length, 0);
    await proxy.heal({ release: true });
    assert.equal((await asked).error, "ECONNRESET");
    assert.equal((await ask(proxy)).status, 200);
  });
});

test("connections are refused until it heals", async () => {
  await withProxy(async (proxy) => {
    await proxy.refuse();
    assert.equal((await ask(proxy)).error, "ECONNREFUSED");
    await proxy.heal();
    assert.equal((await ask(proxy)).status, 200);
  });
});

test("a frame is cut in the middle", async () => {
  await withProxy(async (proxy) => {
    const { socket } = await openStream(proxy);
    let text = "";
    socket.on("data", (chunk) => (text += chunk));
    const closed = isClosed(socket);
    proxy.cutFrames(1);
    socket.write("0123456789");
    // What comes at once after it is gone, too.
    while (proxy.counts.cutFrame === 0) {
      await new Promise(setImmediate);
      socket.write("abcdefghij");
    }
    await closed;
    assert.ok(text.length < 10 && "0123456789".startsWith(text), text);
    assert.equal(proxy.counts.cutFrame, 1);
  });
});

test("server-sent events break off in the middle of one, and nothing follows", async () => {
  await withProxy(async (proxy) => {
    for (let times = 0; times < 20; times += 1) {
      let text = "";
      const asked = request(`${proxy.origin}/events`, { agent: false });
      asked.on("error", () => {});
      const broken = new Promise((resolve) => {
        asked.on("response", (answer) => {
          answer.on("data", (chunk) => {
            text += chunk;
            if (text.length > 100 && times === proxy.counts.cutFrame) proxy.cutFrames(1);
          });
          answer.on("error", () => {});
          answer.on("close", resolve);
        });
      });
      asked.end();
      await broken;
      const events = text.split("\n\n");
      const last = events.pop();
      events.forEach((event, at) => assert.equal(event, `data: number ${at + 1}`));
      assert.ok(`data: number ${events.length + 1}`.startsWith(last), last);
      assert.equal(proxy.counts.cutFrame, times + 1);
    }
  });
});

test("streams are refused or never answered while requests pass", async () => {
  await withProxy(async (proxy) => {
    proxy.blockStreams("refuse");
    assert.match((await openStream(proxy)).answer, /^HTTP\/1\.1 403/u);
    proxy.blockStreams("hang");
    const hanging = openStream(proxy);
    while (proxy.counts.streamHangs === 0) await new Promise(setImmediate);
    assert.equal((await ask(proxy)).status, 200);
    proxy.blockStreams(null);
    assert.match((await openStream(proxy)).answer, /^HTTP\/1\.1 101/u);
    await proxy.heal({ release: true });
    assert.equal((await hanging).answer, "");
  });
});

test("latency delays without changing the order", async () => {
  await withProxy(async (proxy) => {
    const { socket } = await openStream(proxy);
    proxy.setLatency(5);
    let text = "";
    const all = new Promise((resolve) => socket.on("data", (chunk) => (text += chunk).length === 10 && resolve()));
    for (const digit of "0123456789") socket.write(digit);
    await all;
    assert.equal(text, "0123456789");
    assert.ok(proxy.counts.latency > 0);
  });
});
