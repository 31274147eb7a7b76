import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { compareText } from "#base/bytes.ts";
import { Bench } from "#engine/contract/bench.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { cellAt } from "#model/query/result.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { Expression } from "../ast.ts";
import type { RowRequest } from "../points/source.ts";
import type { VariableInput } from "../resolved.ts";
import { EnginePoints } from "./source.ts";
import { distinctTags } from "./tags.ts";
import { showPoints, type TestTable, testTable } from "./test-table.ts";

const KINDS = {
  host: "tag",
  region: "tag",
  f: "float",
  i: "integer",
  s: "string",
  b: "boolean",
} as const;
const ROWS = [
  { time: 10n, host: "a", region: "x", f: 1, i: 5n, s: "abc", b: true },
  { time: 20n, host: "a", region: "x", f: 2, i: 0n },
  { time: 10n, host: "b", f: 3, i: 7n, s: "b" },
  { time: 10n, region: "y", f: 4, b: false },
  { time: 10n, f: 5, i: 1n },
  { time: 10n, host: "c", s: "only" },
];
const FIELDS: readonly VariableInput[] = [
  { kind: "variable", name: "f", type: "float" },
  { kind: "variable", name: "i", type: "integer" },
  { kind: "variable", name: "s", type: "string" },
  { kind: "variable", name: "b", type: "boolean" },
];

type Operator = Extract<Expression, { kind: "binary" }>["operator"];

function name(column: string, cast?: "integer" | "float" | "string" | "tag" | "field"): Expression {
  return { kind: "variable", name: column, cast };
}

function is(left: Expression, operator: Operator, right: Expression): Expression {
  return { kind: "binary", left, operator, right };
}

function text(value: string): Expression {
  return { kind: "string", value };
}

function whole(value: bigint): Expression {
  return { kind: "integer", value };
}

function regex(pattern: string): Expression {
  return { kind: "regex", pattern };
}

function math(called: string, ...operands: readonly Expression[]): Expression {
  return { kind: "call", name: called, arguments: operands };
}

function halved(field: string): Expression {
  return is(is(name(field), "/", whole(2n)), "+", whole(1n));
}

function within(expression: Expression): Expression {
  return { kind: "parenthesized", expression };
}

const TRUE: Expression = { kind: "boolean", value: true };
const half: Expression = { kind: "number", value: 2.5 };

