import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type CellValue, cellAt } from "#model/query/result.ts";
import { listOf, structOf, type ValueType } from "#model/query/value-type.ts";
import { resultBatch } from "../../messages.ts";
import { sqlType } from "../../print/literal.ts";
import { batchFrom } from "./result.ts";

const decimal = (precision: number, scale: number): ValueType => ({
  kind: "decimal",
  precision,
  scale,
});
const PAIR = structOf([
  { name: "a", type: "int64" },
  { name: "b", type: "string" },
]);
const MAP: ValueType = { kind: "map", key: "string", value: listOf("float64") };
const DEEP = listOf(structOf([{ name: "x", type: listOf(MAP) }]));

/** Engine SQL of single values, and the cells they are read as. */
const CELLS: readonly (readonly [string, ValueType, CellValue])[] = [
  ["'\\x01\\xFF'", "binary", Uint8Array.of(1, 255)],
  ["repeat('ab', 20)", "binary", new TextEncoder().encode("ab".repeat(20))],
  ["12.5", decimal(4, 2), 1250n],
  ["-99999.9999", decimal(9, 4), -999999999n],
  ["-123456789012.345678", decimal(18, 6), -123456789012345678n],
  [
    "-12345678901234567890123456789012345.678",
    decimal(38, 3),
    -12345678901234567890123456789012345678n,
  ],
  ["1", decimal(38, 0), 1n],
  ["19000", "date", 19000],
  ["86399999999999", "time", 86399999999999n],
  ["-5", "duration", -5n],
  ["1.5", "float32", 1.5],
  ["-128", "int8", -128],
  ["65535", "uint16", 65535],
  ["{'m': 14, 'n': -3}", "interval", { months: 14, nanoseconds: -3n }],
  ["[]", listOf("int64"), []],
  ["[1, NULL, 3]", listOf("int64"), [1n, null, 3n]],
  ["[[1], NULL, [], [2, 3]]", listOf(listOf("int32")), [[1], null, [], [2, 3]]],
  [
    "['a', NULL, 'a text that does not lie in its 16 bytes']",
    listOf("string"),
    ["a", null, "a text that does not lie in its 16 bytes"],
  ],
  ["[{'m': 1, 'n': 2}, NULL]", listOf("interval"), [{ months: 1, nanoseconds: 2n }, null]],
  ["[12.34, NULL]", listOf(decimal(30, 2)), [1234n, null]],
  ["{'f0': 7, 'f1': NULL}", PAIR, [7n, null]],
  ["[{'f0': 7, 'f1': 'x'}, NULL]", listOf(PAIR), [[7n, "x"], null]],
  [
    "MAP {'k': [1.5], 'l': NULL}",
    MAP,
    [
      ["k", [1.5]],
      ["l", null],
    ],
  ],
  ["[{'f0': [MAP {'k': [1.5, NULL]}, NULL]}]", DEEP, [[[[["k", [1.5, null]]], null]]]],
  ["[NULL, NULL]", listOf("null"), [null, null]],
];

suite("results of the engine", () => {
  let connection: DuckDBConnection;
  before(async () => {
    connection = await (await DuckDBInstance.create(":memory:")).connect();
  });
  after(() => connection.closeSync());

  async function read(sql: string, type: ValueType): Promise<CellValue[]> {
    const result = await connection.stream(sql);
    const chunks = await result.fetchAllChunks();
    const rows = chunks.map((chunk) => ({ chunk, rowCount: chunk.rowCount }));
    const { rowCount, columns } = resultBatch(batchFrom([{ name: "", type }], rows));
    const [column] = columns;
    assert.ok(column !== undefined);
    return Array.from({ length: rowCount }, (_, row) => cellAt(column, row));
  }

  for (const [sql, type, expected] of CELLS) {
    test(`${sql} is read as ${sqlType(type)}, alone and among many`, async () => {
      const cast = `CAST(${sql} AS ${sqlType(type)})`;
      assert.deepEqual(await read(`SELECT ${cast}`, type), [expected]);
      const many = `SELECT CASE WHEN i % 3 <> 1 THEN ${cast} END FROM range(5000) t(i)`;
      const wanted = Array.from({ length: 5000 }, (_, i) => (i % 3 === 1 ? null : expected));
      assert.deepEqual(await read(many, type), wanted);
    });
  }

  test("rows that share a list have it each", async () => {
    for (const [sql, type, expected] of CELLS) {
      const cells = await read(`SELECT CAST(${sql} AS ${sqlType(type)}) FROM range(3)`, type);
      assert.deepEqual(cells, [expected, expected, expected]);
    }
  });

  test("lists of different lengths keep their items over many chunks", async () => {
    const type = listOf(PAIR);
    const cells = await read(
      "SELECT CASE WHEN i % 7 = 3 THEN NULL ELSE list_transform(range(i % 5), lambda j: {'f0': i + j, 'f1': 'item ' || j || ' of a long name'}) END FROM range(10000) t(i) ORDER BY i",
      type,
    );
    for (const [i, cell] of cells.entries()) {
      const items = Array.from({ length: i % 5 }, (_, j) => [
        BigInt(i + j),
        `item ${j} of a long name`,
      ]);
      assert.deepEqual(cell, i % 7 === 3 ? null : items);
    }
  });
});
