/** Plan nodes: values, filter, project, sort, limit, aggregate. And how a query ends. */
import assert from "node:assert/strict";
import type { Expression } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import type { Bench, Cell, ContractCases } from "./bench.ts";
import {
  aggregate,
  ascending,
  assertSameList,
  assertSameRows,
  bool,
  call,
  castTo,
  descending,
  float,
  grouped,
  input,
  int,
  literal,
  none,
  project,
  sorted,
  text,
  uint,
  valuesOf,
} from "./build.ts";

/** (group string, int64, float64), with NULLs and repeats. */
const ROWS: readonly (readonly [string | null, bigint | null, number | null])[] = [
  ["a", 1n, 0.5],
  ["a", 3n, 2.5],
  ["b", 3n, null],
  ["a", null, 2.5],
  [null, 4n, 4],
  ["b", -4n, -0.5],
  ["a", 1n, 3],
];
const SOME = valuesOf(
  ...ROWS.map(([group, whole, real]) => [
    literal("string", group),
    literal("int64", whole),
    literal("float64", real),
  ]),
);
const EMPTY: Plan = { kind: "filter", fields: SOME.fields, input: SOME, predicate: bool(false) };
const [GROUP, WHOLE, REAL] = [input(0, "string"), input(1, "int64"), input(2, "float64")];
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

function limited(source: Plan, offset: bigint, countMax?: bigint): Plan {
  const limit = { kind: "limit" as const, fields: source.fields, input: source, offset };
  return countMax === undefined ? limit : { ...limit, countMax };
}

/** Integers 0 to `count - 1` in a buffer, as a plan of one column. */
async function manyRows(bench: Bench, count: number): Promise<Plan> {
  const table = bench.table({ f: "integer" });
  const generation = bench.generation();
  const rows = Array.from({ length: count }, (_, i) => ({ time: BigInt(i), f: BigInt(i) }));
  await table.append(generation, 1, 1n, rows);
  const groups = [{ merge: false, sources: [table.buffered(generation)] }];
  return table.scan(groups, { columns: ["f"] });
}

