import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { Bench } from "#engine/contract/bench.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import type { Fill } from "../../ast.ts";
import type { PointSource } from "../../points/source.ts";
import { answerOf, SECOND_NS, testSelect } from "../../points/test-points.ts";
import type { Input, Output, PointType, ReducerName, ResolvedSelect } from "../../resolved.ts";
import { EnginePoints } from "../source.ts";
import { type TestTable, testTable } from "../test-table.ts";
import { REDUCED_NAMES } from "./parts.ts";

const KINDS = { host: "tag", region: "tag", f: "float", i: "integer", s: "string" } as const;
const TYPES = { f: "float", i: "integer", s: "string" } as const;
const SELECTORS: ReadonlySet<string> = new Set(["first", "last", "min", "max"]);

const row = fc.record({
  time: fc.bigInt({ min: 0n, max: 60n }).map((seconds) => seconds * SECOND_NS),
  host: fc.constantFrom("a", "b", null),
  region: fc.constantFrom("x", "y"),
  f: fc.option(fc.integer({ min: -8, max: 8 }).map((value) => value / 4)),
  i: fc.option(fc.bigInt({ min: -5n, max: 5n })),
  s: fc.option(fc.constantFrom("p", "q")),
});
type Row = typeof row extends fc.Arbitrary<infer One> ? One : never;
const keyOf = ({ host, region, time }: Row) => `${time} ${host} ${region}`;
const rows = fc.uniqueArray(row, { minLength: 1, maxLength: 40, selector: keyOf });
/** Rows of which many have the same time and values. */
const alikeRows = fc.uniqueArray(
  row.map(
    (one): Row => ({ ...one, time: one.time % (3n * SECOND_NS), f: one.f && Math.sign(one.f) }),
  ),
  { minLength: 1, maxLength: 18, selector: keyOf },
);

const call = fc
  .tuple(
    fc.constantFrom(...REDUCED_NAMES),
    fc.constantFrom("f" as const, "i" as const, "s" as const),
    fc.boolean(),
  )
  .filter(([name, field]) => field !== "s" || ["count", "first", "last"].includes(name))
  .map(([name, field, distinct]): Input => {
    const type: PointType = TYPES[field];
    return {
      kind: "reducer",
      name,
      argument: { kind: "variable", name: field, type },
      distinct: distinct && name === "count",
      parameter: undefined,
      keys: [],
      type: typeOf(name, type),
    };
  });

const best = fc
  .record({
    name: fc.constantFrom<ReducerName>("top", "bottom"),
    field: fc.constantFrom("f" as const, "i" as const),
    count: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ count, field, name }): Input => {
    const type: PointType = TYPES[field];
    const argument = { kind: "variable", name: field, type } as const;
    return { kind: "reducer", name, argument, distinct: false, parameter: count, keys: [], type };
  });

function typeOf(name: ReducerName, type: PointType): PointType {
  if (name === "count") return "integer";
  return ["mean", "median", "stddev"].includes(name) ? "float" : type;
}

const fills: readonly Fill[] = [
  { kind: "null" },
  { kind: "none" },
  { kind: "previous" },
  { kind: "linear" },
  { kind: "number", value: 7, integer: true },
];

const shape = fc.record({
  inputs: fc.array(call, { minLength: 1, maxLength: 3 }),
  window: fc.option(
    fc.record({
      everyNs: fc.constantFrom(10n * SECOND_NS, 7n * SECOND_NS),
      offsetNs: fc.bigInt({ min: -3n, max: 3n }).map((seconds) => seconds * SECOND_NS),
    }),
    { nil: undefined },
  ),
  zone: fc.constantFrom(undefined, "Asia/Kathmandu"),
  fill: fc.constantFrom(...fills),
  dimensions: fc.constantFrom([], ["host"], ["host", "region"]),
  descending: fc.boolean(),
  limit: fc.constantFrom(0, 0, 2),
  offset: fc.constantFrom(0, 1),
});

suite("what the engine reduces and what is reduced of rows", () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.open((files) => openTestEngine(files));
  });
  after(() => bench[Symbol.asyncDispose]());

  test("are the same, whatever is made of it", async () => {
    await fc.assert(
      fc.asyncProperty(rows, shape, async (some, parts) => {
        const from = await testTable(bench, "m", KINDS, some);
        const [byEngine, ofRows] = await both(from, parts);
        assert.deepEqual(byEngine, ofRows);
      }),
      { numRuns: 120 },
    );
  });

  test("are the same where one row is chosen, and shown with its time", async () => {
    const selector = call.filter((input) => input.kind === "reducer" && SELECTORS.has(input.name));
    await fc.assert(
      fc.asyncProperty(rows, shape, selector, async (some, parts, input) => {
        const from = await testTable(bench, "m", KINDS, some);
        // With all tags no two rows are chosen alike.
        const dimensions = ["host", "region"];
        const beside = { kind: "variable", name: "i", type: "integer" } as const;
        const [byEngine, ofRows] = await both(from, {
          ...parts,
          dimensions,
          inputs: [input],
          outputs: [{ name: "b", type: "integer", expression: { kind: "beside", input: beside } }],
        });
        assert.deepEqual(byEngine, ofRows);
      }),
      { numRuns: 60 },
    );
  });

  test("are the same where the best rows are chosen", async () => {
    await fc.assert(
      fc.asyncProperty(alikeRows, fc.boolean(), best, async (some, descending, input) => {
        const from = await testTable(bench, "m", KINDS, some);
        const outputs = [besideOf("host"), besideOf("region")];
        const [byEngine, ofRows] = await both(from, { descending, inputs: [input], outputs });
        assert.deepEqual(byEngine, ofRows);
      }),
      { numRuns: 60 },
    );
  });
});

/** A column with `tag` of the row that was chosen. */
function besideOf(tag: string): Output {
  const input = { kind: "variable", name: tag, type: "tag" } as const;
  return { name: tag, type: "tag", expression: { kind: "beside", input } };
}

/** The answers to a SELECT of `parts` by the engine, and of the rows that it gives. */
async function both({ reading, table }: TestTable, parts: Partial<ResolvedSelect>) {
  const { inputs = [], outputs = [] } = parts;
  const asOutputs = inputs.map((input, index) => {
    return { name: `c${index}`, type: input.type, expression: { kind: "input", index } as const };
  });
  const select = testSelect({
    ...parts,
    sources: [{ kind: "table", name: "m", table, database: "db", condition: undefined }],
    time: { start: 0n, end: 60n * SECOND_NS },
    startsAt: true,
    outputs: [...asOutputs, ...outputs],
  });
  const engine = new EnginePoints(reading);
  let helped = false;
  const asked: PointSource = {
    raw: (request) => {
      helped ||= request.best !== undefined;
      return engine.raw(request);
    },
    series: (request) => engine.series(request),
    canReduce: (request) => engine.canReduce(request),
    reduced: (request) => {
      helped = true;
      return engine.reduced(request);
    },
  };
  const byRows: PointSource = {
    ...asked,
    raw: (request) => engine.raw({ ...request, best: undefined }),
    canReduce: () => false,
  };
  const answers = [await answerOf(select, asked), await answerOf(select, byRows)];
  assert.ok(helped, "the engine is asked for less than all rows");
  return answers.map((lines) => lines.map(rounded));
}

/** Numbers with a point to nine digits. */
function rounded(line: string): string {
  return line.replace(/-?\d+\.\d+(?:e[+-]?\d+)?/g, (text) => Number(text).toPrecision(9));
}
