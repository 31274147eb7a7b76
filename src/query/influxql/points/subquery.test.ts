import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  integer as anyInteger,
  array,
  assert as assertProperty,
  asyncProperty,
  bigInt,
  boolean,
  constant,
  constantFrom,
  nat,
  record,
} from "fast-check";
import type { BinaryOperator, Expression } from "../ast.ts";
import type { ResolvedSelect, ResolvedSource } from "../resolved.ts";
import { answerOf, MemoryPoints, SECOND_NS, testTable } from "./test-points.ts";
import { calls, ROWS } from "./test-select.ts";

const MINUTE = { time: { start: 0n, end: 60n * SECOND_NS - 1n }, startsAt: true };
const BY_10 = { ...MINUTE, window: { everyNs: 10n * SECOND_NS, offsetNs: 0n } };
const FROM_3 = { time: { start: 3n * SECOND_NS, end: 60n * SECOND_NS - 1n }, startsAt: true };
const LATE = { time: { start: 20n * SECOND_NS, end: 60n * SECOND_NS - 1n }, startsAt: true };
const FROM_20 = { ...BY_10, ...LATE };
const RAW = { raw: true };

function of(select: ResolvedSelect, condition?: Expression): readonly ResolvedSource[] {
  const source = { kind: "subquery", select, condition, types: new Map() } as const;
  return [source];
}

/** The same with its output named as variables are in tests. */
function named(select: ResolvedSelect, ...names: readonly string[]): ResolvedSelect {
  const outputs = select.outputs.map((output, index) => ({
    ...output,
    name: names[index] ?? output.name,
  }));
  return { ...select, outputs };
}

function compare(name: string, operator: BinaryOperator, right: Expression): Expression {
  const left = { kind: "variable", name, cast: undefined } as const;
  return { kind: "binary", operator, left, right };
}

const text = (value: string): Expression => ({ kind: "string", value });
const integer = (value: bigint): Expression => ({ kind: "integer", value });

const MEANS = named(calls(["mean v"], { ...BY_10, dimensions: ["h"], fill: "none" }), "v");
const LASTS = named(calls(["last v"], { dimensions: ["h"] }), "v");
const FIELDS = calls(["v", "w", "s", "b", "i"], RAW);

