/** Answers of DoGet with small services, message by message. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { NOBODY } from "#access/principal.ts";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { silentLog } from "#ports/log.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";
import { machineClock as clock } from "#testing/http.ts";
import { flightMethods } from "./flight.ts";
import { GrpcServer } from "./grpc/server.ts";
import { encodeProtobuf, Message } from "./protobuf.ts";

const FIELDS: readonly Field[] = [{ name: "v", type: "int64", column: "integer" }];
const KEEP_ALIVE_MS = 40;

function batchOf(...values: readonly bigint[]): ResultBatch {
  return {
    rowCount: values.length,
    columns: [{ type: "int64", values: BigInt64Array.from(values) }],
  };
}

interface Taken {
  /** Bytes of the body of each message; the first is the schema. */
  readonly bodies: readonly number[];
  readonly code: number;
  readonly trailers: Metadata;
}

/** What a client takes that asks `ticket` of a node that answers as `query` does. */
async function take(
  query: (request: QueryRequest, signal: AbortSignal) => Promise<QueryAnswer>,
  options: { readonly auth?: boolean; readonly cancelAfter?: number } = {},
): Promise<Taken> {
  const methods = flightMethods({
    services: { query, describe: async () => FIELDS, authenticate: async () => NOBODY },
    access: { withoutAuth: options.auth !== true, openActions: [] },
    clock,
    keepAliveMs: KEEP_ALIVE_MS,
  });
  const limits = { requestSizeMax: 10_000, stallMsMax: 5_000 };
  const grpc = new GrpcServer({ methods, limits, clock, log: silentLog });
  const server = createServer((request, response) => grpc.answer(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new Client(address, credentials.createInsecure());
  const json = JSON.stringify({ database: "db", sql_query: "SELECT" });
  const stream = client.makeServerStreamRequest(
    "/arrow.flight.protocol.FlightService/DoGet",
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => new Message(bytes).bytes(1000).length,
    encodeProtobuf({ 1: json }),
    new Metadata(),
  );
  const bodies: number[] = [];
  stream.on("data", (size: number) => {
    bodies.push(size);
    if (bodies.length === options.cancelAfter) stream.cancel();
  });
  const { promise, resolve } = Promise.withResolvers<Taken>();
  stream.on("error", () => undefined);
  stream.on("status", ({ code, metadata }: ServiceError) => {
    resolve({ bodies, code, trailers: metadata });
  });
  const taken = await promise;
  client.close();
  server.close();
  await once(server, "close");
  return taken;
}

const TOO_MUCH = new DbError("exceeded", "query_memory", "too much");

async function* broken() {
  yield batchOf(1n);
  throw TOO_MUCH;
}

async function* twoBatches() {
  yield batchOf(1n, 2n);
  await clock.sleep(1.5 * KEEP_ALIVE_MS);
  yield batchOf(3n);
}

suite("answers of DoGet", () => {
  test("begin with the schema, and have signs of life until there are rows", async () => {
    const taken = await take(async ({ onFields }) => {
      onFields?.(FIELDS);
      await clock.sleep(2.5 * KEEP_ALIVE_MS);
      return { fields: FIELDS, batches: twoBatches() };
    });
    const { bodies, code, trailers } = taken;
    assert.equal(code, 0);
    const rows = bodies.indexOf(16);
    assert.equal(bodies[0], 0);
    assert.ok(rows >= 2, `${bodies.join(" ")} has a batch without rows after the schema`);
    assert.equal(bodies.at(-1), 8);
    assert.ok(
      bodies.length >= rows + 3,
      `${bodies.join(" ")} has a batch without rows between others`,
    );
    const names = ["planning", "execution"].map((name) => `x-influxdata-${name}-duration-seconds`);
    for (const name of names) assert.match(String(trailers.get(name)[0]), /^\d+\.\d{6}$/);
  });

  test("that fail end with a status, before and after the first rows", async () => {
    const early = await take(async () => Promise.reject(TOO_MUCH));
    assert.deepEqual([early.bodies, early.code], [[], 8]);
    const late = await take(async ({ onFields }) => {
      onFields?.(FIELDS);
      return { fields: FIELDS, batches: broken() };
    });
    assert.deepEqual([late.bodies, late.code], [[0, 8], 8]);
  });

  test("of a table that changes meanwhile are to be asked for again", async () => {
    const taken = await take(async ({ onFields }) => {
      onFields?.(FIELDS);
      const fields = [...FIELDS, { name: "w", type: "string" } as const];
      return { fields, batches: (async function* () {})() };
    });
    assert.deepEqual([taken.bodies, taken.code], [[0], 14]);
  });

  test("end their query when the client leaves", async () => {
    const ended = Promise.withResolvers<unknown>();
    const taken = await take(
      async ({ onFields }, signal) => {
        onFields?.(FIELDS);
        signal.addEventListener("abort", () => ended.resolve(signal.reason));
        await clock.sleep(60_000, signal);
        throw new Error("nobody is there");
      },
      { cancelAfter: 1 },
    );
    assert.equal(taken.code, 1);
    assert.equal(((await ended.promise) as DbError).code, "client_left");
  });

  test("are for who brings a token", async () => {
    const taken = await take(async () => assert.fail("it was asked"), { auth: true });
    assert.equal(taken.code, 16);
  });
});
