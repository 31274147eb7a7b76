import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { fromUtf8 } from "#base/bytes.ts";
import type { DuckDbEngine } from "#engine/duckdb/duckdb-engine.ts";
import { openTestEngine } from "#engine/duckdb/test-engine.ts";
import type { Expression, LiteralValue } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { PlainType } from "#model/query/value-type.ts";
import { encodeResult, type ResultFormat, rowTextOf } from "./result/result.ts";

const FORMATS: readonly ResultFormat[] = ["json", "jsonl", "csv"];
const TYPES: readonly PlainType[] = [
  "int64",
  "uint64",
  "int8",
  "boolean",
  "float64",
  "string",
  "timestamp",
  "null",
];
const SPECIAL_FLOATS = [
  0,
  -0,
  1e-5,
  9.999e-5,
  1e-4,
  -1.5e-5,
  1.5e-7,
  1e15,
  1e16,
  9_999_999_999_999_998,
  1.234e300,
  5e-324,
  100,
  -0.1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
];
const SPECIAL_TIMES = [
  0n,
  -1n,
  999_999_999n,
  1_500_000_000n,
  1_000_000n,
  1_000n,
  -1_000_000_000n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const VALUES: Readonly<Record<string, fc.Arbitrary<LiteralValue>>> = {
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  int8: fc.bigInt({ min: -128n, max: 127n }),
  boolean: fc.boolean(),
  float64: fc.oneof(fc.double(), fc.constantFrom(...SPECIAL_FLOATS)),
  string: fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.constantFrom(
      "",
      "a,b",
      'say "x"',
      "a\nb",
      "a\r",
      "ä☃𝄞",
      "\\",
      "\u0001\u001f\u007f",
      "a text of more than twelve bytes",
    ),
  ),
  timestamp: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(...SPECIAL_TIMES),
  ),
  null: fc.constant(null),
};

/** Fields and rows of them. */
const TABLES = fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 6 }).chain((types) =>
  fc.record({
    types: fc.constant(types),
    rows: fc.array(fc.tuple(...types.map((type) => fc.option(VALUES[type] ?? fc.constant(null)))), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
);

suite("rows that the engine writes as text", () => {
  let engine: DuckDbEngine;
  before(async () => {
    engine = await openTestEngine({ load: () => Promise.reject(new Error("no files")) });
  });
  after(() => engine[Symbol.asyncDispose]());

  async function textOf(plan: Plan, format: ResultFormat, written: boolean): Promise<string> {
    const rowText = written ? rowTextOf(format) : undefined;
    const batches = engine.query(plan, new AbortController().signal, rowText);
    const chunks = await Array.fromAsync(encodeResult(format, plan.fields, batches));
    return chunks.map(fromUtf8).join("");
  }

  test("are those of its columns, for any values", async () => {
    await fc.assert(
      fc.asyncProperty(TABLES, async ({ types, rows }) => {
        const plan = manyRows(types, rows);
        for (const format of FORMATS) {
          const [written, encoded] = [
            await textOf(plan, format, true),
            await textOf(plan, format, false),
          ];
          assert.equal(plainEscapes(written), encoded);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("come as text and in order, over many batches", async () => {
    const types = ["int64", "string"] as const;
    const plan = manyRows(types, [[7n, "x"]], 20_000n);
    const batches = engine.query(plan, new AbortController().signal, "jsonl");
    let text = "";
    for await (const batch of batches) {
      assert.deepEqual(batch.columns, []);
      text += fromUtf8(batch.text ?? new Uint8Array(0));
    }
    assert.equal(text, '{"a0":7,"a1":"x"}\n'.repeat(20_000));
  });

  test("of types that it does not write come as columns", async () => {
    const plan = manyRows(["date"], [[0n]]);
    assert.equal(await textOf(plan, "jsonl", true), '{"a0":"1970-01-01"}\n');
  });

  test("that fail on the way fail", async () => {
    const input = manyRows(["int64"], [[1n], [0n]], 5_000n);
    const operands: Expression[] = [
      { kind: "literal", value: 1n, type: "int64" },
      { kind: "input", index: 0, type: "int64" },
    ];
    const division: Expression = {
      kind: "call",
      name: "divide",
      arguments: operands,
      type: "int64",
    };
    const plan: Plan = { kind: "project", fields: input.fields, input, expressions: [division] };
    await assert.rejects(textOf(plan, "jsonl", true), { code: "divide_by_zero" });
  });
});

/** `rows`, `times` over; how many there are is not known before. */
function manyRows(
  types: readonly PlainType[],
  rows: readonly (readonly LiteralValue[])[],
  times = 1n,
): Plan {
  const fields = types.map((type, index): Field => ({ name: `a${index}`, type }));
  const left: Plan = {
    kind: "values",
    fields,
    rows: rows.map((row) =>
      types.map(
        (type, index): Expression => ({ kind: "literal", value: row[index] ?? null, type }),
      ),
    ),
  };
  const list: Expression = {
    kind: "call",
    name: "list_series",
    arguments: [
      { kind: "literal", value: 0n, type: "int64" },
      { kind: "literal", value: times, type: "int64" },
      { kind: "literal", value: 1n, type: "int64" },
      { kind: "literal", value: false, type: "boolean" },
    ],
    type: { kind: "list", item: "int64" },
  };
  const lists: Plan = { kind: "values", fields: [{ name: "n", type: list.type }], rows: [[list]] };
  const numbers: Field = { name: "n", type: "int64" };
  const right: Plan = {
    kind: "unnest",
    fields: [numbers],
    input: lists,
    columns: [0],
    keepEmpty: false,
  };
  const join: Plan = {
    kind: "join",
    fields: [...fields, numbers],
    join: "inner",
    left,
    right,
    lateral: false,
  };
  const expressions = types.map((type, index): Expression => ({ kind: "input", index, type }));
  return { kind: "project", fields, input: join, expressions };
}

/** The engine writes `\u001F` where JavaScript writes `\u001f`. */
function plainEscapes(text: string): string {
  return text.replaceAll(/\\u00[01][0-9A-F]/g, (escape) => escape.toLowerCase());
}