/** What InfluxDB 1.6.7 answered. */
const CASES: readonly (readonly [what: string, select: ResolvedSelect, rows: readonly string[]])[] =
  [
    [
      "series are put together in order of time",
      calls(["v", "h"], { ...RAW, sources: of(MEANS) }),
      ["m", "0 1 a", "0 5 b", "10 3 a", "10 7 b", "20 2 a", "50 10 a"],
    ],
    [
      "what was chosen of each series stays in the order of series",
      calls(["v", "h"], { ...RAW, sources: of(LASTS) }),
      ["m", "55 10 a", "12 7 b"],
    ],
    [
      "series stay apart where tags are the same",
      calls(["max v"], { dimensions: ["h"], sources: of(MEANS) }),
      ["m,h=a", "50 10", "m,h=b", "10 7"],
    ],
    [
      "buckets that begin before WHERE end what has no window",
      calls(["count v"], { ...FROM_3, sources: of({ ...MEANS, ...FROM_3 }) }),
      [],
    ],
    [
      "and the other way round what comes before them counts",
      calls(["count v"], {
        ...FROM_3,
        descending: true,
        sources: of({ ...MEANS, ...FROM_3, dimensions: [], descending: true }),
      }),
      ["m", "3 3"],
    ],
    [
      "with a window all do",
      calls(["max v"], { ...BY_10, ...FROM_3, fill: "none", sources: of({ ...MEANS, ...FROM_3 }) }),
      ["m", "0 5", "10 7", "20 2", "50 10"],
    ],
    [
      "a transformation reads the bucket before of a subquery, too",
      calls(["derivative 10000000000 | mean v"], {
        ...FROM_20,
        sources: of({ ...FIELDS, ...LATE }),
      }),
      ["m", "20 -3", "50 2.6666666666666665"],
    ],
    [
      "unless its WHERE leaves it out",
      calls(["derivative 10000000000 | mean v"], {
        ...FROM_20,
        sources: of({ ...FIELDS, ...LATE, ownTime: LATE.time }),
      }),
      ["m", "50 2.6666666666666665"],
    ],
    [
      "WHERE on a tag of the series",
      calls(["v"], { ...RAW, sources: of(MEANS, compare("h", "=", text("a"))) }),
      ["m", "0 1", "10 3", "20 2", "50 10"],
    ],
    [
      "WHERE on what nobody knows, which is an empty tag",
      calls(["v"], { ...RAW, limit: 1, sources: of(FIELDS, compare("nope", "=", text(""))) }),
      ["m", "1 1"],
    ],
    [
      "an absent text is not another one",
      calls(["v"], { ...RAW, sources: of(FIELDS, compare("s", "!=", text("x"))) }),
      ["m", "5 5", "21 2"],
    ],
    [
      "an absent truth value is false",
      calls(["v"], {
        ...RAW,
        sources: of(FIELDS, compare("b", "=", { kind: "boolean", value: false })),
      }),
      ["m", "5 5", "12 3", "21 2", "33 -", "55 10"],
    ],
    [
      "WHERE by a regular expression",
      calls(["v"], {
        ...RAW,
        sources: of(FIELDS, compare("s", "=~", { kind: "regex", pattern: "x|y" })),
      }),
      ["m", "1 1", "21 2"],
    ],
    [
      "whole numbers beside floats",
      calls(["v"], { ...RAW, sources: of(FIELDS, compare("v", ">=", integer(5n))) }),
      ["m", "5 5", "12 7", "55 10"],
    ],
    [
      "subqueries of one measurement are one series",
      calls(["v"], { ...RAW, limit: 3, sources: [...of(FIELDS), ...of(FIELDS)] }),
      ["m", "1 1", "1 1", "5 5"],
    ],
    [
      "measurements come by name",
      calls(["mean v"], { sources: [testTable("tie"), testTable("m")] }),
      ["m", "0 4.666666666666667", "tie", "0 1"],
    ],
    [
      "SLIMIT counts series from the first",
      calls(["mean v"], { dimensions: ["h"], seriesLimit: 1, seriesOffset: 1 }),
      ["m,h=b", "0 6"],
    ],
    [
      "SOFFSET alone leaves no series",
      calls(["mean v"], { dimensions: ["h"], seriesOffset: 1 }),
      [],
    ],
    [
      "whichever comes first",
      calls(["mean v"], { dimensions: ["h"], seriesLimit: 1, descending: true }),
      ["m,h=a", "0 4"],
    ],
  ];

suite("subqueries", () => {
  for (const [what, select, rows] of CASES) {
    test(what, async () => {
      for (const pieceMax of [1, 1000]) {
        assert.deepEqual(await answerOf(select, new MemoryPoints(ROWS, pieceMax)), rows);
      }
    });
  }

  test("pieces of any size give what one piece gives", async () => {
    const reducers = [
      "mean v",
      "percentile v 50",
      "mode i",
      "top v 2",
      "distinct i",
      "integral v 1000000000",
    ];
    const transforms = ["difference | v", "moving_average 2 | i", "elapsed 1 | v"];
    const fills = ["null", "none", "previous", "linear", "3"];
    await assertProperty(
      asyncProperty(
        array(
          record({
            name: constant("m"),
            tags: record({ h: constantFrom("a", "b", "c") }),
            timeNs: bigInt({ min: 0n, max: 59n }).map((second) => second * SECOND_NS),
            fields: record(
              { v: anyInteger({ min: -9, max: 9 }), i: bigInt({ min: -9n, max: 9n }) },
              { requiredKeys: [] },
            ),
          }),
          { maxLength: 40 },
        ),
        record({
          call: constantFrom(...reducers, ...transforms),
          fill: constantFrom(...fills),
          dimensions: constantFrom([], ["h"]),
          descending: boolean(),
          limit: nat(3),
          window: constantFrom(undefined, BY_10.window),
        }),
        anyInteger({ min: 1, max: 5 }),
        async (rows, { call, ...parts }, pieceMax) => {
          const select = calls([call], { ...MINUTE, ...parts });
          const whole = await answerOf(select, new MemoryPoints(rows));
          assert.deepEqual(await answerOf(select, new MemoryPoints(rows, pieceMax)), whole);
        },
      ),
      { numRuns: 300 },
    );
  });
});
