/** Clients of HTTP/2 that mean harm, frame by frame, each beside one that does not. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openServer, send, someServices } from "#testing/http.ts";
import type { HttpLimits } from "./options.ts";
import type { HttpServer } from "./server.ts";

const PATH = "/api/v3/write_lp?db=a";
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4 } as const;
const END_HEADERS = 4;
const CODE = { none: 0, cancel: 8 } as const;

/** A frame of stream 1, or of the connection. */
function frame(type: keyof typeof TYPE, flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.from([0, 0, 0, TYPE[type], flags, 0, 0, 0, type === "settings" ? 0 : 1]);
  head.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([head, payload]);
}

const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame("settings", 0, Buffer.alloc(0)),
]);

/** A request's headers, each in words of its own. */
function headers(named: Readonly<Record<string, string>>, flags = 0): Buffer {
  const fields = Object.entries(named).flatMap(([name, value]) => [
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
  return frame("headers", END_HEADERS | flags, Buffer.concat(fields));
}

function reset(code: keyof typeof CODE): Buffer {
  return frame("reset", 0, Buffer.from([0, 0, 0, CODE[code]]));
}

const GET = { ":method": "GET", ":scheme": "http", ":path": "/nowhere", ":authority": "a" };
const POST = { ...GET, ":method": "POST", ":path": PATH };

function open({ address }: HttpServer): Socket {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  return socket.setNoDelay(true).on("error", () => undefined);
}

/** Answers whether `bytes` have come, after a second at most. */
async function seen(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  let came = Buffer.alloc(0);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on("data", (chunk: Buffer) => {
    came = Buffer.concat([came, chunk]);
    if (came.includes(bytes)) resolve(true);
  });
  return Promise.race([promise, delay(1_000, false, { ref: false })]);
}

/** A server that notes each body it gets. */
function noting(bodies: string[], limits: Partial<HttpLimits> = {}): Promise<HttpServer> {
  return openServer({
    limits,
    services: someServices({
      write: async ({ body }) => {
        bodies.push(Buffer.from(body).toString());
        return { token: undefined, rejected: [], rejectedCount: 0, limitMet: false };
      },
    }),
  });
}

async function assertServes(server: HttpServer): Promise<void> {
  const call = { method: "POST", path: PATH, body: "m v=1" };
  assert.equal((await send(server.address, call)).status, 204);
}

suite("a hostile client of HTTP/2", () => {
  test("that asks and leaves in one packet ends its stream alone, not the process", async () => {
    await using server = await noting([]);
    for (const asked of [
      { ...POST, expect: "100-continue" },
      { ...POST, expect: "a miracle" },
      { ":method": "CONNECT", ":authority": "a" },
      { ...POST, "content-type": "application/grpc" },
      { ...POST, "content-type": "application/grpc", expect: "100-continue" },
      GET,
    ]) {
      const socket = open(server).resume();
      socket.write(Buffer.concat([PREFACE, headers(asked), reset("cancel")]));
      await delay(20);
      await assertServes(server);
      assert.equal(socket.closed, false);
      socket.destroy();
    }
  });

  test("that does not end what was answered makes room for others", async () => {
    await using server = await noting([], { connectionCountMax: 3 });
    const answered = [open(server), open(server), open(server)];
    let closedCount = 0;
    for (const socket of answered) {
      socket.once("close", () => (closedCount += 1));
      socket.write(Buffer.concat([PREFACE, headers(GET)]));
    }
    await Promise.all(answered.map((socket) => seen(socket, reset("none"))));
    await assertServes(server);
    await assertServes(server);
    assert.equal(closedCount, 1);
    for (const socket of answered) socket.destroy();
  });

  test("with a slow body on every connection keeps nobody out", async () => {
    await using server = await noting([], { connectionCountMax: 3, bodySlowMs: 50 });
    const slow = [open(server), open(server), open(server)];
    let closedCount = 0;
    for (const socket of slow) {
      socket.once("close", () => (closedCount += 1)).resume();
      const part = frame("data", 0, Buffer.from("x"));
      socket.write(Buffer.concat([PREFACE, headers(POST), part]));
    }
    await delay(100);
    await assertServes(server);
    assert.equal(closedCount, 1);
    for (const socket of slow) socket.destroy();
  });

  test("that sends a body drop by drop is answered when the request takes too long", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies, { headersMsMax: 100, requestMsMax: 100 });
    const socket = open(server);
    socket.write(Buffer.concat([PREFACE, headers({ ...POST, "content-length": "9999" })]));
    const drops = setInterval(() => socket.write(frame("data", 0, Buffer.from("x"))), 10);
    const answered = await seen(socket, Buffer.from("is not whole after 100 ms"));
    clearInterval(drops);
    socket.destroy();
    await assertServes(server);
    assert.ok(answered);
    assert.deepEqual(bodies, ["m v=1"]);
  });

  test("that closes its stream in the midst of a body has written nothing", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const part = frame("data", 0, Buffer.from("cpu v=12"));
    for (const asked of [POST, { ...POST, "content-length": "12" }])
      for (const pauseMs of [0, 20]) {
        const socket = open(server).resume();
        socket.write(Buffer.concat([PREFACE, headers(asked), part]));
        await delay(pauseMs);
        socket.write(reset("none"));
        await delay(20);
        await assertServes(server);
        socket.destroy();
      }
    assert.deepEqual(new Set(bodies), new Set(["m v=1"]));
  });
});