/** What InfluxDB 1.6.7 lets pass, by the values of f; 0 is the row without one. */
const CONDITIONS: readonly [label: string, condition: Expression, passing: string][] = [
  ["host = ''", is(name("host"), "=", text("")), "4 5"],
  ["host != ''", is(name("host"), "!=", text("")), "0 1 2 3"],
  ["host = 'a'", is(name("host"), "=", text("a")), "1 2"],
  ["'a' = host", is(text("a"), "=", name("host")), "1 2"],
  ["host != 'a'", is(name("host"), "!=", text("a")), "0 3 4 5"],
  ["host > 'a'", is(name("host"), ">", text("a")), ""],
  ["host = 5", is(name("host"), "=", whole(5n)), ""],
  ["host != 5", is(name("host"), "!=", whole(5n)), ""],
  ["host =~ /.*/", is(name("host"), "=~", regex(".*")), "0 1 2 3 4 5"],
  ["host =~ /^$/", is(name("host"), "=~", regex("^$")), "4 5"],
  ["host !~ /a/", is(name("host"), "!~", regex("a")), "0 3 4 5"],
  ["host =~ /^(a|b)$/", is(name("host"), "=~", regex("^(a|b)$")), "1 2 3"],
  ["host !~ /^(a|b)$/", is(name("host"), "!~", regex("^(a|b)$")), "0 4 5"],
  ["host =~ /^a$/", is(name("host"), "=~", regex("^a$")), "1 2"],
  [
    "host =~ /]|{|}|m{|\\07|\\a|[]\\07]/",
    is(name("host"), "=~", regex("]|{|}|m{|\\07|\\a|[]\\07]")),
    "",
  ],
  ["host =~ /[]\\141]/", is(name("host"), "=~", regex("[]\\141]")), "1 2"],
  ["host =~ /[[b]/", is(name("host"), "=~", regex("[[b]")), "3"],
  ["host = region", is(name("host"), "=", name("region")), ""],
  ["host != region", is(name("host"), "!=", name("region")), "0 1 2 3 4 5"],
  ["host != host", is(name("host"), "!=", name("host")), "4 5"],
  ["nope = ''", is(name("nope"), "=", text("")), "0 1 2 3 4 5"],
  ["nope != ''", is(name("nope"), "!=", text("")), ""],
  ["nope != 'x'", is(name("nope"), "!=", text("x")), "0 1 2 3 4 5"],
  ["nope !~ /x/", is(name("nope"), "!~", regex("x")), "0 1 2 3 4 5"],
  ["nope > 1", is(name("nope"), ">", whole(1n)), ""],
  ["_name = 'm'", is(name("_name"), "=", text("m")), "0 1 2 3 4 5"],
  ["_name != 'm'", is(name("_name"), "!=", text("m")), ""],
  ["b = false", is(name("b"), "=", { kind: "boolean", value: false }), "4"],
  ["b != true", is(name("b"), "!=", TRUE), "4"],
  ["b = b", is(name("b"), "=", name("b")), "1 4"],
  ["f != 'a'", is(name("f"), "!=", text("a")), ""],
  ["f = 1", is(name("f"), "=", whole(1n)), "1"],
  ["f::integer > 3", is(name("f", "integer"), ">", whole(3n)), "4 5"],
  ["i::string = '5'", is(name("i", "string"), "=", text("5")), ""],
  ["host::field = 'a'", is(name("host", "field"), "=", text("a")), ""],
  ["f::tag = ''", is(name("f", "tag"), "=", text("")), "0 1 2 3 4 5"],
  ["i / 2 = 2", is(is(name("i"), "/", whole(2n)), "=", whole(2n)), "1"],
  ["i / 2 = 2.5", is(is(name("i"), "/", whole(2n)), "=", half), ""],
  ["i / 0 = 0", is(is(name("i"), "/", whole(0n)), "=", whole(0n)), "1 2 3 5"],
  ["f / 0 = 0", is(is(name("f"), "/", whole(0n)), "=", whole(0n)), "1 2 3 4 5"],
  ["f % 0 = 0", is(is(name("f"), "%", whole(0n)), "=", whole(0n)), ""],
  ["f % 0 > 0", is(is(name("f"), "%", whole(0n)), ">", whole(0n)), ""],
  ["i + maximum < 0", is(is(name("i"), "+", whole(2n ** 63n - 1n)), "<", whole(0n)), "1 3 5"],
  ["i < 2^63", is(name("i"), "<", { kind: "unsigned", value: 2n ** 63n }), "1 2 3 5"],
  ["i > 2^63", is(name("i"), ">", { kind: "unsigned", value: 2n ** 63n }), ""],
  ["i > 1.0", is(name("i"), ">", { kind: "number", value: 1 }), "1 3"],
  ["i >= 4.5", is(name("i"), ">=", { kind: "number", value: 4.5 }), "1 3"],
  ["4.5 > i", is({ kind: "number", value: 4.5 }, ">", name("i")), "2 5"],
  ["i <= 0.5", is(name("i"), "<=", { kind: "number", value: 0.5 }), "2"],
  ["i = 5.5", is(name("i"), "=", { kind: "number", value: 5.5 }), ""],
  ["i != 5.5", is(name("i"), "!=", { kind: "number", value: 5.5 }), "1 2 3 5"],
  ["abs(f - 3) > 1", is(math("abs", is(name("f"), "-", whole(3n))), ">", whole(1n)), "1 5"],
  ["2 < floor(f / 2 + 1)", is(whole(2n), "<", math("floor", halved("f"))), "4 5"],
  ["round(f / 2 + 1) = 2", is(math("round", halved("f")), "=", whole(2n)), "1 2"],
  ["sqrt(f - 2) >= 0", is(math("sqrt", is(name("f"), "-", whole(2n))), ">=", whole(0n)), "2 3 4 5"],
  ["ln(i) < 0", is(math("ln", name("i")), "<", whole(0n)), "2"],
  ["pow(i, 2) = 49", is(math("pow", name("i"), whole(2n)), "=", whole(49n)), "3"],
  ["log(i, 7) = 1", is(math("log", name("i"), whole(7n)), "=", whole(1n)), "3"],
  ["abs(s) > 0", is(math("abs", name("s")), ">", whole(0n)), ""],
  ["s != 'abc'", is(name("s"), "!=", text("abc")), "0 3"],
  ["s = ''", is(name("s"), "=", text("")), ""],
  ["s > 'a'", is(name("s"), ">", text("a")), ""],
  ["s =~ /b/", is(name("s"), "=~", regex("b")), "1 3"],
  ["s !~ /b/", is(name("s"), "!~", regex("b")), "0"],
  ["s =~ /^\\w{3}$/", is(name("s"), "=~", regex("^\\w{3}$")), "1"],
  ["f =~ /1/", is(name("f"), "=~", regex("1")), ""],
  ["host = s", is(name("host"), "=", name("s")), "3"],
  ["(f > 1) != true", is(within(is(name("f"), ">", whole(1n))), "!=", TRUE), "0 1"],
  ["(host = 'a') = true", is(within(is(name("host"), "=", text("a"))), "=", TRUE), "1 2"],
  ["(nope = '') = true", is(within(is(name("nope"), "=", text(""))), "=", TRUE), ""],
  ["(f > 0) & (i > 1)", is(within(is(name("f"), ">", half)), "&", TRUE), "0 1 2 3 4 5"],
  [
    "host = 'a' OR f > 4",
    is(is(name("host"), "=", text("a")), "OR", is(name("f"), ">", whole(4n))),
    "1 2 5",
  ],
  [
    "host = '' AND region = ''",
    is(is(name("host"), "=", text("")), "AND", is(name("region"), "=", text(""))),
    "5",
  ],
];

