/** What is written here is read by the library that Arrow's own project makes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RecordBatchReader, type Table, tableFromIPC, Vector } from "apache-arrow";
import * as fc from "fast-check";
import { concatBytes } from "#base/bytes.ts";
import type { ResultColumn } from "#model/query/result.ts";
import { listOf, structOf, timestampType, type ValueType } from "#model/query/value-type.ts";
import { type ArrowBatch, encodeBatches, encodeEmptyBatch } from "./batch.ts";
import { arrowFields, encapsulated, encodeSchema } from "./schema.ts";
import type { ArrowField } from "./type.ts";

function readBack(fields: readonly ArrowField[], batches: readonly ArrowBatch[], sizeMax?: number) {
  const parts = [encapsulated(encodeSchema(fields))];
  let count = 0;
  for (const batch of batches)
    for (const { body, header } of encodeBatches(fields, batch, sizeMax)) {
      parts.push(encapsulated(header), ...body);
      count += 1;
    }
  const table: Table = tableFromIPC(concatBytes(parts));
  return { table, count };
}

function column(type: ValueType, cells: ResultColumn, rowCount: number): unknown[] {
  const fields = [{ name: "a", type, nullable: true }];
  const { table } = readBack(fields, [{ rowCount, columns: [cells] }]);
  assert.equal(table.numRows, rowCount);
  return [...(table.getChildAt(0) ?? [])].map(plain);
}

/** Rows and vectors of the library as objects and arrays. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array);
  if (value instanceof Vector) return [...value].map(plain);
  const entries = value as Iterable<readonly [string, unknown]>;
  return Object.fromEntries([...entries].map(([name, cell]) => [name, plain(cell)]));
}

const present = Uint8Array.of(1, 0, 1);

const cases: readonly [string, ValueType, ResultColumn, unknown[]][] = [
  ["null", "null", { type: "null" }, [null, null, null]],
  ["int8", "int8", { type: "int8", values: Int8Array.of(-1, 0, 127), present }, [-1, null, 127]],
  ["int16", "int16", { type: "int16", values: Int16Array.of(-1, 2, 3) }, [-1, 2, 3]],
  ["int32", "int32", { type: "int32", values: Int32Array.of(-1, 2, 3), present }, [-1, null, 3]],
  [
    "int64",
    "int64",
    { type: "int64", values: BigInt64Array.of(-1n, 2n, 2n ** 62n) },
    [-1n, 2n, 2n ** 62n],
  ],
  ["uint8", "uint8", { type: "uint8", values: Uint8Array.of(255, 2, 3) }, [255, 2, 3]],
  ["uint16", "uint16", { type: "uint16", values: Uint16Array.of(65535, 2, 3) }, [65535, 2, 3]],
  [
    "uint32",
    "uint32",
    { type: "uint32", values: Uint32Array.of(2 ** 32 - 1, 2, 3) },
    [2 ** 32 - 1, 2, 3],
  ],
  [
    "uint64",
    "uint64",
    { type: "uint64", values: BigUint64Array.of(2n ** 64n - 1n, 2n, 3n), present },
    [2n ** 64n - 1n, null, 3n],
  ],
  ["float32", "float32", { type: "float32", values: Float32Array.of(0.5, 2, 3) }, [0.5, 2, 3]],
  [
    "float64",
    "float64",
    { type: "float64", values: Float64Array.of(0.1, 2, 3), present },
    [0.1, null, 3],
  ],
  [
    "boolean",
    "boolean",
    { type: "boolean", values: Uint8Array.of(1, 1, 0), present },
    [true, null, false],
  ],
  ["string", "string", { type: "string", values: ["ä€😀", null, ""] }, ["ä€😀", null, ""]],
  [
    "binary",
    "binary",
    { type: "binary", values: [Uint8Array.of(0, 255), null, Uint8Array.of()] },
    [[0, 255], null, []],
  ],
  [
    "timestamp",
    "timestamp",
    { type: "timestamp", values: BigInt64Array.of(1_000_000n, 0n, -2_000_000n), present },
    [1, null, -2],
  ],
  [
    "seconds",
    timestampType("second", "+01:00"),
    { type: "timestamp", values: BigInt64Array.of(1_999_999_999n, 0n, -1n) },
    [1000, 0, -1000],
  ],
  [
    "decimal",
    { kind: "decimal", precision: 38, scale: 2 },
    { type: "decimal", values: [150n, null, -1n] },
    [[150, 0, 0, 0], null, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1]],
  ],
  [
    "list",
    listOf("int32"),
    {
      type: "list",
      offsets: Int32Array.of(2, 4, 4, 5),
      present,
      items: { type: "int32", values: Int32Array.of(9, 9, 1, 2, 3, 9) },
    },
    [[1, 2], null, [3]],
  ],
  [
    "struct",
    structOf([
      { name: "x", type: "string" },
      { name: "y", type: listOf("string") },
    ]),
    {
      type: "struct",
      present,
      members: [
        { type: "string", values: ["p", null, null] },
        {
          type: "list",
          offsets: Int32Array.of(0, 1, 1, 2),
          items: { type: "string", values: ["q", null] },
        },
      ],
    },
    [{ x: "p", y: ["q"] }, null, { x: null, y: [null] }],
  ],
  [
    "map",
    { kind: "map", key: "string", value: "int64" },
    {
      type: "map",
      offsets: Int32Array.of(0, 1, 1, 3),
      present,
      keys: { type: "string", values: ["a", "b", "c"] },
      values: { type: "int64", values: BigInt64Array.of(1n, 2n, 3n), present },
    },
    [{ a: 1n }, null, { b: null, c: 3n }],
  ],
];

suite("Arrow's messages", () => {
  for (const [name, type, cells, expected] of cases)
    test(`hold ${name}`, () => assert.deepEqual(column(type, cells, 3), expected));

  test("hold intervals, durations, dates and times of day as Arrow counts them", () => {
    const fields: ArrowField[] = (["interval", "duration", "date", "time"] as const).map(
      (type) => ({ name: type, type, nullable: true }),
    );
    const day = 86_400_000_000_000n;
    const columns: ResultColumn[] = [
      { type: "interval", values: [{ months: 14, nanoseconds: 3n * day + 5n }, null] },
      { type: "duration", values: BigInt64Array.of(-7n, 8n) },
      { type: "date", values: Int32Array.of(-1, 20_000) },
      { type: "time", values: BigInt64Array.of(0n, day - 1n) },
    ];
    const { table } = readBack(fields, [{ rowCount: 2, columns }]);
    assert.equal(
      table.schema.fields.map(({ type }) => String(type)).join(),
      "Interval<MONTH_DAY_NANO>,Duration<NANOSECOND>,Date32<DAY>,Time64<NANOSECOND>",
    );
    assert.deepEqual([...(table.getChild("interval")?.get(0) ?? [])], [14, 3, 5, 0]);
    assert.deepEqual([...(table.getChild("duration") ?? [])], [-7n, 8n]);
    assert.deepEqual([...(table.getChild("time") ?? [])], [0n, day - 1n]);
  });

  test("say which columns of a table a result has", () => {
    const bytes = encapsulated(
      encodeSchema(
        arrowFields([
          { name: "host", type: "string", column: "tag" },
          { name: "time", type: "timestamp", column: "time" },
          { name: "sum(v)", type: "float64" },
        ]),
        new Map([["k", "v"]]),
      ),
    );
    const { fields, metadata } = RecordBatchReader.from(bytes).open().schema;
    assert.deepEqual(
      fields.map((field) => [field.name, field.nullable, [...field.metadata.values()]]),
      [
        ["host", true, ["iox::column_type::tag"]],
        ["time", false, ["iox::column_type::timestamp"]],
        ["sum(v)", true, []],
      ],
    );
    assert.deepEqual([...metadata], [["k", "v"]]);
  });

  test("hold as many columns as there are", () => {
    const names = Array.from({ length: 500 }, (_, i) => "n".repeat(1 + (i % 40)) + i);
    const fields = names.map((name) => ({ name, type: "int8", nullable: true }) as const);
    const cells = { type: "int8", values: Int8Array.of(7) } as const;
    const { table } = readBack(fields, [{ rowCount: 1, columns: names.map(() => cells) }]);
    assert.deepEqual(
      table.schema.fields.map(({ name }) => name),
      names,
    );
    assert.ok(names.every((name) => table.getChild(name)?.get(0) === 7));
  });

  test("are cut where they are large, and no cell is lost", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            text: fc.option(fc.string({ unit: "binary" })),
            list: fc.array(fc.integer()),
          }),
        ),
        fc.integer({ min: 1, max: 400 }),
        (rows, sizeMax) => {
          const fields: ArrowField[] = [
            { name: "text", type: "string", nullable: true },
            { name: "list", type: listOf("int32"), nullable: true },
          ];
          let end = 0;
          const columns: ResultColumn[] = [
            { type: "string", values: rows.map((row) => row.text?.toWellFormed() ?? null) },
            {
              type: "list",
              offsets: Int32Array.from([0, ...rows.map((row) => (end += row.list.length))]),
              items: { type: "int32", values: Int32Array.from(rows.flatMap((row) => row.list)) },
            },
          ];
          const { count, table } = readBack(fields, [{ rowCount: rows.length, columns }], sizeMax);
          assert.deepEqual(
            table.toArray().map((row) => plain(row)),
            rows.map(({ list, text }) => ({ text: text?.toWellFormed() ?? null, list })),
          );
          assert.ok(count <= Math.max(1, rows.length));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("may be without rows, whatever the columns", () => {
    const fields: ArrowField[] = [
      ...cases.map(([name, type]) => ({ name, type, nullable: true })),
      {
        name: "u",
        type: { kind: "union", members: [{ name: "m", type: "string" }] },
        nullable: false,
      },
    ];
    const { body, header } = encodeEmptyBatch(fields);
    const bytes = concatBytes([
      encapsulated(encodeSchema(fields)),
      encapsulated(header),
      ...body,
      encapsulated(header),
    ]);
    const batches = [...RecordBatchReader.from(bytes)];
    assert.deepEqual(
      batches.map(({ numRows }) => numRows),
      [0, 0],
    );
  });

  test("hold cells of different types in one column", () => {
    const type = {
      kind: "union",
      members: [
        { name: "s", type: "string" },
        { name: "n", type: "int32" },
      ],
    } as const;
    const batch: ArrowBatch = {
      rowCount: 3,
      columns: [
        {
          type: "union",
          members: Uint8Array.of(1, 0, 1),
          places: Int32Array.of(0, 0, 1),
          columns: [
            { rowCount: 1, cells: { type: "string", values: ["a"] } },
            { rowCount: 2, cells: { type: "int32", values: Int32Array.of(5, 6) } },
          ],
        },
      ],
    };
    const { table } = readBack([{ name: "u", type, nullable: false }], [batch]);
    assert.deepEqual([...(table.getChildAt(0) ?? [])], [5, "a", 6]);
  });
});
