import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { Semaphore } from "#base/async.ts";
import { type Call, machineClock, openServer, send, sendRaw, someServices } from "#testing/http.ts";
import type { HttpServerOptions } from "../options.ts";
import type { HttpServer } from "../server.ts";
import { readBody } from "./body.ts";
import { BodyBudget } from "./body-budget.ts";
import { StallWatch } from "./stall-watch.ts";

const SIZE_MAX = 10_000;
const PATH = "/api/v3/write_lp?db=a";
const GZIP = { "content-encoding": "gzip" };

/** A server that adds what it is sent to `bodies`. */
function noting(bodies: string[], options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  return openServer({
    requestSizeMax: SIZE_MAX,
    services: someServices({
      write({ body }) {
        bodies.push(Buffer.from(body).toString());
        return Promise.resolve({
          token: undefined,
          rejected: [],
          rejectedCount: 0,
          limitMet: false,
        });
      },
    }),
    ...options,
  });
}

function write(body: string | Uint8Array, headers: Call["headers"] = {}): Call {
  return { method: "POST", path: PATH, headers, body };
}

suite("request bodies", () => {
  test("come as sent, with and without their size", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const body = "x".repeat(SIZE_MAX);
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      for (const encoding of [{}, { "content-encoding": "identity" }]) {
        const answer = await send(server.address, write(body, { ...headers, ...encoding }));
        assert.equal(answer.status, 204);
      }
    }
    assert.deepEqual(bodies, [body, body, body, body]);
  });

  test("are inflated, of one member or several", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const members = [gzipSync("a 1\n"), gzipSync("b 2\n"), gzipSync("")];
    for (const parts of [members.slice(0, 1), members.slice(0, 2), members]) {
      const answer = await send(server.address, write(Buffer.concat(parts), GZIP));
      assert.equal(answer.status, 204);
    }
    assert.deepEqual(bodies, ["a 1\n", "a 1\nb 2\n", "a 1\nb 2\n"]);
  });

  test("are inflated however their members and packets are cut", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 }),
        fc.nat(200),
        async (texts, cutAt) => {
          bodies.length = 0;
          const bytes = Buffer.concat(texts.map((text) => gzipSync(text)));
          await sendInTwo(server.address, bytes, cutAt);
          assert.deepEqual(bodies, [Buffer.from(texts.join("")).toString()]);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("too large as sent are refused with the limit and its option, and the connection lives on", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const large = "x".repeat(SIZE_MAX + 1);
    const expected = {
      error: `max request size (${SIZE_MAX} bytes) exceeded; send less at once, or raise --max-http-request-size`,
      data: null,
    };
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      const answer = await send(server.address, write(large, headers));
      assert.equal(answer.status, 413);
      assert.deepEqual(JSON.parse(answer.body), expected);
    }
    const after = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`;
    const { text } = await sendRaw(
      server.address,
      `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: ${large.length}\r\n\r\n${large}${after}`,
    );
    assert.deepEqual(text.match(/HTTP\/1.1 \d+/g), ["HTTP/1.1 413", "HTTP/1.1 204"]);
    assert.deepEqual(bodies, ["ok"]);
  });

  test("too large as sent are refused although little is inflated", async () => {
    await using server = await noting([]);
    const empty = gzipSync("");
    const many = Buffer.concat(Array.from({ length: SIZE_MAX / empty.length + 1 }, () => empty));
    const answer = await send(
      server.address,
      write(many, { ...GZIP, "transfer-encoding": "chunked" }),
    );
    assert.equal(answer.status, 413);
  });

  test("too large are answered before they end", async () => {
    await using server = await noting([]);
    for (const encoding of ["identity", "gzip"]) {
      const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
      socket.write(
        `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Encoding: ${encoding}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      const inflated = Buffer.alloc(SIZE_MAX + 1, "x");
      const chunk = encoding === "gzip" ? gzipSync(inflated, { level: 0 }) : inflated;
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      const [answer] = (await once(socket, "data")) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1.1 413 /);
      socket.destroy();
    }
  });

  test("that are broken while they come are passed over, and the connection lives on", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies, { requestSizeMax: 1_000_000 });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.setNoDelay(true);
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 600000\r\n\r\n`,
    );
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    for (let sent = 0; sent < 6; sent += 1) {
      socket.write("x".repeat(100_000));
      await delay(5);
    }
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
    );
    await once(socket, "close");
    assert.deepEqual(received.match(/HTTP\/1.1 \d+/g), ["HTTP/1.1 400", "HTTP/1.1 204"]);
    assert.deepEqual(bodies, ["ok"]);
  });

  test("far too large are cut off after the answer", async () => {
    await using server = await noting([]);
    const huge = "x".repeat(50 * SIZE_MAX);
    const { text } = await sendRaw(
      server.address,
      `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: ${10 * huge.length}\r\n\r\n${huge}`,
    );
    assert.match(text, /^HTTP\/1.1 413 /);
  });

  test("too large when inflated are refused, a bomb as well", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const bomb = gzipSync(Buffer.alloc(8_000_000));
    assert.ok(bomb.length < SIZE_MAX);
    const members = Buffer.concat([gzipSync("x".repeat(6_000)), gzipSync("x".repeat(6_000))]);
    for (const body of [bomb, members]) {
      const answer = await send(server.address, write(body, GZIP));
      assert.equal(answer.status, 413);
    }
    assert.deepEqual(bodies, []);
  });

  test("that are not whole gzip data are refused", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const member = gzipSync("m v=1");
    const flipped = Buffer.from(member);
    flipped[12] = (flipped[12] ?? 0) ^ 0xff;
    const wrongSum = Buffer.from(member);
    wrongSum[member.length - 6] = (wrongSum[member.length - 6] ?? 0) ^ 0xff;
    const follows = "bytes follow the compressed data";
    const damaged: readonly [body: Uint8Array, reason: string | RegExp][] = [
      ...Array.from(member.keys(), (size): [Uint8Array, string] => [
        member.subarray(0, size),
        "unexpected end of file",
      ]).slice(1),
      [Buffer.from("m v=1"), "invalid gzip header"],
      [Buffer.concat([member, Buffer.from("m v=2")]), "invalid gzip header"],
      [Buffer.concat([member, member.subarray(0, 7)]), "unexpected end of file"],
      [Buffer.concat([member, Buffer.alloc(3)]), follows],
      [Buffer.concat([member, Buffer.alloc(3), member]), follows],
      [Buffer.from("H4sIAAAAAAAAA2dhcmJhZ2VnYXJiYWdl", "base64"), "corrupt deflate stream"],
      [wrongSum, "corrupt gzip stream does not have a matching checksum"],
      [flipped, /./],
    ];
    for (const [body, reason] of damaged) {
      const answer = await send(server.address, write(body, GZIP));
      assert.equal(answer.status, 400);
      const said = answer.body.replace("error decoding gzip stream: ", "");
      if (typeof reason === "string") assert.equal(said, reason);
      else assert.match(said, reason);
    }
    assert.deepEqual(bodies, []);
  });

  test("without a byte are empty, not broken gzip", async () => {
    await using server = await noting([]);
    const answer = await send(server.address, write("", GZIP));
    assert.equal(answer.body, "incoming write was empty");
  });

  test("are inflated under the old name of gzip", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const call = write(gzipSync("a 1"), { "content-encoding": "x-gzip" });
    assert.equal((await send(server.address, call)).status, 204);
    assert.deepEqual(bodies, ["a 1"]);
  });

  test("that cannot be taken at their end fail alone, not the process", async () => {
    const read = Promise.withResolvers<Uint8Array>();
    await using server = createServer((request, response) => {
      const body = readBody(request, {
        sizeMax: SIZE_MAX,
        budget: new BodyBudget(machineClock, SIZE_MAX, 1_000),
        // All of it has come when its request is over: only what is taken at the end is refused.
        onClaim: (claim) => request.once("data", () => claim[Symbol.dispose]()),
        onStart: () => undefined,
        watch: new StallWatch(machineClock, 1_000),
        limits: { bodyStallMsMax: 1_000, requestMsMax: 1_000 },
        inflating: new Semaphore(1),
        signal: new AbortController().signal,
      });
      read.resolve(body.finally(() => response.end()));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    const call = write("xx", { "transfer-encoding": "chunked" });
    const sent = send(`127.0.0.1:${address.port}`, call);
    await assert.rejects(read.promise, { code: "client_left" });
    await sent;
  });

  test("of other encodings are refused by name", async () => {
    await using server = await noting([]);
    for (const encoding of ["br", "gzip, gzip", "deflate"]) {
      const answer = await send(server.address, write("x", { "content-encoding": encoding }));
      assert.equal(answer.status, 400);
      assert.equal(answer.body, `unacceptable content-encoding: ${encoding}`);
    }
  });

  test("that a client announces are asked for only when they are wanted", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies);
    const wanted = await sendRaw(
      server.address,
      `${announced(PATH, 2)}Connection: close\r\n\r\nok`,
    );
    assert.match(wanted.text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 204 /);
    for (const [path, size, status] of [
      [PATH, SIZE_MAX + 1, 413],
      ["/nowhere", 5, 404],
      ["/write", 5, 400],
    ] as const) {
      const { text } = await sendRaw(server.address, `${announced(path, size)}\r\n`);
      assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(text, /\r\nConnection: close\r\n/i);
    }
    assert.deepEqual(bodies, ["ok"]);
  });

  test("of all requests together are bounded, and what is held is given back", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies, { limits: { bodiesSizeMax: SIZE_MAX } });
    const held = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    held.write(
      `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n${"x".repeat(8_000)}`,
    );
    let refused = await send(server.address, write("y".repeat(3_000)));
    while (refused.status === 204) refused = await send(server.address, write("y".repeat(3_000)));
    assert.equal(refused.status, 429);
    assert.equal(refused.headers["retry-after"], "1");
    assert.match(refused.body, /together may hold 10000 bytes/);
    held.destroy();
    bodies.length = 0;
    let taken = await send(server.address, write("y".repeat(SIZE_MAX)));
    while (taken.status === 429) taken = await send(server.address, write("y".repeat(SIZE_MAX)));
    assert.equal(taken.status, 204);
  });

  test("that stop coming are given up", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies, { limits: { bodyStallMsMax: 40 } });
    for (const encoding of ["identity", "gzip"]) {
      const { text } = await sendRaw(
        server.address,
        `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Encoding: ${encoding}\r\nContent-Length: 10\r\n\r\n`,
      );
      assert.match(text, /^HTTP\/1.1 408 /);
      assert.match(text, /nothing of the request's body came for 40 ms/);
    }
    assert.deepEqual(bodies, []);
  });

  test("that come drop by drop are given up when the request takes too long", async () => {
    const bodies: string[] = [];
    await using server = await noting(bodies, {
      limits: { headersMsMax: 40, requestMsMax: 60, bodyStallMsMax: 10_000 },
    });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n`);
    const drops = setInterval(() => socket.write("x"), 5);
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.on("close", resolve).resume());
    clearInterval(drops);
    assert.deepEqual(bodies, []);
  });
});

/** The head of a write whose client waits for a word before it sends the body. */
function announced(path: string, sizeBytes: number): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${sizeBytes}\r\n`;
}

/** Sends gzip `bytes` as one request in two packets. */
async function sendInTwo(address: string, bytes: Buffer, cutAt: number): Promise<void> {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.setNoDelay(true);
  socket.write(
    `POST ${PATH} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`,
  );
  socket.write(bytes.subarray(0, cutAt));
  await delay(2);
  socket.write(bytes.subarray(cutAt));
  await new Promise((resolve) => socket.on("close", resolve).resume());
}
