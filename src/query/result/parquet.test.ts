/** Answers as Parquet, read by a library that is not ours and by DuckDB. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { concatBytes } from "#base/bytes.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { listOf, timestampType, type ValueType } from "#model/query/value-type.ts";
import { encodeParquet } from "./parquet.ts";

const present = Uint8Array.of(1, 0);
const DAY_NS = 86_400_000_000_000n;

/** A type, its cells, and what DuckDB says that they are. */
const COLUMNS: readonly (readonly [
  ValueType,
  ResultColumn,
  string,
  readonly [unknown, unknown],
])[] = [
  ["int8", { type: "int8", values: Int8Array.of(-1, 5), present }, "TINYINT", ["-1", null]],
  ["int16", { type: "int16", values: Int16Array.of(-300, 5) }, "SMALLINT", ["-300", "5"]],
  [
    "int32",
    { type: "int32", values: Int32Array.of(-70_000, 5), present },
    "INTEGER",
    ["-70000", null],
  ],
  [
    "int64",
    { type: "int64", values: BigInt64Array.of(-(2n ** 63n), 5n) },
    "BIGINT",
    ["-9223372036854775808", "5"],
  ],
  ["uint8", { type: "uint8", values: Uint8Array.of(255, 5) }, "UTINYINT", ["255", "5"]],
  ["uint16", { type: "uint16", values: Uint16Array.of(65_535, 5) }, "USMALLINT", ["65535", "5"]],
  [
    "uint32",
    { type: "uint32", values: Uint32Array.of(2 ** 32 - 1, 5) },
    "UINTEGER",
    ["4294967295", "5"],
  ],
  [
    "uint64",
    { type: "uint64", values: BigUint64Array.of(2n ** 64n - 1n, 5n), present },
    "UBIGINT",
    ["18446744073709551615", null],
  ],
  [
    "float32",
    { type: "float32", values: Float32Array.of(0.5, 1), present },
    "FLOAT",
    ["0.5", null],
  ],
  [
    "float64",
    { type: "float64", values: Float64Array.of(0.1, 1), present },
    "DOUBLE",
    ["0.1", null],
  ],
  ["boolean", { type: "boolean", values: Uint8Array.of(1, 0), present }, "BOOLEAN", ["true", null]],
  ["string", { type: "string", values: ["ä€😀", null] }, "VARCHAR", ["ä€😀", null]],
  [
    "binary",
    { type: "binary", values: [Uint8Array.of(1, 171), null] },
    "BLOB",
    ["\\x01\\xAB", null],
  ],
  [
    "timestamp",
    { type: "timestamp", values: BigInt64Array.of(-1n, 1n), present },
    "TIMESTAMP_NS",
    ["1969-12-31 23:59:59.999999999", null],
  ],
  [
    timestampType("second", "Europe/Paris"),
    { type: "timestamp", values: BigInt64Array.of(0n, 1n), present },
    "TIMESTAMP WITH TIME ZONE",
    ["1970-01-01 00:00:00+00", null],
  ],
  ["date", { type: "date", values: Int32Array.of(-1, 1), present }, "DATE", ["1969-12-31", null]],
  [
    "time",
    { type: "time", values: BigInt64Array.of(DAY_NS - 1_000n, 1n), present },
    "TIME",
    ["23:59:59.999999", null],
  ],
  [
    "duration",
    { type: "duration", values: BigInt64Array.of(7n, 1n), present },
    "BIGINT",
    ["7", null],
  ],
  [
    { kind: "decimal", precision: 30, scale: 2 },
    { type: "decimal", values: [-150n, null] },
    "DECIMAL(30,2)",
    ["-1.50", null],
  ],
  [
    "interval",
    { type: "interval", values: [{ months: 14, nanoseconds: 5n }, null] },
    "VARCHAR",
    ["P1Y2MT0.000000005S", null],
  ],
  [
    listOf("int32"),
    {
      type: "list",
      offsets: Int32Array.of(0, 2, 2),
      present,
      items: { type: "int32", values: Int32Array.of(1, 2) },
    },
    "VARCHAR",
    ["[1, 2]", null],
  ],
  ["null", { type: "null" }, "VARCHAR", [null, null]],
];

async function* inBatches(batches: readonly ResultBatch[]): AsyncGenerator<ResultBatch> {
  yield* batches;
}

async function encoded(
  fields: readonly Field[],
  batches: readonly ResultBatch[],
): Promise<Uint8Array> {
  return concatBytes(await Array.fromAsync(encodeParquet(fields, inBatches(batches))));
}

async function* brokenBatches(): AsyncGenerator<ResultBatch> {
  const values = new BigInt64Array(100_000);
  yield { rowCount: values.length, columns: [{ type: "int64", values }] };
  throw new Error("broken");
}

