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
import type { MessageMemory } from "./grpc/call.ts";
import { GrpcServer } from "./grpc/server.ts";
import { encodeAny, encodeProtobuf, Message } from "./protobuf.ts";
import type { FlightServices } from "./services.ts";
import { parsePattern } from "./sql/pattern.ts";
import { readHandle } from "./sql/prepared.ts";
import { encodeTicket } from "./ticket.ts";

const FIELDS: readonly Field[] = [{ name: "v", type: "int64", column: "integer" }];
const KEEP_ALIVE_MS = 40;
const LIMITS = {
  requestSizeMax: 200_000,
  bodyStallMsMax: 5_000,
  requestMsMax: 5_000,
  answerGraceMs: 5_000,
  answerRateMin: 4 * 1024,
  answerStallMsMax: 5_000,
};

/** Memory without a bound. */
function uncounted(): MessageMemory {
  return { hold: () => undefined, begin: () => undefined, receivedBytes: 0, receiving: false };
}

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
  options: {
    readonly auth?: boolean;
    readonly cancelAfter?: number;
    readonly describe?: FlightServices["describe"];
  } = {},
): Promise<Taken> {
  const json = JSON.stringify({ database: "db", sql_query: "SELECT" });
  const describe = options.describe ?? (async () => FIELDS);
  return call(
    { query, describe },
    { ...options, method: "DoGet", message: encodeProtobuf({ 1: json }) },
  );
}

