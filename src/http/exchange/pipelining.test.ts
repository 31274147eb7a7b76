/** Requests that clients of HTTP/1.1 send before they have the answers to those before. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isKind } from "#base/errors.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { silentLog } from "#ports/log.ts";
import { openServer, sendRaw, someServices } from "#testing/http.ts";
import type { HttpLimits } from "../options.ts";
import type { HttpServer } from "../server.ts";

const FIELDS = [{ name: "n", type: "string" }] as const;
const METRICS = get("/metrics");
const QUERY = get("/api/v3/query_sql?db=a&q=x&format=jsonl");
const WRITE = "POST /api/v3/write_lp?db=a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nm v=1";
const LAST = get("/health", "Connection: close\r\n");
const GRACE_MS = 200;
/** Longer than that, and than it takes to notice. */
const WAIT_MS = 500;

function get(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
}

/** A server of little patience: `metrics` are there when `go` is called, rows are those of `batches`. */
class Served implements AsyncDisposable {
  readonly statuses: number[] = [];
  /** Codes of what was warned of. */
  readonly told: unknown[] = [];
  readonly go: () => void;
  readonly server: HttpServer;

  private constructor(server: HttpServer, go: () => void) {
    this.server = server;
    this.go = go;
  }

  static async open(
    batches: (signal: AbortSignal) => AsyncIterable<ResultBatch>,
    limits: Partial<HttpLimits> = {},
  ): Promise<Served> {
    const gate = Promise.withResolvers<void>();
    const server = await openServer({
      limits: { answerGraceMs: GRACE_MS, ...limits },
      log: {
        ...silentLog,
        warn: (_message, fields) => void served.told.push(fields?.["code"]),
      },
      observe: ({ status }) => void served.statuses.push(status),
      services: someServices({
        metrics: async () => {
          await gate.promise;
          return "first";
        },
        query: async (_request, signal) => ({ fields: FIELDS, batches: batches(signal) }),
        write: async () => ({ token: undefined, rejected: [], rejectedCount: 0, limitMet: false }),
      }),
    });
    const served = new Served(server, gate.resolve);
    return served;
  }

  /** Resolves when so many requests are over. */
  async observed(count: number): Promise<void> {
    while (this.statuses.length < count) await delay(5);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.go();
    await this.server[Symbol.asyncDispose]();
  }
}

function batch(text: string): ResultBatch {
  return { rowCount: 1, columns: [{ type: "string", values: [text] }] };
}

/** Rows without end; `onEnd` learns why nobody wants more. */
async function* endless(
  signal: AbortSignal,
  onEnd: (reason: unknown) => void,
): AsyncGenerator<ResultBatch> {
  try {
    for (;;) yield batch("x".repeat(1_000_000));
  } finally {
    onEnd(signal.reason);
  }
}

suite("an answer that waits for the one before it", () => {
  test("waits as long as that takes, small or large, and is whole", async () => {
    await using served = await Served.open(async function* () {
      yield batch("x".repeat(600_000));
    });
    const answer = sendRaw(served.server.address, METRICS + WRITE + QUERY + WRITE + LAST);
    await delay(WAIT_MS);
    assert.deepEqual([served.told, served.statuses], [[], []]);
    served.go();
    const { text } = await answer;
    assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), [
      "HTTP/1.1 200",
      "HTTP/1.1 204",
      "HTTP/1.1 200",
      "HTTP/1.1 204",
      "HTTP/1.1 200",
    ]);
    const unchunked = text.replaceAll(/\r\n[0-9a-f]+\r\n/g, "");
    assert.ok(unchunked.includes(`{"n":"${"x".repeat(600_000)}"}`));
    assert.ok(text.endsWith("OK"));
    assert.deepEqual([served.told, served.statuses], [[], [200, 204, 200, 204, 200]]);
  });

  test("is given up once it is its turn and the client takes too little", async () => {
    const ends: unknown[] = [];
    await using served = await Served.open(
      (signal) => endless(signal, (reason) => ends.push(reason)),
      { answerRateMin: 1e9 },
    );
    const socket = connect(Number(served.server.address.split(":")[1]), "127.0.0.1");
    socket.on("error", () => undefined).pause();
    socket.write(METRICS + QUERY);
    await delay(WAIT_MS);
    assert.equal(ends.length, 0);
    served.go();
    await served.observed(2);
    assert.equal(ends.length, 1);
    assert.deepEqual([served.told, served.statuses], [["answer_stalled"], [200, 499]]);
    socket.destroy();
  });

  test("is over when the client leaves, and what works for it", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    await using served = await Served.open((signal) => {
      begun.resolve();
      return endless(signal, ended.resolve);
    });
    const socket = connect(Number(served.server.address.split(":")[1]), "127.0.0.1");
    socket.write(METRICS + QUERY);
    await begun.promise;
    socket.destroy();
    const reason = await ended.promise;
    assert.ok(isKind(reason, "unavailable") && reason.code === "client_left");
  });

  test("ends the connection behind that one when it cannot be whole", async () => {
    await using served = await Served.open(async function* () {
      yield batch("second");
      throw new Error("broken");
    });
    const answer = sendRaw(served.server.address, METRICS + QUERY + LAST);
    await served.observed(1);
    assert.deepEqual(served.statuses, [500]);
    served.go();
    const { text } = await Promise.race([answer, delay(2_000, { text: "late" }, { ref: false })]);
    assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\nfirst$/);
  });
});
