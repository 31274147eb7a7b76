/** Clients that mean harm, each beside one that does not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type LogFields, silentLog } from "#ports/log.ts";
import { openServer, send, sendRaw, someServices } from "#testing/http.ts";
import type { HttpLimits, HttpServerOptions } from "./options.ts";
import type { HttpServer } from "./server.ts";

const SIZE_MAX = 100_000;
const PATH = "/api/v3/write_lp?db=a";

/** A server that takes every body it gets. */
function openTaking(
  limits: Partial<HttpLimits> = {},
  options: Partial<HttpServerOptions> = {},
): Promise<HttpServer> {
  return openServer({
    ...options,
    requestSizeMax: SIZE_MAX,
    limits,
    services: someServices({
      write: async () => ({ token: undefined, rejected: [], rejectedCount: 0, limitMet: false }),
    }),
  });
}

/** The head of a write, and the beginning of its body. */
function head(headers: string, body = ""): string {
  return `POST ${PATH} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
}

function open(server: HttpServer): Socket {
  const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
  socket.setNoDelay(true).on("error", () => undefined);
  return socket;
}

/** What a server answers who is sent `piece` again and again after `start`, until it closes the connection. */
async function sendForEver(
  server: HttpServer,
  start: string,
  piece: Uint8Array,
  pauseMs = 0,
): Promise<{ text: string; sentBytes: number }> {
  const socket = open(server);
  let text = "";
  let sentBytes = 0;
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  socket.write(start);
  while (!socket.destroyed) {
    sentBytes += piece.length;
    if (!socket.write(piece) && !socket.destroyed)
      await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
    await delay(pauseMs);
  }
  return { text, sentBytes };
}

async function assertServes(server: HttpServer): Promise<void> {
  const call = { method: "POST", path: PATH, body: "m v=1" };
  assert.equal((await send(server.address, call)).status, 204);
}

/** One chunk of a body in chunks. */
function chunkOf(bytes: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ]);
}

const CHUNKED = "Transfer-Encoding: chunked";
const GZIP = "Content-Encoding: gzip";

suite("a hostile client", () => {
  test("with gzip that grows a thousandfold, in one member or many, is refused, beside others", async () => {
    await using server = await openTaking();
    const bomb = gzipSync(Buffer.alloc(90_000_000));
    assert.ok(bomb.length < SIZE_MAX);
    const members = Buffer.concat(Array.from({ length: 400 }, () => gzipSync(Buffer.alloc(1_000))));
    // The size that the last member says is that of all: a lie about the first.
    const lying = Buffer.concat([gzipSync(Buffer.alloc(SIZE_MAX)), gzipSync("m v=1")]);
    for (const body of [bomb, members, lying]) {
      const headers = { "content-encoding": "gzip" };
      const bombs = Array.from({ length: 5 }, () =>
        send(server.address, { method: "POST", path: PATH, headers, body }),
      );
      await assertServes(server);
      for (const { status } of await Promise.all(bombs)) assert.equal(status, 413);
    }
    await assertServes(server);
  });

  test("with gzip that does not end is refused and cut off when it has sent its share", async () => {
    await using server = await openTaking();
    const start = head(`${CHUNKED}\r\n${GZIP}`);
    for (const member of [gzipSync(Buffer.alloc(50_000)), gzipSync("")]) {
      const many = Buffer.concat(Array.from({ length: 200 }, () => member));
      const { text, sentBytes } = await sendForEver(server, start, chunkOf(many));
      assert.match(text, /^HTTP\/1.1 413 /);
      assert.ok(sentBytes < 100 * SIZE_MAX);
    }
    await assertServes(server);
  });

  test("with a body that does not end is refused and cut off", async () => {
    await using server = await openTaking();
    const { text } = await sendForEver(server, head(CHUNKED), chunkOf(Buffer.alloc(10_000, "x")));
    assert.match(text, /^HTTP\/1.1 413 /);
    await assertServes(server);
  });

  test("that says more than it sends is given up", async () => {
    await using server = await openTaking({ bodyStallMsMax: 60 });
    const held = sendRaw(server.address, head("Content-Length: 50000", "m v=1"));
    await assertServes(server);
    assert.match((await held).text, /^HTTP\/1.1 408 /);
  });

  test("that sends its headers, or its body, a byte at a time is cut off", async () => {
    await using server = await openTaking({ headersMsMax: 60, requestMsMax: 120 });
    const byte = Buffer.from("x");
    for (const start of [
      `POST ${PATH} HTTP/1.1\r\nHost: a\r\nx: `,
      head("Content-Length: 50000"),
    ]) {
      const held = sendForEver(server, start, byte, 5);
      await assertServes(server);
      const { sentBytes } = await held;
      assert.ok(sentBytes < 1_000);
    }
  });

  test("with slow bodies keeps nobody out who sends at a usual rate", async () => {
    await using server = await openTaking({ bodiesSizeMax: 2 * SIZE_MAX, bodySlowMs: 50 });
    const slow = [open(server), open(server)];
    const answers = slow.map(async (socket) => String((await once(socket, "data"))[0]));
    for (const socket of slow) socket.write(head("Content-Length: 90000", "x".repeat(100)));
    await delay(60);
    const body = "x".repeat(SIZE_MAX);
    assert.equal((await send(server.address, { method: "POST", path: PATH, body })).status, 204);
    const answer = await Promise.race(answers);
    assert.match(answer, /^HTTP\/1.1 429 /);
    assert.match(answer, /\r\nretry-after: 1\r\n/i);
    assert.match(answer, /came too slowly while others waited/);
    for (const socket of slow) socket.destroy();
  });

  test("with slow bodies on every connection keeps nobody out, and operators are told once", async () => {
    const told: LogFields[] = [];
    const log = {
      ...silentLog,
      warn: (_: string, fields: LogFields = {}) => void told.push(fields),
    };
    await using server = await openTaking({ connectionCountMax: 3, bodySlowMs: 50 }, { log });
    const slow = [open(server), open(server), open(server)];
    let closedCount = 0;
    for (const socket of slow) {
      socket.once("close", () => closedCount++).resume();
      socket.write(head("Expect: 100-continue\r\nContent-Length: 9000"));
    }
    // Each is asked for its body: none of them rests.
    await Promise.all(slow.map((socket) => once(socket, "data")));
    for (const socket of slow) socket.write("x");
    await assert.rejects(send(server.address, { path: "/health" }));
    await delay(60);
    await assertServes(server);
    await assertServes(server);
    assert.equal(closedCount, 1);
    assert.deepEqual(told, [{ connectionCountMax: 3, closedCount: 1 }]);
    for (const socket of slow) socket.destroy();
  });

  test("with a million packets of one byte takes no more memory than one with a large one", async () => {
    await using server = await openTaking();
    const pieces = Buffer.from("1\r\nx\r\n".repeat(SIZE_MAX));
    const { text } = await sendRaw(
      server.address,
      head(`${CHUNKED}\r\nConnection: close`, `${pieces.toString()}0\r\n\r\n`),
    );
    assert.match(text, /^HTTP\/1.1 204 /);
  });

  test("with idle connections, more than there may be, keeps nobody out", async () => {
    await using server = await openTaking({ connectionCountMax: 50 });
    const idle = Array.from({ length: 200 }, () => open(server));
    let closedCount = 0;
    for (const socket of idle) socket.once("close", () => closedCount++).resume();
    await Promise.all(
      idle.map((socket) => Promise.race([once(socket, "connect"), once(socket, "close")])),
    );
    for (let index = 0; index < 10; index++) await assertServes(server);
    assert.ok(closedCount >= 150);
    for (const socket of idle) socket.destroy();
  });
});
