import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadata, parquetReadObjects, parquetSchema } from "hyparquet";
import { Bench } from "../../contract/bench.ts";
import { openTestEngine } from "../test-engine.ts";

const ROW_COUNT = 3_000;
const NAMES = ["time", "host", "Host_3", "load", "whole", "count", "large", "up", "said", "_order"];

/** Values that take every encoding a file has: few and many different ones, steps, bits, NULLs. */
function rowOf(index: number) {
  return {
    time: 1_790_000_000_000_000_000n + BigInt(index) * 10_000_000_001n,
    host: `host${String(index % 2).padStart(2, "0")}`,
    ...(index % 3 > 0 && { Host_3: `é${index % 7}` }),
    load: Math.sin(index) * 1e-3,
    whole: (index >> 4) % 50,
    count: BigInt(index) * -3n,
    large: 2n ** 64n - 1n - BigInt(index),
    ...(index % 5 > 0 && { up: index % 4 === 0 }),
    ...(index % 2 > 0 && { said: `text ${index} 😀` }),
  };
}

suite("a compacted file", () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open(openTestEngine);
  });
  after(() => bench[Symbol.asyncDispose]());

  test("has its real names, types and values in stock readers: DuckDB and hyparquet", async () => {
    const table = bench.table({
      host: "tag",
      Host_3: "tag",
      load: "float",
      whole: "float",
      count: "integer",
      large: "uinteger",
      up: "boolean",
      said: "string",
      nothing: "float",
    });
    const rows = Array.from({ length: ROW_COUNT }, (_, index) => rowOf(index));
    const halves = [rows.filter((_, i) => i % 2 === 0), rows.filter((_, i) => i % 2 === 1)];
    const blocks = halves.map((half, index) =>
      table.block(bench.generation(), 1, BigInt(index + 1), half),
    );
    const files = await table.persistBlocks(blocks);
    const [merged, ...more] = await table.compact(
      files.map((file) => ({ file, stampAbove: 0n })),
      { rowGroupSize: 1_000, zstdLevel: 9 },
    );
    assert.ok(merged);
    assert.equal(more.length, 0);
    const bytes = bench.files.bytes.get(merged.key) ?? new Uint8Array();
    const read = await withHyparquet(bytes);
    assert.deepEqual(read.names, NAMES);
    assert.deepEqual(read.rows, expectedRows(halves));
    const other = await withDuckDb(bytes);
    assert.deepEqual(other.names, NAMES);
    assert.deepEqual(other.types, TYPES);
    assert.deepEqual(
      other.rows,
      read.rows.map((row) => NAMES.map((name) => row[name])),
    );
  });
});

const TYPES = [
  "BIGINT",
  "VARCHAR",
  "VARCHAR",
  "DOUBLE",
  "DOUBLE",
  "BIGINT",
  "UBIGINT",
  "BOOLEAN",
  "VARCHAR",
  "BIGINT",
];

/** Sorted by tags, NULL first, and time; each with the stamp of its half. */
function expectedRows(halves: readonly (readonly ReturnType<typeof rowOf>[])[]) {
  const all = halves.flatMap((half, index) =>
    half.map((row) => ({ up: null, said: null, Host_3: null, ...row, _order: BigInt(index + 1) })),
  );
  const keyOf = ({ Host_3: other, host }: (typeof all)[number]) => `${host} ${other ?? ""}`;
  const sorted = all.toSorted((left, right) => {
    if (keyOf(left) === keyOf(right)) return left.time < right.time ? -1 : 1;
    return keyOf(left) < keyOf(right) ? -1 : 1;
  });
  return sorted.map((row) => Object.fromEntries(NAMES.map((name) => [name, row[name as "host"]])));
}

async function withHyparquet(bytes: Uint8Array) {
  const file = new Uint8Array(bytes).buffer;
  const schema = parquetSchema(parquetMetadata(file));
  const rows = await parquetReadObjects({
    file,
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
    parsers: { timestampFromNanoseconds: (nanoseconds: bigint) => nanoseconds },
  });
  return { names: schema.children.map(({ element }) => element.name), rows };
}

async function withDuckDb(bytes: Uint8Array) {
  const path = join(tmpdir(), `readers-${process.pid}.parquet`);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    await writeFile(path, bytes);
    const columns = `* REPLACE (epoch_ns(time) AS time)`;
    const result = await connection.run(`SELECT ${columns} FROM read_parquet('${path}')`);
    const types = result.columnTypes().map(String);
    return { names: result.columnNames(), types, rows: await result.getRows() };
  } finally {
    connection.disconnectSync();
    await rm(path, { force: true });
  }
}
