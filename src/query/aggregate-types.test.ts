import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { homeContext } from "#testing/home.ts";
import { aggregateNames } from "./plan/bind/aggregates/aggregates.ts";
import { rankNames } from "./plan/bind/calls/rank.ts";
import { planStatement } from "./plan/plan.ts";
import { encodeResult } from "./result/result.ts";
import { parseStatement } from "./sql/statement.ts";

const FOREVER = new AbortController().signal;

/** A value of each type. */
const VALUES = [
  "null",
  "true",
  "cast(3 as tinyint)",
  "cast(3 as smallint unsigned)",
  "cast(3 as int)",
  "3",
  "cast(3 as bigint unsigned)",
  "cast(1.5 as float)",
  "1.5",
  "cast('NaN' as double)",
  "cast('inf' as double)",
  "cast(1.5 as decimal(10, 2))",
  "cast(1.5 as decimal(38, 10))",
  "'text'",
  "x'00ff'",
  "cast('2020-01-01' as date)",
  "cast('10:00:00' as time)",
  "timestamp '2020-01-01T00:00:00Z'",
  "tz(timestamp '2020-01-01T00:00:00Z', 'Europe/Paris')",
  "interval '1 month 2 days'",
  "timestamp '2020-01-02' - timestamp '2020-01-01'",
  "make_array(1, null)",
  "named_struct('a', 1, 'b', 'x')",
  "map {'a': 1}",
];

/** What calls are given, so that some fit. */
const ARGUMENTS = [
  "x",
  "x, x",
  "x, 1",
  "x, 0.5",
  "x, ','",
  "x, t",
  "x, t, x",
  "x, 1, x",
  "x, x, 0.5",
];
const TAILS = ["", " filter (where i < 3)", " over (order by i rows 1 preceding)", " over ()"];

/** A call of chance over three rows, of which the last has NULL. */
const statement = fc
  .record({
    name: fc.constantFrom(...aggregateNames(), ...rankNames()),
    distinct: fc.constantFrom("", "", "distinct "),
    args: fc.constantFrom(...ARGUMENTS),
    tail: fc.constantFrom(...TAILS),
    value: fc.constantFrom(...VALUES),
  })
  .map(({ name, distinct, args, tail, value }) => {
    const rows = `(${value}, 1, 0::timestamp), (${value}, 2, 1::timestamp), (null, 3, 2::timestamp)`;
    return `select ${name}(${distinct}${args})${tail} from (values ${rows}) v(x, i, t)`;
  });

suite("aggregates and window functions of every type", () => {
  let engine: DuckDbEngine;
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("no files")) });
  });
  after(() => engine[Symbol.asyncDispose]());

  test("each answers, or says what the user's mistake is", async () => {
    const property = fc.asyncProperty(statement, async (sql) => {
      try {
        const plan = planStatement(parseStatement(sql), homeContext());
        const batches = engine.query(plan, FOREVER);
        await Array.fromAsync(encodeResult("jsonl", plan.fields, batches));
      } catch (error) {
        assert.ok(error instanceof DbError && error.kind !== "internal", String(error));
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });
});
