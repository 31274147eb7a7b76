/** Flight SQL as tools speak it, Grafana's plugin among them: messages are made and read by the protocol's own description. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Client as SqlClient } from "@lancedb/arrow-flight-sql-client";
import {
  Float64,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import protobuf from "protobufjs";
import { Sandbox, type TestNode } from "./cluster.ts";

type Json = Readonly<Record<string, unknown>>;

const SERVICE = "/arrow.flight.protocol.FlightService/";
const DIST = new URL("./", import.meta.resolve("@lancedb/arrow-flight-sql-client"));
const root = new protobuf.Root();

function messageType(name: string): protobuf.Type {
  return root.lookupType(`arrow.flight.protocol.${name}`);
}

function encode(name: string, value: Json): Buffer {
  return Buffer.from(messageType(name).encode(value).finish());
}

function decode(name: string, bytes: Uint8Array): Json {
  return messageType(name).toObject(messageType(name).decode(bytes), { bytes: Uint8Array });
}

/** An `Any` that holds a message of Flight SQL. */
function any(name: string, value: Json): Buffer {
  const type = `type.googleapis.com/arrow.flight.protocol.sql.${name}`;
  const writer = protobuf.Writer.create().uint32(10).string(type);
  return Buffer.from(
    writer
      .uint32(18)
      .bytes(encode(`sql.${name}`, value))
      .finish(),
  );
}

function unpacked(name: string, bytes: Uint8Array): Json {
  const reader = protobuf.Reader.create(bytes);
  reader.uint32();
  assert.equal(reader.string(), `type.googleapis.com/arrow.flight.protocol.sql.${name}`);
  reader.uint32();
  return decode(`sql.${name}`, reader.bytes());
}

/** Calls of one client with the headers that it always sends. */
class Caller implements Disposable {
  readonly #client: Client;
  readonly #headers = new Metadata();

  constructor(node: TestNode, headers: Readonly<Record<string, string>> = { database: "db" }) {
    this.#client = new Client(node.url.replace("http://", ""), credentials.createInsecure());
    for (const [name, value] of Object.entries(headers)) this.#headers.set(name, value);
  }

