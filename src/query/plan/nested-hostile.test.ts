import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import { homeContext } from "#testing/home.ts";
import { encodeResult } from "../result/result.ts";
import { parseStatement } from "../sql/statement.ts";
import { NESTED_FUNCTIONS } from "./bind/functions/nested/nested.ts";
import { planStatement } from "./plan.ts";

const SCALARS = [
  "1",
  "-1",
  "0",
  "NULL",
  "2.5",
  "'a'",
  "'a,b'",
  "''",
  "true",
  "9223372036854775807",
  "100000000000",
  "TIMESTAMP '2024-01-01'",
  "t.i",
  "t.s",
  "t.f",
];
const LISTS = [
  "[1, 2, 3]",
  "[NULL, 1]",
  "[]",
  "['a', NULL]",
  "[[1, 2], [3]]",
  "[[]]",
  "[2.5]",
  "[true]",
  "{'a': 1, 'b': 'x'}",
  "[{'a': 1}, NULL]",
  "MAP {'a': 1}",
  "MAP {1: [2]}",
  "t.l",
  "t.m",
  "t.p",
  "t.st",
  "t.ls",
];
const ROWS =
  "(VALUES (1, 'a', 1.5, [1, 2], [[1], [2]], {'a': 1}, MAP {'a': 1}, ['x']), " +
  "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'b', -0.5, [NULL, 5], [[NULL], NULL], {'a': NULL}, MAP {'b': NULL}, [NULL]), " +
  "(0, '', 0.0, [], [], {'a': 7}, MAP {}, [])) AS t(i, s, f, l, m, st, p, ls)";

const EXPRESSIONS = fc.letrec<{ any: string }>((tie) => {
  const any = tie("any");
  const leaf = fc.constantFrom(...SCALARS, ...LISTS);
  const calls = fc
    .tuple(
      fc.constantFrom(...Object.keys(NESTED_FUNCTIONS)),
      fc.array(fc.oneof(leaf, leaf, any), { minLength: 1, maxLength: 4 }),
    )
    .map(([name, operands]) => `${name}(${operands.join(", ")})`);
  const pairs = fc
    .tuple(any, any, fc.constantFrom("||", "=", "@>"))
    .map(([left, right, operator]) => `(${left} ${operator} ${right})`);
  return {
    any: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      calls,
      pairs,
      fc.tuple(any, any).map(([list, index]) => `${list}[${index}]`),
      fc.tuple(leaf, leaf, leaf).map(([list, from, to]) => `${list}[${from}:${to}]`),
      fc.tuple(any, any).map(([left, right]) => `[${left}, ${right}]`),
      any.map((value) => `CAST(${value} AS VARCHAR)`),
    ),
  };
}).any;

suite("hostile lists, structs and maps", () => {
  let engine: DuckDbEngine;
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("no files")) });
  });
  after(() => engine[Symbol.asyncDispose]());

  test("any expression of them is answered, or is the user's mistake", async () => {
    let answers = 0;
    const ask = async (expression: string) => {
      const plan = planStatement(
        parseStatement(`SELECT ${expression} AS a FROM ${ROWS}`),
        homeContext(),
      );
      const batches = engine.query(plan, new AbortController().signal);
      await Array.fromAsync(encodeResult("jsonl", plan.fields, batches));
      answers += 1;
    };
    await fc.assert(
      fc.asyncProperty(EXPRESSIONS, async (expression) => {
        try {
          await ask(expression);
        } catch (error) {
          assert.ok(error instanceof DbError, String(error));
          assert.ok(["invalid", "unsupported", "exceeded"].includes(error.kind), error.message);
        }
      }),
      { numRuns: 600 },
    );
    assert.ok(answers > 60);
  });

  test("a value made by chance that cannot be used is the user's mistake", async () => {
    const sql =
      "SELECT 1 / (CASE WHEN random() < 3e-6 THEN 0 ELSE 1 END) AS a FROM unnest(generate_series(1, 300000)) t(v)";
    const plan = planStatement(parseStatement(sql), homeContext());
    const codes = new Set<string>();
    for (let i = 0; i < 60 && !codes.has("function_random"); i += 1) {
      try {
        await Array.fromAsync(engine.query(plan, new AbortController().signal));
      } catch (error) {
        assert.ok(error instanceof DbError && error.kind === "invalid", String(error));
        codes.add(error.code);
      }
    }
    assert.ok(codes.has("function_random"), [...codes].join());
  });

  test("calls within calls do not grow beyond bounds", async () => {
    let expression = "[1]";
    for (let depth = 0; depth < 40; depth += 1) {
      expression = `array_remove_n(array_slice(array_append(${expression}, ${depth}), 1, -1), ${depth}, 1)`;
    }
    const plan = planStatement(parseStatement(`SELECT ${expression} AS a`), homeContext());
    const batches = engine.query(plan, new AbortController().signal);
    try {
      await Array.fromAsync(batches);
    } catch (error) {
      assert.ok(error instanceof DbError && error.kind === "exceeded", String(error));
    }
  });
});