suite("answers as Parquet", () => {
  test("have every type as DuckDB knows it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tidelake-parquet-"));
    try {
      const path = join(directory, "a.parquet");
      const fields = COLUMNS.map(([type], index) => ({ name: `c${index}`, type }));
      const batch = { rowCount: 2, columns: COLUMNS.map(([, column]) => column) };
      await writeFile(path, await encoded(fields, [batch, batch]));
      const connection = await (await DuckDBInstance.create()).connect();
      await connection.run("SET TimeZone = 'UTC'");
      const casts = fields.map(({ name }) => `${name}::VARCHAR AS ${name}`).join(", ");
      const read = await connection.runAndReadAll(`SELECT ${casts} FROM read_parquet('${path}')`);
      const types = await connection.runAndReadAll(
        `DESCRIBE SELECT * FROM read_parquet('${path}')`,
      );
      connection.closeSync();
      assert.deepEqual(
        types.getRows().map(([, type]) => type),
        COLUMNS.map(([, , name]) => name),
      );
      const rows = [0, 1].map((row) => COLUMNS.map(([, , , cells]) => cells[row]));
      assert.deepEqual(read.getRows(), [...rows, ...rows]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("come row group by row group, before the last row is read", async () => {
    const fields = [
      { name: "v", type: "int64" },
      { name: "s", type: "string" },
    ] as const;
    let asked = 0;
    async function* many(): AsyncGenerator<ResultBatch> {
      for (; asked < 20; asked += 1) {
        const values = BigInt64Array.from({ length: 8_192 }, (_, i) => BigInt(asked * 8_192 + i));
        const texts = Array.from(values, (value) => `text ${value % 100n}`);
        const columns: ResultColumn[] = [
          { type: "int64", values },
          { type: "string", values: texts },
        ];
        yield { rowCount: 8_192, columns };
      }
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of encodeParquet(fields, many())) {
      if (chunks.length === 0) assert.ok(asked < 5);
      chunks.push(chunk);
    }
    assert.ok(chunks.length > 5);
    const rows = await rowsOf(concatBytes(chunks));
    assert.equal(rows.length, 163_840);
    assert.ok(rows.every(({ s, v }, i) => v === BigInt(i) && s === `text ${i % 100}`));
  });

  const wide = Array.from({ length: 200 }, (): ResultColumn => {
    return { type: "float64", values: new Float64Array(1_024) };
  });
  const long: ResultColumn = {
    type: "list",
    offsets: Int32Array.from({ length: 1_025 }, (_, row) => 1_000 * row),
    items: { type: "int64", values: new BigInt64Array(1_024_000) },
  };
  const large: readonly [string, ValueType, readonly ResultColumn[], number][] = [
    ["of many columns", "float64", wide, 6],
    ["of long lists", listOf("int64"), [long], 1],
  ];
  for (const [what, type, columns, countMax] of large)
    test(`${what} are held for some megabytes, not for thousands of rows`, async () => {
      const fields = columns.map((_, index) => ({ name: `c${index}`, type }));
      let asked = 0;
      async function* many(): AsyncGenerator<ResultBatch> {
        for (; asked < 20; asked += 1) yield { rowCount: 1_024, columns };
      }
      const answer = encodeParquet(fields, many());
      await answer.next();
      assert.ok(asked <= countMax, `${asked} batches were held`);
      await answer.return(undefined);
    });

  test("are broken off when their footer would be too large", async () => {
    const column: ResultColumn = { type: "boolean", values: new Uint8Array(16_384) };
    const fields = [{ name: "v", type: "boolean" }] as const;
    let asked = 0;
    async function* many(): AsyncGenerator<ResultBatch> {
      for (; asked < 20; asked += 1) yield { rowCount: 16_384, columns: [column] };
    }
    await assert.rejects(
      async () => {
        for await (const chunk of encodeParquet(fields, many(), 500)) assert.ok(chunk.length > 0);
      },
      { kind: "exceeded", code: "parquet_too_large" },
    );
    assert.ok(asked > 1 && asked < 19, `it was broken off after ${asked} batches`);
  });

  test("may have no rows, or no end when they break off", async () => {
    const fields = [{ name: "v", type: "int64" }] as const;
    const empty = await encoded(fields, []);
    assert.deepEqual(await rowsOf(empty), []);
    assert.equal(parquetMetadata(empty.slice().buffer).schema[1]?.name, "v");
    const chunks: Uint8Array[] = [];
    await assert.rejects(async () => {
      for await (const chunk of encodeParquet(fields, brokenBatches())) chunks.push(chunk);
    }, /broken/);
    assert.throws(() => parquetMetadata(concatBytes(chunks).slice().buffer));
  });
});

function rowsOf(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) };
  return parquetReadObjects({ file: bytes.slice().buffer, compressors });
}