  /** Sends `messages`, and gives what comes back. */
  async call(method: string, ...messages: readonly Buffer[]): Promise<readonly Uint8Array[]> {
    const stream = this.#client.makeBidiStreamRequest(
      SERVICE + method,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      this.#headers,
    );
    for (const message of messages) stream.write(message);
    stream.end();
    const answers: Buffer[] = [];
    stream.on("data", (bytes: Buffer) => answers.push(bytes));
    await once(stream, "end");
    return answers;
  }

  /** The schema that a command is said to have, and its rows. */
  async ask(name: string, value: Json): Promise<{ said: Table; table: Table }> {
    const descriptor = { type: 2, cmd: any(name, value) };
    const [bytes] = await this.call("GetFlightInfo", encode("FlightDescriptor", descriptor));
    const info = decode("FlightInfo", bytes ?? new Uint8Array());
    const endpoints = info["endpoint"] as readonly {
      ticket: Json;
      location?: readonly unknown[];
    }[];
    assert.equal(endpoints.length, 1);
    assert.deepEqual(endpoints[0]?.location ?? [], []);
    assert.partialDeepStrictEqual(info, { flightDescriptor: descriptor });
    const table = await this.redeem(endpoints[0]?.ticket ?? {});
    return { said: tableFromIPC(info["schema"] as Uint8Array), table };
  }

  async redeem(ticket: Json): Promise<Table> {
    const messages = await this.call("DoGet", encode("Ticket", ticket));
    const parts = messages.flatMap((message) => {
      const { dataBody, dataHeader } = decode("FlightData", message) as {
        dataHeader: Uint8Array;
        dataBody?: Uint8Array;
      };
      const lead = Buffer.alloc(8, 0xff);
      lead.writeInt32LE(dataHeader.length, 4);
      return [lead, dataHeader, dataBody ?? new Uint8Array()];
    });
    return tableFromIPC(Buffer.concat(parts));
  }

  async rows(name: string, value: Json): Promise<readonly Json[]> {
    const { said, table } = await this.ask(name, value);
    assert.equal(String(said.schema), String(table.schema));
    return table.toArray().map((row: { toJSON(): Json }) => row.toJSON());
  }

  async prepare(
    query: string,
  ): Promise<{ handle: Uint8Array; fields: string; parameters: string }> {
    const body = any("ActionCreatePreparedStatementRequest", { query });
    const action = encode("Action", { type: "CreatePreparedStatement", body });
    const [result] = await this.call("DoAction", action);
    const answer = decode("Result", result ?? new Uint8Array());
    const made = unpacked("ActionCreatePreparedStatementResult", answer["body"] as Uint8Array);
    const schema = (name: string) => String(tableFromIPC(made[name] as Uint8Array).schema);
    return {
      handle: made["preparedStatementHandle"] as Uint8Array,
      fields: schema("datasetSchema"),
      parameters: schema("parameterSchema"),
    };
  }

  /** Gives parameters to the prepared statement `handle`; answers the new handle. */
  async bind(
    handle: Uint8Array,
    values: Readonly<Record<string, readonly (string | number)[] | BigInt64Array>>,
  ): Promise<Uint8Array> {
    const cmd = any("CommandPreparedStatementQuery", { preparedStatementHandle: handle });
    const vectors = Object.entries(values).map(([name, cells]) => [name, vectorOf(cells)] as const);
    const ipc = tableToIPC(new Table(Object.fromEntries(vectors)), "stream");
    const sent = [...messagesOf(ipc)].map((data, index) =>
      encode("FlightData", { ...data, ...(index === 0 && { flightDescriptor: { type: 2, cmd } }) }),
    );
    const [result] = await this.call("DoPut", ...sent);
    const put = decode("PutResult", result ?? new Uint8Array());
    const answer = decode("sql.DoPutPreparedStatementResult", put["appMetadata"] as Uint8Array);
    return answer["preparedStatementHandle"] as Uint8Array;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function vectorOf(cells: readonly (string | number)[] | BigInt64Array): Vector {
  if (cells instanceof BigInt64Array) return vectorFromArray(cells);
  return vectorFromArray(cells, typeof cells[0] === "string" ? new Utf8() : new Float64());
}

/** The messages of a stream of Arrow's. */
function* messagesOf(ipc: Uint8Array): Generator<{ dataHeader: Uint8Array; dataBody: Uint8Array }> {
  const view = new DataView(ipc.buffer, ipc.byteOffset, ipc.byteLength);
  for (let place = 0; place + 8 < ipc.length; ) {
    const size = view.getInt32(place + 4, true);
    if (size === 0) return;
    const dataHeader = ipc.subarray(place + 8, place + 8 + size);
    place += 8 + size;
    // A body ends where the next message, or the end of the stream, begins.
    let end = place;
    while (end < ipc.length && view.getInt32(end, true) !== -1) end += 8;
    yield { dataHeader, dataBody: ipc.subarray(place, end) };
    place = end;
  }
}

suite("Flight SQL", () => {
  let sandbox: Sandbox;
  let node: TestNode;
  let caller: Caller;
  before(async () => {
    for (const file of ["Flight.proto", "FlightSql.proto"])
      await root.load(fileURLToPath(new URL(file, DIST)));
    sandbox = await Sandbox.open();
    node = await sandbox.start({});
    await node.write(
      "db",
      "cpu,host=a usage=0.5,n=3i 1\ncpu,host=b usage=1.5,n=4i 2\nmem,host=a free=1u 1",
    );
    caller = new Caller(node);
  });
  after(async () => {
    caller[Symbol.dispose]();
    await node.stop();
    await sandbox[Symbol.asyncDispose]();
  });

  test("another client asks after a handshake", async () => {
    const client = await SqlClient.connect({
      host: node.url.replace("http://", ""),
      username: "any",
      password: "token",
      defaultDatabase: "db",
      insecure: true,
    });
    const result = await client.query("SELECT host, n FROM cpu ORDER BY time");
    assert.deepEqual(
      (await result.collectToObjects()).map((row) => ({ ...(row as object) })),
      [
        { host: "a", n: 3n },
        { host: "b", n: 4n },
      ],
    );
  });

  test("statements have one ticket, and the schema that they were said to have", async () => {
    const rows = await caller.rows("CommandStatementQuery", { query: "SELECT 1 AS one, 'x' AS x" });
    assert.deepEqual(rows, [{ one: 1n, x: "x" }]);
  });

  test("catalogs, schemas, types of tables", async () => {
    assert.deepEqual(await caller.rows("CommandGetCatalogs", {}), [{ catalog_name: "public" }]);
    const schemas = async (value: Json) =>
      (await caller.rows("CommandGetDbSchemas", value)).map((row) => row["db_schema_name"]);
    assert.deepEqual(await schemas({}), ["information_schema", "iox", "system"]);
    assert.deepEqual(await schemas({ dbSchemaFilterPattern: "i%x" }), ["iox"]);
    assert.deepEqual(await schemas({ catalog: "other" }), []);
    const types = await caller.rows("CommandGetTableTypes", {});
    assert.deepEqual(
      types.map((row) => row["table_type"]),
      ["BASE TABLE", "VIEW"],
    );
  });

  test("tables by pattern and type, and their columns", async () => {
    const filter = { dbSchemaFilterPattern: "iox", tableTypes: ["BASE TABLE", "table"] };
    assert.deepEqual(await caller.rows("CommandGetTables", filter), [
      {
        catalog_name: "public",
        db_schema_name: "iox",
        table_name: "cpu",
        table_type: "BASE TABLE",
      },
      {
        catalog_name: "public",
        db_schema_name: "iox",
        table_name: "mem",
        table_type: "BASE TABLE",
      },
    ]);
    const [one] = await caller.rows("CommandGetTables", {
      dbSchemaFilterPattern: "iox",
      tableNameFilterPattern: "c_u",
      includeSchema: true,
    });
    const { schema } = tableFromIPC(one?.["table_schema"] as Uint8Array);
    assert.equal(
      schema.fields.map(({ name, type }) => `${name} ${type}`).join(", "),
      "host Utf8, n Int64, time Timestamp<NANOSECOND>, usage Float64",
    );
    assert.deepEqual(await caller.rows("CommandGetTables", { tableNameFilterPattern: "\\%" }), []);
    using other = new Caller(node, { database: "db", "x-influxdata-base-table-type": "TABLE" });
    const renamed = await other.rows("CommandGetTables", { ...filter, tableTypes: ["TABLE"] });
    assert.equal(renamed.length, 2);
  });

  test("what the server is, all of it or what is asked for", async () => {
    const all = await caller.rows("CommandGetSqlInfo", {});
    assert.ok(all.length > 60);
    const some = await caller.rows("CommandGetSqlInfo", { info: [504, 3, 9999, 540] });
    assert.deepEqual(some, [
      { info_name: 3, value: true },
      { info_name: 504, value: '"' },
      { info_name: 540, value: 3 },
    ]);
  });

  test("types, and keys that there are none of", async () => {
    const types = await caller.rows("CommandGetXdbcTypeInfo", {});
    assert.ok(types.some((row) => row["type_name"] === "TIMESTAMP"));
    const one = await caller.rows("CommandGetXdbcTypeInfo", { dataType: -5 });
    assert.deepEqual(
      one.map((row) => row["type_name"]),
      ["BIGINT"],
    );
    for (const name of ["PrimaryKeys", "ExportedKeys", "ImportedKeys"])
      assert.deepEqual(await caller.rows(`CommandGet${name}`, { table: "cpu" }), []);
    assert.deepEqual(
      await caller.rows("CommandGetCrossReference", { pkTable: "a", fkTable: "b" }),
      [],
    );
  });

  test("prepared statements say what they take, and are given it", async () => {
    const made = await caller.prepare("SELECT n FROM cpu WHERE host = $1 AND usage < $2 LIMIT $3");
    assert.equal(made.fields, "Schema<{ 0: n: Int64 }>");
    assert.equal(made.parameters, "Schema<{ 0: $1: Utf8, 1: $2: Utf8, 2: $3: Int64 }>");
    const run = (handle: Uint8Array) =>
      caller.rows("CommandPreparedStatementQuery", { preparedStatementHandle: handle });
    const first = await caller.bind(made.handle, {
      $1: ["a"],
      $2: [9.5],
      $3: new BigInt64Array([5n]),
    });
    assert.deepEqual(await run(first), [{ n: 3n }]);
    assert.deepEqual(
      await run(await caller.bind(first, { a: ["b"], b: [1], c: new BigInt64Array([5n]) })),
      [],
    );
    assert.deepEqual(
      await run(await caller.bind(first, { a: ["b"], b: [2.5], c: new BigInt64Array([5n]) })),
      [{ n: 4n }],
    );
    const named = await caller.prepare("SELECT host FROM cpu WHERE n = $n");
    const bound = await caller.bind(named.handle, { n: new BigInt64Array([4n]) });
    assert.deepEqual(await run(bound), [{ host: "b" }]);
    await assert.rejects(run(made.handle), { code: 3 });
    const body = any("ActionClosePreparedStatementRequest", { preparedStatementHandle: first });
    const closed = await caller.call(
      "DoAction",
      encode("Action", { type: "ClosePreparedStatement", body }),
    );
    assert.equal(closed.length, 1);
  });

  test("what is wrong has a status", async () => {
    const wrong: readonly [() => Promise<unknown>, number][] = [
      [() => caller.rows("CommandStatementQuery", { query: "SELECT nope FROM cpu" }), 3],
      [() => caller.rows("CommandStatementUpdate", { query: "DELETE FROM cpu" }), 12],
      [
        () => caller.call("GetFlightInfo", encode("FlightDescriptor", { type: 1, path: ["cpu"] })),
        12,
      ],
      [() => caller.call("GetFlightInfo", Buffer.from("nonsense")), 3],
      [() => caller.call("DoGet", encode("Ticket", { ticket: Buffer.from("{}") })), 3],
      [() => caller.call("DoGet", encode("Ticket", {})), 3],
      [() => caller.call("DoAction", encode("Action", { type: "Drop" })), 3],
      [() => caller.call("ListFlights", Buffer.alloc(0)), 12],
      [() => caller.bind(Buffer.of(255, 254), { a: [1] }), 3],
      [() => new Caller(node, {}).rows("CommandGetCatalogs", {}), 3],
      [() => new Caller(node, { database: "a", bucket: "b" }).rows("CommandGetCatalogs", {}), 3],
      [() => new Caller(node, { database: "gone" }).rows("CommandGetTables", {}), 5],
    ];
    for (const [index, [asked, code]] of wrong.entries())
      await assert.rejects(asked(), { code }, `case ${index}`);
  });
});