/** What a client takes that calls a method of a node with `services`. */
async function call(
  services: Partial<FlightServices>,
  options: {
    readonly method: string;
    readonly message: Uint8Array;
    readonly timeoutMs?: number;
    readonly auth?: boolean;
    readonly cancelAfter?: number;
  },
): Promise<Taken> {
  const methods = flightMethods({
    services: {
      query: async () => assert.fail("it was asked"),
      describe: async () => FIELDS,
      authenticate: async () => NOBODY,
      ...services,
    },
    access: { withoutAuth: options.auth !== true, openActions: [] },
    clock,
    timeoutMs: options.timeoutMs ?? 5_000,
    keepAliveMs: KEEP_ALIVE_MS,
  });
  const grpc = new GrpcServer({ methods, limits: LIMITS, clock, log: silentLog });
  const server = createServer((request, response) => grpc.answer(request, response, uncounted()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new Client(address, credentials.createInsecure());
  const headers = new Metadata();
  headers.set("database", "db");
  const stream = client.makeServerStreamRequest(
    `/arrow.flight.protocol.FlightService/${options.method}`,
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => new Message(bytes).bytes(1000).length,
    options.message,
    headers,
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

/** A query that waits for its turn, and is planned then. */
async function waiting({ onFields }: QueryRequest): Promise<QueryAnswer> {
  await clock.sleep(4.5 * KEEP_ALIVE_MS);
  onFields?.(FIELDS);
  return { fields: FIELDS, batches: twoBatches() };
}

/** What keeps a statement from being described, or tells another thing than what it answers. */
const undescribed = () => Promise.reject(new DbError("exceeded", "queries_full", "full"));
const misdescribed = async () => [{ name: "w", type: "string" } as const];

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

  test("that wait for their turn have a schema and signs of life meanwhile", async () => {
    const { bodies, code } = await take(waiting);
    assert.equal(code, 0);
    const rows = bodies.indexOf(16);
    assert.equal(bodies[0], 0);
    assert.ok(rows >= 3, `${bodies.join(" ")} has batches without rows after the schema`);
  });

  test("that cannot be described before their turn come without signs of life", async () => {
    const { bodies, code } = await take(waiting, { describe: undescribed });
    assert.deepEqual([code, bodies[0], bodies[1]], [0, 0, 16]);
  });

  test("that turn out otherwise than they were described are to be asked for again", async () => {
    const { bodies, code } = await take(waiting, { describe: misdescribed });
    assert.deepEqual([code, bodies[0], bodies.at(-1)], [14, 0, 0]);
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

/** Greets with so many bytes. */
function greet(sizeBytes: number): Promise<Taken> {
  return call(
    {},
    { method: "Handshake", message: encodeProtobuf({ 2: new Uint8Array(sizeBytes) }) },
  );
}

suite("greetings", () => {
  test("are short, for nobody is known who sends one", async () => {
    assert.equal((await greet(60_000)).code, 0);
    assert.equal((await greet(70_000)).code, 8);
  });
});

/** An action that makes a prepared statement. */
function preparing(query: string) {
  const request = encodeAny(
    "arrow.flight.protocol.sql.ActionCreatePreparedStatementRequest",
    encodeProtobuf({ 1: query }),
  );
  const message = encodeProtobuf({ 1: "CreatePreparedStatement", 2: request });
  return { method: "DoAction", message };
}

/** A statement of so many parameters. */
function many(count: number): string {
  return `SELECT ${Array.from({ length: count }, (_, index) => `$a${index}`).join(",")}`;
}

/** A handle whose one parameter is `whole`. */
function handleOf(whole: unknown): Uint8Array {
  return encodeAny(
    "influxdata.iox.querier.v1.FlightSqlPreparedStatementHandle",
    encodeProtobuf({ 1: "SELECT $a", 2: JSON.stringify([["a", { whole }]]) }),
  );
}

/** Counts what is done many times, between which others must have their turn. */
class PoliteCount {
  count = 0;
  #othersCount = 0;

  add(): void {
    if (this.count === 0) setImmediate(() => (this.#othersCount += 1));
    this.count += 1;
    if (this.count > 50) assert.ok(this.#othersCount > 0, "nobody else had a turn");
  }
}

suite("prepared statements", () => {
  test("have up to 100 parameters, and are planned between the work of others", async () => {
    const plans = new PoliteCount();
    const describe = async () => {
      plans.add();
      return FIELDS;
    };
    assert.equal((await call({ describe }, preparing(many(100)))).code, 0);
    assert.equal(plans.count, 101);
    assert.equal((await call({ describe }, preparing(many(101)))).code, 8);
    assert.equal(plans.count, 101);
  });

  test("that have no plan are planned once", async () => {
    let planCount = 0;
    const describe = async () => {
      planCount += 1;
      throw new DbError("invalid", "sql_column", "there is no such column");
    };
    const { code } = await call({ describe }, preparing("SELECT nope FROM cpu WHERE a = $a"));
    assert.deepEqual([code, planCount], [3, 1]);
  });

  test("have whole numbers of 64 bits", () => {
    for (const value of [-(2n ** 63n), 0n, 2n ** 64n - 1n])
      assert.deepEqual(readHandle(handleOf(String(value))).parameters, { a: value });
    for (const wrong of [String(2n ** 64n), String(-(2n ** 63n) - 1n), "9".repeat(100), "", "0x1"])
      assert.throws(() => readHandle(handleOf(wrong)), { code: "flight_handle" });
  });
});

/** Asks for all tables, with their schemas. */
function askingTables() {
  const command = encodeAny(
    "arrow.flight.protocol.sql.CommandGetTables",
    encodeProtobuf({ 5: 1n }),
  );
  return { method: "DoGet", message: encodeProtobuf({ 1: encodeTicket("db", command) }) };
}

async function describedLate(_request: QueryRequest, signal: AbortSignal): Promise<typeof FIELDS> {
  await clock.sleep(60_000, signal);
  return FIELDS;
}

suite("lists of tables", () => {
  const TEXT = { type: "string" } as const;
  const tables = async (count: number): Promise<QueryAnswer> => ({
    fields: [],
    batches: (async function* () {
      const names = Array.from({ length: count }, (_, index) => `t${index}`);
      const columns = [["public"], ["iox"], names, ["BASE TABLE"]].map((column) => ({
        ...TEXT,
        values: names.map((name) => (column === names ? name : (column[0] ?? null))),
      }));
      yield { rowCount: count, columns };
    })(),
  });

  test("come in parts as they are planned, between the work of others, without tables that have gone", async () => {
    const plans = new PoliteCount();
    const describe = async () => {
      plans.add();
      if (plans.count % 2 === 0) throw new DbError("invalid", "table_not_found", "it has gone");
      return Array.from({ length: 100 }, (_, index) => ({
        ...FIELDS[0],
        name: `f${index}`,
      })) as Field[];
    };
    const { bodies, code } = await call({ query: () => tables(200), describe }, askingTables());
    assert.deepEqual([code, plans.count], [0, 200]);
    assert.ok(bodies.length > 3, `${bodies.length} messages`);
  });

  test("take no longer than a query may", async () => {
    const services = { query: () => tables(1), describe: describedLate };
    const { code } = await call(services, { ...askingTables(), timeoutMs: 40 });
    assert.equal(code, 8);
  });
});

suite("patterns", () => {
  const cases: readonly [string | undefined, string, boolean][] = [
    [undefined, "cpu", true],
    ["c%u", "cpu", true],
    ["c_", "cpu", false],
    ["c\\_u", "c_u", true],
    ["c\\_u", "cpu", false],
    ["%".repeat(1_000), "cpu", true],
  ];
  for (const [pattern, name, isFit] of cases)
    test(`${pattern?.slice(0, 10)} fits ${name}: ${isFit}`, () => {
      assert.equal(parsePattern(pattern)(name), isFit);
    });

  test("have up to 1,000 letters", () => {
    assert.throws(() => parsePattern("a".repeat(1_001)), { code: "flight_pattern" });
  });
});
