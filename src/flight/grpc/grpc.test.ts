/** Calls over real connections: by the library that most programs in Node have, and by hand where a client misbehaves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type Settings,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { concatBytes, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { machineClock as clock } from "#testing/http.ts";
import type { MessageMemory } from "./call.ts";
import { FrameReader, frame } from "./frames.ts";
import { GrpcServer, type Method, type ObservedCall } from "./server.ts";

const LIMITS = {
  requestSizeMax: 1_000,
  bodyStallMsMax: 5_000,
  requestMsMax: 5_000,
  answerGraceMs: 5_000,
  answerRateMin: 4 * 1024,
  answerStallMsMax: 5_000,
};

/** What messages take; as much as `sizeMax`. */
class Memory implements MessageMemory {
  sizeMax = Infinity;
  heldBytes = 0;
  receivedBytes = 0;
  receiving = false;

  begin(): void {
    this.receiving = true;
  }

  hold(sizeBytes: number): void {
    this.heldBytes = sizeBytes;
    if (sizeBytes > this.sizeMax) throw new DbError("exceeded", "request_memory", "too much");
  }
}

/** A server of one method, `/a/B`. */
class Served implements AsyncDisposable {
  readonly observed: ObservedCall[] = [];
  /** Of all calls. */
  readonly memory = new Memory();
  readonly #server: Http2Server;

