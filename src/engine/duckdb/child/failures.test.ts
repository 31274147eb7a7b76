import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError, errorOfParts } from "#base/errors.ts";
import { changeFailureOf, failureOf } from "./failures.ts";

/** Texts that DuckDB 1.5.5 gave. */
const CASES: readonly (readonly [text: string, kind: string, code: string])[] = [
  ["Out of Memory Error: could not allocate block of size 256.0 KiB", "exceeded", "query_memory"],
  [
    "Failed to append: could not allocate block of size 256.0 KiB (57.0 MiB/57.2 MiB used)",
    "exceeded",
    "query_memory",
  ],
  ["Out of Range Error: Overflow in addition of INT64 (1 + 2)!", "invalid", "number_overflow"],
  ["Invalid Input Error: tidelake:divide_by_zero", "invalid", "divide_by_zero"],
  ["Conversion Error: Could not convert string 'abc' to INT64", "invalid", "cast_failed"],
  ["Conversion Error: Type DOUBLE with value 1e+30 can't be cast", "invalid", "cast_failed"],
  ["Parser Error: Max expression depth limit of 1000 exceeded.", "exceeded", "query_depth"],
  ['Parser Error: memory exhausted at or near "x"', "exceeded", "query_depth"],
  ['IO Error: No files found that match the pattern "/x"', "not_found", "file_vanished"],
  [
    "Invalid Input Error: More than one row returned by a subquery used as an expression",
    "invalid",
    "subquery_rows",
  ],
  [
    "Not implemented Error: Cannot perform non-inner join on subquery!",
    "unsupported",
    "subquery_place",
  ],
  ["Binder Error: no such column", "internal", "engine_error"],
  ["Invalid Input Error: something else", "internal", "engine_error"],
];

suite("what the engine's errors mean", () => {
  for (const [text, kind, code] of CASES) {
    test(`${text} is ${code}`, () => {
      const failure = failureOf(new Error(text), "SELECT secret");
      assert.deepEqual([failure.kind, failure.code], [kind, code]);
      assert.equal(failure.message.includes("secret"), false);
      assert.match(failure.cause ?? "", /SELECT secret/);
    });
  }

  test("a mistake in a pattern is the user's where there is a pattern", () => {
    const error = new Error("Invalid Input Error: missing ]: [");
    const { kind, code } = failureOf(error, "SELECT regexp_matches('a', '[')");
    assert.deepEqual([kind, code], ["invalid", "regexp_invalid"]);
  });

  test("a pattern that speaks of other failures is a mistake in a pattern", () => {
    for (const pattern of ["zstd(", "parquet(", "stack overflow(", "tidelake:cast_failed("]) {
      const sql = `SELECT regexp_matches(a, '${pattern}') FROM read_parquet(['/x'])`;
      for (const text of [`missing ): ${pattern}`, `invalid regular expression: ${pattern}`]) {
        const { kind, code } = failureOf(new Error(`Invalid Input Error: ${text}`), sql);
        assert.deepEqual([kind, code], ["invalid", "regexp_invalid"], text);
      }
    }
  });

  test("a file that makes no sense is damaged, and named where its path is", () => {
    const sql = "SELECT * FROM read_parquet(['/cache/1'])";
    const error = new Error("Invalid Input Error: No magic bytes found at end of file '/cache/1'");
    const paths = new Map([
      ["node/a.parquet", "/cache/2"],
      ["node/b.parquet", "/cache/1"],
    ]);
    const named = failureOf(error, sql, paths);
    assert.deepEqual(
      [named.kind, named.code, named.message, named.detail],
      [
        "corrupt",
        "file_damaged",
        "a data file cannot be read: node/b.parquet",
        { key: "node/b.parquet" },
      ],
    );
    assert.deepEqual(failureOf(error, sql).detail, {});
    // Where no file is read, none is damaged.
    assert.equal(failureOf(error, "SELECT 1").code, "engine_error");
  });

  test("an error of ours stays what it was", () => {
    const error = new DbError("corrupt", "block_damaged", "bad", { detail: { offset: 3 } });
    const copy = errorOfParts(failureOf(error));
    assert.deepEqual(
      [copy.kind, copy.code, copy.message, copy.detail],
      ["corrupt", "block_damaged", "bad", { offset: 3 }],
    );
  });

  test("memory that an append lacks is not a query's", () => {
    assert.equal(changeFailureOf(new Error("Out of Memory Error: x")).code, "buffer_memory");
  });
});
