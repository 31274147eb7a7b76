import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectOver2,
  type Settings,
} from "node:http2";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DbError, isKind } from "#base/errors.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { silentLog } from "#ports/log.ts";
import { machineClock, openServer, send, sendRaw, someServices } from "#testing/http.ts";
import type { ObservedRequest } from "../options.ts";
import type { HttpServer } from "../server.ts";

const SELECT = "/api/v3/query_sql?db=a&q=x&format=jsonl";
const FIELDS = [{ name: "n", type: "string" }] as const;

function batch(text: string): ResultBatch {
  return { rowCount: 1, columns: [{ type: "string", values: [text] }] };
}

/** A server whose query answers what `batches` gives. */
function querying(
  batches: (signal: AbortSignal) => AsyncIterable<ResultBatch>,
  options: Parameters<typeof openServer>[0] = {},
): Promise<HttpServer> {
  return openServer({
    services: someServices({
      query: (_request, signal) => Promise.resolve({ fields: FIELDS, batches: batches(signal) }),
    }),
    ...options,
  });
}

suite("answers in pieces", () => {
  test("go out as they are made", async () => {
    const taken = Promise.withResolvers<void>();
    await using server = await querying(async function* () {
      yield batch("first");
      await taken.promise;
      yield batch("second");
    });
    const request = httpRequest(`http://${server.address}${SELECT}`, { agent: false }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const pieces: string[] = [];
    for await (const piece of response) {
      pieces.push(String(piece));
      taken.resolve();
    }
    assert.deepEqual(pieces, ['{"n":"first"}\n', '{"n":"second"}\n']);
  });

  test("are broken off when a later one fails, and never look whole", async () => {
    const seen: ObservedRequest[] = [];
    await using server = await querying(
      async function* () {
        yield batch("first");
        throw new DbError("unavailable", "engine_restarted", "again");
      },
      { observe: (request) => seen.push(request) },
    );
    await assert.rejects(send(server.address, { path: SELECT }));
    const eleven = await sendRaw(server.address, `GET ${SELECT} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.doesNotMatch(eleven.text, /\r\n0\r\n\r\n$/);
    // Without chunks the end of the connection would be the end of the answer, had it not been reset.
    const ten = await sendRaw(server.address, `GET ${SELECT} HTTP/1.0\r\n\r\n`);
    assert.equal(ten.reset, true);
    assert.deepEqual(
      seen.map(({ status, outcome }) => [status, outcome]),
      [
        [500, "server_error"],
        [500, "server_error"],
        [500, "server_error"],
      ],
    );
  });

  test("are made no faster than the client takes them, and no more when it leaves", async () => {
    let made = 0;
    const first = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    await using server = await querying(async function* (signal) {
      try {
        for (;;) {
          signal.throwIfAborted();
          made += 1;
          first.resolve();
          yield batch("x".repeat(1_000_000));
        }
      } finally {
        ended.resolve(signal.reason);
      }
    });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.pause();
    socket.write(`GET ${SELECT} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await first.promise;
    await delay(100);
    assert.ok(made < 30, `${made} batches are under way to a client that takes none`);
    socket.destroy();
    const reason = await ended.promise;
    assert.ok(isKind(reason, "unavailable") && reason.code === "client_left");
  });

  test("a client that leaves before the first one ends the query", async () => {
    const seen: ObservedRequest[] = [];
    const lines: string[] = [];
    const ended = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await openServer({
      log: { ...silentLog, error: (message) => lines.push(message) },
      observe: (request) => seen.push(request),
      services: someServices({
        query: (_request, signal) => {
          started.resolve();
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              ended.resolve();
              reject(new TypeError("what comes of an abort is no failure"));
            });
          });
        },
      }),
    });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.write(`GET ${SELECT} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await started.promise;
    socket.destroy();
    await ended.promise;
    assert.deepEqual(
      seen.map(({ status, outcome }) => [status, outcome]),
      [[499, "client_error"]],
    );
    await delay(5);
    assert.deepEqual(lines, []);
  });

  for (const version of [1, 2])
    test(`a client of HTTP/${version} that takes nothing is given up, and its query ends`, async () => {
      const seen: ObservedRequest[] = [];
      const told: unknown[] = [];
      const closed = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<void>();
      await using server = await querying(() => endless(ended.resolve), {
        limits: { answerGraceMs: 40, answerRateMin: 1e9 },
        log: { ...silentLog, warn: (message, fields) => told.push(message, fields?.["code"]) },
        observe: (request) => {
          seen.push(request);
          closed.resolve();
        },
      });
      const leave = version === 1 ? askAndSleep(server) : askAndSleepOver2(server);
      await ended.promise;
      await closed.promise;
      leave();
      assert.deepEqual(told, ["An answer was broken off.", "answer_stalled"]);
      assert.partialDeepStrictEqual(seen, [{ status: 499, outcome: "client_error" }]);
    });

  test("a client that does not take the end of an answer is given up", async () => {
    const told: unknown[] = [];
    const closed = Promise.withResolvers<void>();
    await using server = await querying(
      async function* () {
        yield batch("x".repeat(65_500));
      },
      {
        limits: { answerGraceMs: 40, answerRateMin: 1e9 },
        log: { ...silentLog, warn: (message, fields) => told.push(message, fields?.["code"]) },
        observe: () => closed.resolve(),
      },
    );
    const leave = askAndSleepOver2(server, { initialWindowSize: 0 });
    await closed.promise;
    leave();
    assert.deepEqual(told, ["An answer was broken off.", "answer_stalled"]);
  });

  const limits = { answerGraceMs: 100, answerRateMin: 200_000, answerStallMsMax: 400 };

  test("a client that takes a little all the time, below the least rate, is given up", async () => {
    const ended = Promise.withResolvers<void>();
    await using server = await querying(() => endless(ended.resolve), { limits });
    await using client = await SlowClient.open(server, { sizeBytes: 400, everyMs: 10 });
    await ended.promise;
    assert.ok(client.takenBytes > 400, "it took something");
  });

  test("a client that takes more than the least rate gets all of it, with a pause", async () => {
    const sizeBytes = 600_000;
    await using server = await querying(
      async function* () {
        yield batch("x".repeat(sizeBytes));
      },
      { limits },
    );
    await using client = await SlowClient.open(server, { sizeBytes: 10_000, everyMs: 10 });
    await client.pause(limits.answerGraceMs);
    await client.whole;
    assert.ok(client.takenBytes > sizeBytes);
  });

  test("a large answer in one piece is as patient as one in chunks", async () => {
    const lines = "x".repeat(600_000);
    await using server = await openServer({
      limits,
      services: someServices({ metrics: async () => lines }),
    });
    await using client = await SlowClient.open(
      server,
      { sizeBytes: 10_000, everyMs: 10 },
      "/metrics",
    );
    await client.whole;
    assert.equal(client.takenBytes, lines.length);
  });
});

/** Rows without end; `onEnd` is called when nobody wants more. */
async function* endless(onEnd: () => void): AsyncGenerator<ResultBatch> {
  try {
    for (;;) yield batch("x".repeat(1_000_000));
  } finally {
    onEnd();
  }
}

/** Asks, and reads nothing; answers how to leave. */
function askAndSleep({ address }: HttpServer): () => void {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.on("error", () => undefined).pause();
  socket.write(`GET ${SELECT} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return () => socket.destroy();
}

function askAndSleepOver2({ address }: HttpServer, settings: Settings = {}): () => void {
  const session = connectOver2(`http://${address}`, { settings });
  const stream = session.request({ ":path": SELECT });
  stream.on("error", () => undefined).pause();
  return () => session.destroy();
}

/** A client over HTTP/2, whose windows say how much it has taken, that reads so much every so often. */
class SlowClient implements AsyncDisposable {
  /** Resolves when all of the answer is here. */
  readonly whole: Promise<void>;
  takenBytes = 0;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #stop = new AbortController();
  #pausedUntilMs = 0;

  private constructor(session: ClientHttp2Session, path: string) {
    this.#session = session;
    this.#stream = session.request({ ":path": path });
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    this.#stream.on("error", reject).on("end", resolve);
    this.#stream.on("readable", () => undefined);
    this.whole = promise;
    promise.catch(() => undefined);
  }

  static async open(
    { address }: HttpServer,
    rate: { readonly sizeBytes: number; readonly everyMs: number },
    path = SELECT,
  ): Promise<SlowClient> {
    const session = connectOver2(`http://${address}`);
    await once(session, "connect");
    const client = new SlowClient(session, path);
    void client.#read(rate);
    return client;
  }

  async pause(durationMs: number): Promise<void> {
    this.#pausedUntilMs = machineClock.monotonicMs() + durationMs;
    await delay(durationMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#session.destroy();
    if (!this.#stream.closed) await once(this.#stream, "close");
  }

  async #read({ everyMs, sizeBytes }: Parameters<typeof SlowClient.open>[1]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await delay(everyMs);
      if (machineClock.monotonicMs() < this.#pausedUntilMs) continue;
      const bytes = (this.#stream.read(sizeBytes) ?? this.#stream.read()) as Uint8Array | null;
      this.takenBytes += bytes?.length ?? 0;
    }
  }
}
