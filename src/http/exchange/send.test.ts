import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DbError, isKind } from "#base/errors.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { silentLog } from "#ports/log.ts";
import { openServer, send, sendRaw, someServices } from "#testing/http.ts";
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

  test("a client that takes nothing is cut off", async () => {
    const ended = Promise.withResolvers<void>();
    await using server = await querying(
      async function* () {
        try {
          for (;;) yield batch("x".repeat(1_000_000));
        } finally {
          ended.resolve();
        }
      },
      { limits: { answerStallMsMax: 60 } },
    );
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    socket.write(`GET ${SELECT} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await ended.promise;
    socket.destroy();
  });
});
