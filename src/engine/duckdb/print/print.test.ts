import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { isKind } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { ColumnId, DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Plan, ScanPlan } from "#model/query/plan.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { call, input, int } from "../../contract/build.ts";
import { printExpression } from "./expression.ts";
import { printLet } from "./functions/let.ts";
import { printLiteral, printName, printText } from "./literal.ts";
import { inputNames } from "./names.ts";
import { printPlan, rowCountBound } from "./plan.ts";
import { printScan } from "./scan.ts";

async function connect() {
  return (await DuckDBInstance.create(":memory:")).connect();
}

suite("printing literals", () => {
  test("whatever a text holds, it comes back and nothing else happens", async () => {
    const connection = await connect();
    const anyText = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.string({
        unit: fc.constantFrom("'", '"', "\\", "\0", ";", "-", "$", "a", "\n", "/*"),
        maxLength: 20,
      }),
    );
    const texts = fc.sample(anyText, 1_000).map((text) => text.toWellFormed());
    const rows = texts.map((text) => `(${printText(text)})`).join(", ");
    const read = await connection.runAndReadAll(`SELECT * FROM (VALUES ${rows}) v(t)`);
    assert.deepEqual(
      read.getRows().map(([text]) => text),
      texts,
    );
    connection.disconnectSync();
  });

  test("names come back as they were", async () => {
    const connection = await connect();
    for (const name of ['a"b', "it's", "a;b", "é 😀", "select"]) {
      const read = await connection.runAndReadAll(`SELECT 1 AS ${printName(name)}`);
      assert.deepEqual(read.columnNames(), [name]);
    }
    connection.disconnectSync();
  });

  test("numbers come back to the last bit", async () => {
    const connection = await connect();
    const floats = [...fc.sample(fc.double(), 300), 0, -0, 5e-324, 1.7976931348623157e308];
    const wholes = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n];
    const printed = [
      ...floats.map((value) => printLiteral(value, "float64")),
      ...wholes.map((value) => printLiteral(value, "int64")),
      printLiteral(2n ** 64n - 1n, "uint64"),
    ];
    const read = await connection.runAndReadAll(`SELECT ${printed.join(", ")}`);
    const [row = []] = read.getRows();
    const expected = [...floats, ...wholes, 2n ** 64n - 1n];
    assert.equal(row.length, expected.length);
    for (const [i, value] of expected.entries()) assert.ok(Object.is(row[i], value), String(value));
    connection.disconnectSync();
  });
});

suite("printing plans", () => {
  test("an expression that doubles with each level is refused, not printed", () => {
    let expression: Expression = input(0, "int64");
    for (let i = 0; i < 60; i += 1) expression = call("int64", "divide", int(1), expression);
    assert.throws(
      () =>
        printExpression(
          expression,
          inputNames((index) => `c${index}`),
        ),
      (error) => isKind(error, "exceeded") && error.code === "expression_size",
    );
  });

  test("what a text says is no depth of functions", () => {
    const printed = printLet(["concat('it''s v100', c0)"], (name) => `f(${name})`);
    assert.match(printed, /lambda v1: f\(v1\.m0\)/);
    assert.match(
      printLet([printed], (name) => name),
      /lambda v2:/,
    );
  });

  test("a function of a function names its argument once", () => {
    let expression: Expression = call("float64", "add", input(0, "float64"), input(0, "float64"));
    for (let i = 0; i < 30; i += 1)
      expression = call("float64", i % 2 === 0 ? "sqrt" : "ln", expression);
    const text = printExpression(
      expression,
      inputNames((index) => `c${index}`),
    );
    assert.ok(text.length < 10_000, String(text.length));
  });

  test("expressions that are too large together are refused before they are joined", () => {
    let large: Expression = input(0, "int64");
    for (let i = 0; i < 12; i += 1) large = call("int64", "divide", int(1), large);
    const names = inputNames((index) => `c${index}`);
    assert.ok(printExpression(large, names).length > 100_000);
    const row: Plan = { kind: "values", fields: [{ name: "a", type: "int64" }], rows: [[int(1)]] };
    const expressions = Array<Expression>(200).fill(large);
    const fields = expressions.map((_, index) => ({ name: `a${index}`, type: "int64" as const }));
    const groups = Array<Expression>(4).fill(large);
    const groupingSets = Array.from({ length: 200 }, () => [0, 1, 2, 3]);
    for (const plan of [
      { kind: "project", fields, input: row, expressions },
      { kind: "aggregate", fields, input: row, groups, groupingSets, aggregates: [] },
    ] satisfies Plan[]) {
      assert.throws(() => printPlan(plan, context), { kind: "exceeded", code: "expression_size" });
    }
  });

  test("a file within the scan's time is read without a filter, another with one on raw time", () => {
    const inside = printScan(scanOf({ start: 0n, end: 100n }), context);
    assert.equal(inside.includes("WHERE"), false, inside);
    const across = printScan(scanOf({ start: 20n, end: 100n }), context);
    assert.match(across, /WHERE t >= make_timestamp_ns\(20\) AND t <= make_timestamp_ns\(100\)/);
    const outside = printScan(scanOf({ start: 51n, end: 100n }), context);
    assert.equal(outside.includes("read_parquet"), false, outside);
  });

  test("stamps are compared only where a file has rows on both sides", () => {
    for (const [stampAbove, text] of [
      [4n, /FROM read_parquet\([^)]*\)\) m$|FROM read_parquet/],
      [7n, /WHERE o > 7/],
      [9n, /WHERE FALSE/],
    ] as const) {
      const printed = printScan(scanOf(ALL_TIME, stampAbove), context);
      assert.match(printed, text);
      assert.equal(printed.includes("o > "), stampAbove === 7n, printed);
    }
  });

  test("the shape of a plan bounds its rows", () => {
    const scan = scanOf(ALL_TIME);
    const fields = scan.fields;
    const limited: Plan = { kind: "limit", fields, input: scan, countMax: 5n, offset: 0n };
    const grouped: Plan = { kind: "aggregate", fields, input: scan, groups: [], aggregates: [] };
    assert.equal(rowCountBound(scan), Number.POSITIVE_INFINITY);
    assert.equal(rowCountBound(limited), 5);
    assert.equal(rowCountBound({ kind: "sort", fields, input: limited, keys: [] }), 5);
    assert.equal(rowCountBound(grouped), 1);
    assert.equal(
      rowCountBound({ ...grouped, groups: [input(0, "timestamp")] }),
      Number.POSITIVE_INFINITY,
    );
  });
});

const FILE: DataFile = {
  key: "k",
  databaseId: 1 as DatabaseId,
  tableId: 2 as TableId,
  sizeBytes: 1,
  checksum: 1,
  rowCount: 10,
  time: { start: 10n, end: 50n },
  stampMin: 5n,
  stampMax: 9n,
  unique: true,
  columnIds: [0 as ColumnId],
  node: 1 as NodeNumber,
};

const context = { findBuffer: () => undefined, paths: new Map([["k", "/cache/1.parquet"]]) };

function scanOf(time: ScanPlan["time"], stampAbove?: bigint): ScanPlan {
  const above = stampAbove === undefined ? {} : { stampAbove };
  return {
    kind: "scan",
    fields: [{ name: "time", type: "timestamp" }],
    tableId: 2 as TableId,
    tags: [],
    columns: [{ id: 0 as ColumnId, kind: "time" }],
    time,
    groups: [{ merge: false, sources: [{ kind: "file", file: FILE, ...above }] }],
  };
}