export const PLAN_CASES: ContractCases = {
  "values give rows of every type, and of none": async (bench) => {
    const row = [none(), bool(true), int(-1), uint(UINT_MAX), float(0.5), text("x")];
    const rest = [literal("timestamp", 5n), literal("interval", { months: 1, nanoseconds: 2n })];
    assert.deepEqual(await bench.rows(valuesOf([...row, ...rest])), [
      [null, true, -1n, UINT_MAX, 0.5, "x", 5n, { months: 1, nanoseconds: 2n }],
    ]);
    const nulls = [...row, ...rest].map(({ type }) => none(type));
    assert.deepEqual(await bench.rows(valuesOf(nulls)), [nulls.map(() => null)]);
    assert.deepEqual(await bench.rows({ ...valuesOf(row), kind: "values", rows: [] }), []);
  },

  "a filter gives the rows for which it is true": async (bench) => {
    const predicate = call("boolean", "greater", WHOLE, int(2));
    const filter: Plan = { kind: "filter", fields: SOME.fields, input: SOME, predicate };
    const expected = ROWS.filter(([, whole]) => whole !== null && whole > 2n);
    assertSameRows(
      await bench.rows(filter),
      expected.map((row) => [...row]),
    );
  },

  "a projection computes each column of each row": async (bench) => {
    const plan = project(SOME, call("int64", "multiply", WHOLE, int(2)), GROUP, GROUP);
    const expected = ROWS.map(([group, whole]) => [
      whole === null ? null : whole * 2n,
      group,
      group,
    ]);
    assertSameRows(await bench.rows(plan), expected);
  },

  "rows sort by several keys, and NULLs where they are told": async (bench) => {
    const order = async (...keys: Parameters<typeof sorted>[1][]) =>
      bench.rows(project(sorted(SOME, ...keys), GROUP, WHOLE));
    assertSameList(await order(descending(GROUP, true), ascending(WHOLE, false), ascending(REAL)), [
      [null, 4n],
      ["b", -4n],
      ["b", 3n],
      ["a", 1n],
      ["a", 1n],
      ["a", 3n],
      ["a", null],
    ]);
    assertSameList(await order(ascending(GROUP, false), descending(WHOLE, true)), [
      ["a", null],
      ["a", 3n],
      ["a", 1n],
      ["a", 1n],
      ["b", 3n],
      ["b", -4n],
      [null, 4n],
    ]);
  },

  "of rows with equal keys the first one is kept, in order": async (bench) => {
    const rows = sorted(SOME, ascending(GROUP, false), descending(REAL, false));
    const plan: Plan = { kind: "distinct_on", fields: rows.fields, input: rows, keys: [GROUP] };
    assertSameList(await bench.rows(plan), [
      ["a", 1n, 3],
      ["b", -4n, -0.5],
      [null, 4n, 4],
    ]);
  },

  "texts sort by code point and NaN above all numbers": async (bench) => {
    const texts = ["", "A", "a", "ab", "é", "～", "😀"];
    const textPlan = valuesOf(...texts.toReversed().map((one) => [text(one)]));
    const textRows = await bench.rows(sorted(textPlan, ascending(input(0, "string"))));
    assert.deepEqual(textRows.flat(), texts);
    const numbers = [-Infinity, -1, 0, 1, Infinity, Number.NaN];
    const numberPlan = valuesOf(...numbers.toReversed().map((one) => [float(one)]));
    const numberRows = await bench.rows(sorted(numberPlan, ascending(input(0, "float64"))));
    assert.deepEqual(numberRows.flat(), numbers);
  },

  "a last column that has no type is there, though rows are limited": async (bench) => {
    const [first, second] = await bench.rows(limited(project(SOME, WHOLE, none()), 0n, 2n));
    assert.deepEqual(
      [first, second],
      [
        [1n, null],
        [3n, null],
      ],
    );
  },

  "a limit leaves out rows at both ends": async (bench) => {
    const plan = sorted(await manyRows(bench, 20), ascending(input(0, "int64")));
    const read = async (offset: bigint, countMax?: bigint) =>
      (await bench.rows(limited(plan, offset, countMax))).flat();
    assert.deepEqual(await read(0n, 3n), [0n, 1n, 2n]);
    assert.deepEqual(await read(17n), [17n, 18n, 19n]);
    assert.deepEqual(await read(18n, 5n), [18n, 19n]);
    assert.deepEqual(await read(20n, 5n), []);
    assert.deepEqual(await read(5n, 0n), []);
  },

  "results of many rows come complete and in order": async (bench) => {
    const count = 20_000;
    const plan = sorted(await manyRows(bench, count), descending(input(0, "int64")));
    const rows = await bench.rows(plan);
    const expected = Array.from({ length: count }, (_, i) => BigInt(count - 1 - i));
    assert.deepEqual(rows.flat(), expected);
  },

  "nodes stand upon nodes": async (bench) => {
    let plan: Plan = await manyRows(bench, 3);
    for (let depth = 0; depth < 60; depth += 1) {
      plan = project(plan, call("int64", "add", input(0, "int64"), int(1)));
      if (depth % 3 === 0) plan = sorted(plan, ascending(input(0, "int64")));
    }
    assertSameRows(await bench.rows(plan), [[60n], [61n], [62n]]);
  },

  "an aggregate without groups gives one row, also of none": async (bench) => {
    const calls = [
      aggregate("int64", "count"),
      aggregate("int64", "count", [WHOLE]),
      aggregate("int64", "sum", [WHOLE]),
      aggregate("float64", "avg", [REAL]),
      aggregate("string", "min", [GROUP]),
      aggregate("float64", "stddev", [REAL]),
      aggregate("string", "first_value", [GROUP]),
    ];
    const rows = await bench.rows(grouped(EMPTY, [], ...calls));
    assert.deepEqual(rows, [[0n, 0n, null, null, null, null, null]]);
    assert.deepEqual(await bench.rows(grouped(EMPTY, [GROUP], aggregate("int64", "count"))), []);
  },

  "groups without aggregates are the distinct ones, NULL among them": async (bench) => {
    assertSameRows(await bench.rows(grouped(SOME, [GROUP])), [["a"], ["b"], [null]]);
    const halves = valuesOf([float(-0)], [float(0)], [float(Number.NaN)], [float(Number.NaN)]);
    const rows = await bench.rows(grouped(halves, [input(0, "float64")]));
    assert.equal(rows.length, 2);
  },

  "counts take rows or values, each or different ones": async (bench) => {
    const calls = [
      aggregate("int64", "count"),
      aggregate("int64", "count", [WHOLE]),
      aggregate("int64", "count", [WHOLE], { distinct: true }),
      aggregate("int64", "count", [], { filter: call("boolean", "greater", WHOLE, int(2)) }),
    ];
    const expected = [
      ["a", 4n, 3n, 2n, 1n],
      ["b", 2n, 2n, 2n, 1n],
      [null, 1n, 1n, 1n, 1n],
    ];
    assertSameRows(await bench.rows(grouped(SOME, [GROUP], ...calls)), expected);
  },

  "aggregates answer as their words say": async (bench) => {
    const all = (...calls: Parameters<typeof grouped>[2][]) =>
      bench.rows(grouped(SOME, [], ...calls));
    const cases: readonly (readonly [Parameters<typeof grouped>[2], Cell])[] = [
      [aggregate("int64", "sum", [WHOLE]), 8n],
      [aggregate("int64", "sum", [WHOLE], { distinct: true }), 4n],
      [aggregate("float64", "sum", [REAL]), 12],
      [aggregate("float64", "avg", [REAL]), 2],
      [aggregate("int64", "min", [WHOLE]), -4n],
      [aggregate("string", "max", [GROUP]), "b"],
      [aggregate("float64", "max", [REAL]), 4],
      [aggregate("int64", "median", [WHOLE]), 2n],
      [aggregate("float64", "median", [REAL]), 2.5],
      [aggregate("float64", "stddev_population", [REAL]), Math.sqrt(14 / 6)],
      [aggregate("float64", "stddev", [REAL]), Math.sqrt(14 / 5)],
      [aggregate("float64", "variance_population", [REAL]), 14 / 6],
      [aggregate("float64", "variance", [REAL]), 14 / 5],
      [aggregate("boolean", "max", [call("boolean", "equal", WHOLE, int(3))]), true],
    ];
    for (const [one, answer] of cases) {
      // The name tells which one failed.
      assertSameList([[one.name, ...((await all(one))[0] ?? [])]], [[one.name, answer]]);
    }
  },

  "the median of whole numbers is truncated toward zero": async (bench) => {
    for (const [low, high, middle] of [
      [1, 2, 1n],
      [-2, -1, -1n],
      [-2, 1, 0n],
    ] as const) {
      const plan = valuesOf([int(low)], [int(high)]);
      const median = aggregate("int64", "median", [input(0, "int64")]);
      assert.deepEqual(await bench.rows(grouped(plan, [], median)), [[middle]]);
    }
  },

  "of one value there is no sample deviation": async (bench) => {
    const one = input(0, "float64");
    const calls = [
      aggregate("float64", "stddev", [one]),
      aggregate("float64", "variance", [one]),
      aggregate("float64", "stddev_population", [one]),
    ];
    const rows = await bench.rows(grouped(valuesOf([float(3)]), [], ...calls));
    assert.deepEqual(rows, [[null, null, 0]]);
  },

  "first and last follow their order, and take NULL": async (bench) => {
    const orderBy = [ascending(WHOLE, true)];
    const byReal = [descending(REAL)];
    const calls = [
      aggregate("int64", "first_value", [WHOLE], { orderBy }),
      aggregate("int64", "last_value", [WHOLE], { orderBy }),
      aggregate("string", "first_value", [GROUP], { orderBy: byReal }),
      aggregate("string", "last_value", [GROUP], { orderBy: byReal }),
    ];
    assert.deepEqual(await bench.rows(grouped(SOME, [], ...calls)), [[null, 4n, null, "b"]]);
  },

  "sums keep their type and their limits": async (bench) => {
    const sumOf = (type: "int64" | "uint64", values: readonly bigint[]) => {
      const plan = valuesOf(...values.map((value) => [literal(type, value)]));
      return bench.rows(grouped(plan, [], aggregate(type, "sum", [input(0, type)])));
    };
    assert.deepEqual(await sumOf("int64", [INT_MAX, 1n, -1n]), [[INT_MAX]]);
    assert.deepEqual(await sumOf("uint64", [2n ** 63n, 2n ** 63n - 1n]), [[UINT_MAX]]);
    const overflow = { kind: "invalid", code: "number_overflow" };
    await assert.rejects(sumOf("int64", [INT_MAX, 1n]), overflow);
    await assert.rejects(sumOf("uint64", [UINT_MAX, 1n]), overflow);
  },

  "an error of one row ends the query, and the engine goes on": async (bench) => {
    const plan = await manyRows(bench, 3000);
    const failing = (expression: Expression) => bench.rows(project(plan, expression));
    const value = input(0, "int64");
    await assert.rejects(failing(call("int64", "divide", int(1), value)), {
      kind: "invalid",
      code: "divide_by_zero",
    });
    const shifted = call("int64", "add", value, int(INT_MAX - 100n));
    await assert.rejects(failing(shifted), { kind: "invalid", code: "number_overflow" });
    await assert.rejects(failing(castTo("uint64", call("int64", "negate", value))), {
      kind: "invalid",
      code: "cast_failed",
    });
    assert.equal((await bench.rows(plan)).length, 3000);
  },

  "a signal that is aborted ends a query with its reason": async (bench) => {
    const reason = new Error("the client left");
    const isReason = (error: unknown) => error === reason;
    await assert.rejects(bench.rows(SOME, AbortSignal.abort(reason)), isReason);
    const plan = await manyRows(bench, 50_000);
    const controller = new AbortController();
    let batchCount = 0;
    const abortAfterOne = async () => {
      for await (const _ of bench.engine.query(plan, controller.signal)) {
        batchCount += 1;
        controller.abort(reason);
      }
    };
    await assert.rejects(abortAfterOne(), isReason);
    assert.ok(batchCount <= 3, `${batchCount} batches came`);
    assert.equal((await bench.rows(SOME)).length, ROWS.length);
  },

  "a query that is left early does not disturb the next": async (bench) => {
    const plan = await manyRows(bench, 50_000);
    for (let i = 0; i < 5; i += 1) {
      for await (const _ of bench.engine.query(plan, new AbortController().signal)) break;
    }
    const count = grouped(plan, [], aggregate("int64", "count"));
    assert.deepEqual(await bench.rows(count), [[50_000n]]);
  },

  "queries run beside each other and beside appends": async (bench) => {
    const plan = await manyRows(bench, 5000);
    const count = grouped(plan, [], aggregate("int64", "count"));
    const appends = Array.from({ length: 5 }, () => manyRows(bench, 1000));
    const counts = Array.from({ length: 8 }, () => bench.rows(count));
    assert.deepEqual(
      await Promise.all(counts),
      counts.map(() => [[5000n]]),
    );
    await Promise.all(appends);
  },
};