  constructor(method: Method, limits: Partial<typeof LIMITS> = {}) {
    const grpc = new GrpcServer({
      methods: new Map([["/a/B", method]]),
      limits: { ...LIMITS, ...limits },
      clock,
      log: silentLog,
      observe: (over) => this.observed.push(over),
    });
    this.#server = createServer().on("request", (request, response) => {
      grpc.answer(request, response, this.memory);
    });
  }

  async address(): Promise<string> {
    if (!this.#server.listening) await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

interface Outcome {
  readonly messages: readonly string[];
  readonly code: number;
  readonly details: string;
}

/** A call by the library, which sends one message. */
async function call(
  served: Served,
  options: { path?: string; message?: Uint8Array; deadlineMs?: number } = {},
): Promise<Outcome> {
  const client = new Client(await served.address(), credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const messages: string[] = [];
  const stream = client.makeServerStreamRequest(
    options.path ?? "/a/B",
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes.toString(),
    options.message ?? utf8("hello"),
    new Metadata(),
    options.deadlineMs === undefined ? {} : { deadline: new Date(Date.now() + options.deadlineMs) },
  );
  stream.on("data", (message: string) => messages.push(message));
  stream.on("error", ({ code, details }: ServiceError) => resolve({ messages, code, details }));
  stream.on("end", () => resolve({ messages, code: 0, details: "" }));
  const outcome = await promise;
  client.close();
  return outcome;
}

/** A call by hand; `send` writes what it likes. */
async function byHand(
  served: Served,
  headers: Readonly<Record<string, string>>,
  send: (stream: ClientHttp2Stream) => void,
): Promise<IncomingHttpHeaders> {
  const session = connect(`http://${await served.address()}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/a/B",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const said: IncomingHttpHeaders = {};
  stream.on("response", (more) => Object.assign(said, more));
  stream.on("trailers", (more) => Object.assign(said, more));
  stream.resume();
  send(stream);
  await once(stream, "close");
  session.close();
  return said;
}

const echo: Method = async (one) => {
  for await (const message of one.messages()) await one.send(frame(message));
};

suite("gRPC", () => {
  test("answers messages with messages", async () => {
    await using served = new Served(async (one) => {
      const message = await one.message();
      one.setTrailer("x-a", "b");
      for (let i = 0; i < 3; i += 1) await one.send(frame(concatBytes([message, utf8(`${i}`)])));
    });
    assert.deepEqual(await call(served), {
      messages: ["hello0", "hello1", "hello2"],
      code: 0,
      details: "",
    });
    assert.partialDeepStrictEqual(served.observed, [{ path: "/a/B", outcome: "ok" }]);
  });

  const failures: readonly [DbError, number, string][] = [
    [new DbError("invalid", "a", "ein Fehler: 100% ü€😀"), 3, "ein Fehler: 100% ü€😀"],
    [new DbError("not_found", "a", "gone"), 5, "gone"],
    [new DbError("exceeded", "a", "x".repeat(9_000)), 8, `${"x".repeat(1_999)}…`],
    [new DbError("denied", "unauthenticated", "who?"), 16, "who?"],
    [new DbError("denied", "forbidden", "not you"), 7, "not you"],
    [new DbError("unsupported", "sql_unsupported", "no such SQL"), 3, "no such SQL"],
    [new DbError("internal", "a", "secret"), 13, "internal error: the node's log says more"],
  ];
  for (const [error, code, details] of failures) {
    for (const late of [false, true])
      test(`says ${error.kind}${late ? " after messages" : ""} as ${code}`, async () => {
        await using served = new Served(async (one) => {
          if (late) await one.send(frame(utf8("part")));
          throw error;
        });
        const messages = late ? ["part"] : [];
        assert.deepEqual(await call(served), { messages, code, details });
      });
  }

  test("knows no other methods", async () => {
    await using served = new Served(echo);
    assert.equal((await call(served, { path: "/a/C" })).code, 12);
    assert.partialDeepStrictEqual(served.observed, [{ path: undefined, outcome: "client_error" }]);
  });

  test("refuses a message that is too long before it comes, and one that is compressed", async () => {
    await using served = new Served(echo);
    assert.equal((await call(served, { message: new Uint8Array(1_001) })).code, 8);
    assert.equal((await call(served, { message: new Uint8Array(1_000) })).code, 0);
    const long = await byHand(served, {}, (stream) => stream.write(Uint8Array.of(0, 127, 0, 0, 0)));
    assert.equal(long["grpc-status"], "8");
    const packed = await byHand(served, {}, (stream) => stream.end(Uint8Array.of(1, 0, 0, 0, 0)));
    assert.equal(packed["grpc-status"], "12");
    assert.equal(packed["grpc-accept-encoding"], "identity");
  });

  test("takes messages in pieces of a byte, and refuses one that ends too early", async () => {
    await using served = new Served(echo);
    const said = await byHand(served, {}, (stream) => {
      for (const byte of [...frame(utf8("ab")), ...frame(utf8(""))])
        stream.write(Uint8Array.of(byte));
      stream.end();
    });
    assert.equal(said["grpc-status"], "0");
    const cut = await byHand(served, {}, (stream) => stream.end(frame(utf8("ab")).subarray(0, 6)));
    assert.equal(cut["grpc-status"], "3");
  });

  test("ends with its deadline, and what it asked for with it", async () => {
    let reason: unknown;
    await using served = new Served(async (one) => {
      one.signal.addEventListener("abort", () => (reason = one.signal.reason));
      await clock.sleep(60_000, one.signal);
    });
    const said = await byHand(served, { "grpc-timeout": "50m" }, (stream) => stream.end());
    assert.equal(said["grpc-status"], "4");
    assert.equal((reason as DbError).code, "grpc_deadline");
    const wrong = await byHand(served, { "grpc-timeout": "soon" }, (stream) => stream.end());
    assert.equal(wrong["grpc-status"], "3");
  });

  test("gives up a client that sends nothing of what it is asked for", async () => {
    await using served = new Served(echo, { bodyStallMsMax: 40 });
    const said = await byHand(served, {}, (stream) => stream.write(Uint8Array.of(0, 0)));
    assert.equal(said["grpc-status"], "14");
  });

  test("counts what messages take, and takes none that nothing is left for", async () => {
    const read = Promise.withResolvers<void>();
    await using served = new Served(async (one) => {
      await one.message();
      read.resolve();
      await clock.sleep(60_000, one.signal);
    });
    const { memory } = served;
    const { session, stream } = await asleep(served);
    stream.write(Uint8Array.of(0, 0, 0, 3, 0));
    stream.write(new Uint8Array(700));
    while (memory.receivedBytes < 705) await clock.sleep(5);
    assert.ok(memory.receiving && memory.heldBytes >= 700 && memory.heldBytes <= 768);
    stream.write(new Uint8Array(68));
    await read.promise;
    assert.deepEqual([memory.heldBytes, memory.receiving], [768, false]);
    session.destroy();
    memory.sizeMax = 500;
    const refused = await call(served, { message: new Uint8Array(600) });
    assert.partialDeepStrictEqual(refused, { code: 8, details: "too much" });
  });

  test("waits for nothing of a client until it is asked for a message", async () => {
    const begun = Promise.withResolvers<void>();
    const admitted = Promise.withResolvers<void>();
    await using served = new Served(async (one) => {
      begun.resolve();
      await admitted.promise;
      await one.message();
    });
    const { memory } = served;
    const { session, stream } = await asleep(served);
    await begun.promise;
    assert.ok(!memory.receiving);
    admitted.resolve();
    while (!memory.receiving) await clock.sleep(5);
    stream.write(frame(utf8("a")));
    while (memory.receiving) await clock.sleep(5);
    session.destroy();
  });

  test("gives up a client that sends a little for ever", async () => {
    await using served = new Served(echo, { requestMsMax: 100 });
    const stop = new AbortController();
    const said = await byHand(served, {}, (stream) => {
      stream.once("close", () => stop.abort());
      stream.write(Uint8Array.of(0, 0, 0, 3, 0));
      const drip = async () => {
        for (;;) {
          await clock.sleep(20, stop.signal);
          stream.write(Uint8Array.of(1));
        }
      };
      drip().catch(() => undefined);
    });
    assert.equal(said["grpc-status"], "14");
    assert.ok(decodeURIComponent(String(said["grpc-message"])).includes("not done after 100 ms"));
  });

  test("waits longer for a client that takes than for one that sends", async () => {
    const piece = new Uint8Array(500_000);
    await using served = new Served(
      async (one) => {
        for (let i = 0; i < 3; i += 1) await one.send(frame(piece));
      },
      { bodyStallMsMax: 40 },
    );
    let sizeBytes = 0;
    const said = await byHand(served, {}, (stream) => {
      stream.end();
      stream.pause().on("data", (chunk: Uint8Array) => (sizeBytes += chunk.length));
      stream.pause();
      void clock.sleep(150).then(() => stream.resume());
    });
    assert.equal(said["grpc-status"], "0");
    assert.equal(sizeBytes, 3 * (piece.length + 5));
  });

  test("finds messages, whatever the pieces that they come in", () => {
    const reader = new FrameReader(1_000_000);
    const message = Uint8Array.from({ length: 100_000 }, (_, index) => index);
    const bytes = concatBytes([frame(message), frame(utf8("")), frame(utf8("b"))]);
    for (const size of [1, 7, 99_999, bytes.length]) {
      const messages: Uint8Array[] = [];
      for (let place = 0; place < bytes.length; place += size)
        messages.push(...reader.push(Buffer.from(bytes.subarray(place, place + size))));
      assert.deepEqual(
        messages.map((one) => Uint8Array.from(one)),
        [message, utf8(""), utf8("b")],
      );
      assert.ok(!reader.unfinished);
    }
  });

  test("ends when its client leaves", async () => {
    const left = Promise.withResolvers<unknown>();
    await using served = new Served(async (one) => {
      await one.send(frame(utf8("x")));
      one.signal.addEventListener("abort", () => left.resolve(one.signal.reason));
      await clock.sleep(60_000, one.signal);
    });
    await byHand(served, {}, (stream) => stream.once("response", () => stream.close()));
    assert.equal(((await left.promise) as DbError).code, "client_left");
  });

  test("waits for a client that does not read, holding little, and gives it up", async () => {
    let sentCount = 0;
    const piece = new Uint8Array(100_000);
    await using served = new Served(
      async (one) => {
        for (; sentCount < 1_000; sentCount += 1) await one.send(frame(piece));
      },
      { answerGraceMs: 100, answerRateMin: 1e9 },
    );
    const { session, stream } = await asleep(served);
    await new Promise((resolve) => stream.once("close", resolve));
    assert.ok(sentCount < 20, `${sentCount} pieces were taken`);
    assert.partialDeepStrictEqual(served.observed, [{ outcome: "client_error" }]);
    assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session.close();
  });

  test("gives up a client that takes a little all the time, and what works for it", async () => {
    const ended = Promise.withResolvers<unknown>();
    const piece = new Uint8Array(1_000_000);
    await using served = new Served(
      async (one) => {
        one.signal.addEventListener("abort", () => ended.resolve(one.signal.reason));
        for (;;) await one.send(frame(piece));
      },
      { answerGraceMs: 100, answerRateMin: 200_000, answerStallMsMax: 400 },
    );
    const { session, stream } = await asleep(served);
    let takenBytes = 0;
    stream.on("readable", () => undefined);
    const taking = setInterval(() => {
      takenBytes += ((stream.read(400) ?? stream.read()) as Uint8Array | null)?.length ?? 0;
    }, 10);
    assert.equal(((await ended.promise) as DbError).code, "answer_stalled");
    assert.ok(takenBytes > 400);
    clearInterval(taking);
    session.destroy();
  });

  test("gives up a client whose window never opens for the end of an answer", async () => {
    await using served = new Served((one) => one.send(frame(new Uint8Array(1_000))), {
      answerGraceMs: 40,
      answerRateMin: 1e9,
    });
    const { session, stream } = await asleep(served, { initialWindowSize: 0 });
    await new Promise((resolve) => stream.once("close", resolve));
    assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session.close();
  });
});

/** A call whose client reads nothing by itself. */
async function asleep(served: Served, settings: Settings = {}) {
  const session = connect(`http://${await served.address()}`, { settings });
  const stream = session.request({
    ":method": "POST",
    ":path": "/a/B",
    "content-type": "application/grpc",
  });
  stream.pause().on("error", () => undefined);
  return { session, stream };
}