/** The engine of nodes alone has functions of patterns as they are meant, and of bits. */
suite("tables as points", () => {
  let bench: Bench;
  let small: TestTable;

  before(async () => {
    bench = await Bench.open((files) => openTestEngine(files));
    small = await testTable(bench, "m", KINDS, ROWS);
  });
  after(() => bench[Symbol.asyncDispose]());

  const request = (some: Partial<RowRequest>, condition?: Expression): RowRequest => ({
    source: { kind: "table", name: "m", table: small.table, database: "db", condition },
    time: ALL_TIME,
    dimensions: [],
    descending: false,
    seriesDescending: some.descending ?? false,
    variables: FIELDS,
    rowsMax: undefined,
    best: undefined,
    ...some,
  });
  const read = (some: Partial<RowRequest>, condition?: Expression) =>
    showPoints(new EnginePoints(small.reading).raw(request(some, condition)));

  for (const [label, condition, passing] of CONDITIONS) {
    test(`WHERE ${label} is as in InfluxDB 1`, async () => {
      const rows = await read({}, condition);
      const values = rows.map((row) => row.split(" ")[2]?.replace("-", "0") ?? "");
      assert.equal(values.toSorted(compareText).join(" "), passing);
    });
  }

  test("rows come by series, then time, what is missing first", async () => {
    const variables = FIELDS.slice(0, 1);
    assert.deepEqual(await read({ dimensions: ["host"], variables }), [
      "m[] 10 5",
      "m[] 10 4",
      "m[a] 10 1",
      "m[a] 20 2",
      "m[b] 10 3",
    ]);
  });

  test("descending turns series, times and ties round", async () => {
    const variables = FIELDS.slice(0, 1);
    assert.deepEqual(await read({ dimensions: ["host"], variables, descending: true }), [
      "m[b] 10 3",
      "m[a] 20 2",
      "m[a] 10 1",
      "m[] 10 4",
      "m[] 10 5",
    ]);
  });

  test("times alone are turned round, where series are not to be", async () => {
    const some = { variables: FIELDS.slice(0, 1), descending: true, seriesDescending: false };
    assert.deepEqual(await read({ ...some, dimensions: ["host"] }), [
      "m[] 10 5",
      "m[] 10 4",
      "m[a] 20 2",
      "m[a] 10 1",
      "m[b] 10 3",
    ]);
  });

  test("tags alone give no rows, and a row needs one of the fields", async () => {
    const host: VariableInput = { kind: "variable", name: "host", type: "tag" };
    const flag: VariableInput = { kind: "variable", name: "b", type: "boolean" };
    assert.deepEqual(await read({ variables: [host] }), []);
    assert.deepEqual(await read({ variables: [host, flag] }), ["m[] 10 - false", "m[] 10 a true"]);
  });

  test("what another type is asked of is converted, or missing", async () => {
    const variables: readonly VariableInput[] = [
      { kind: "variable", name: "f", type: "integer" },
      { kind: "variable", name: "i", type: "float" },
      { kind: "variable", name: "s", type: "integer" },
      { kind: "variable", name: "none", type: "float" },
    ];
    const rows = await read({ variables }, is(name("host"), "=", text("a")));
    assert.deepEqual(rows, ["m[] 10 1 5 - -", "m[] 20 2 0 - -"]);
  });

  test("the first rows of each series alone are read where no more are wanted", async () => {
    const variables = FIELDS.slice(0, 1);
    assert.deepEqual(await read({ dimensions: ["host"], variables, rowsMax: 1 }), [
      "m[] 10 5",
      "m[a] 10 1",
      "m[b] 10 3",
    ]);
    assert.equal((await read({ rowsMax: 3 })).length, 3);
  });

  test("the rows with the best values alone are read where no others are wanted", async () => {
    const variable: VariableInput = { kind: "variable", name: "f", type: "float" };
    const some = { variables: [variable] };
    const best = (count: number, least: boolean) =>
      read({ ...some, best: { variable, count, least } });
    assert.deepEqual(await best(2, false), ["m[] 10 5", "m[] 10 4"]);
    assert.deepEqual(await best(2, true), ["m[] 10 1", "m[] 20 2"]);
  });

  test("the last piece of a series, and no other, says so", async () => {
    const points = new EnginePoints(small.reading).raw(request({ dimensions: ["host"] }));
    const shown: string[] = [];
    for await (const { last, series } of points) shown.push(`${series.tags.join(",")} ${last}`);
    assert.deepEqual(shown, [" true", "a true", "b true", "c true"]);
  });

  test("the combinations of tags that rows have come once, in order", async () => {
    const asked = { table: small.table, time: ALL_TIME, condition: undefined };
    const rows: unknown[] = [];
    for await (const { columns, rowCount } of distinctTags(
      { ...asked, tags: ["host", "nope"] },
      small.reading,
    ))
      for (let row = 0; row < rowCount; row += 1)
        rows.push(columns.map((column) => cellAt(column, row)));
    assert.deepEqual(rows, [
      [null, null],
      ["a", null],
      ["b", null],
      ["c", null],
    ]);
  });

  test("of no tags there is one row where there is data", async () => {
    const condition = is(name("host"), "=", text("none"));
    const counts: number[] = [];
    for (const asked of [undefined, condition]) {
      const some = { table: small.table, time: ALL_TIME, condition: asked, tags: [] };
      const batches = await Array.fromAsync(distinctTags(some, small.reading));
      counts.push(batches.reduce((sum, { rowCount }) => sum + rowCount, 0));
    }
    assert.deepEqual(counts, [1, 0]);
  });
});

test("the engine without a process gives the same rows", async () => {
  await using bench = await Bench.open(async (files) => plainEngine({ files }));
  const { reading, table } = await testTable(bench, "m", KINDS, ROWS);
  const rows = await showPoints(
    new EnginePoints(reading).raw({
      source: {
        kind: "table",
        name: "m",
        table,
        database: "db",
        condition: is(name("host"), "!=", text("b")),
      },
      time: { start: 10n, end: 10n },
      dimensions: ["region"],
      descending: false,
      seriesDescending: false,
      variables: FIELDS,
      rowsMax: undefined,
      best: undefined,
    }),
  );
  assert.deepEqual(rows, [
    "m[] 10 5 1 - -",
    "m[] 10 - - only -",
    "m[x] 10 1 5 abc true",
    "m[y] 10 4 - - false",
  ]);
});
