import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { cpuMs } from "#testing/cpu-time.ts";
import { printStatement } from "../print/print.ts";
import { INFLUXQL_LENGTH_MAX, parseInfluxQl } from "./parse.ts";
import { HEIGHT_MAX, NESTING_MAX, PART_COUNT_MAX } from "./tokens/cursor.ts";

/** Statements that are `count` deep. */
const DEEP: readonly (readonly [string, (count: number) => string])[] = [
  ["parentheses", (count) => `SELECT ${"(".repeat(count)}a${")".repeat(count)} FROM m`],
  ["calls", (count) => `SELECT ${"f(".repeat(count / 2)}a${")".repeat(count / 2)} FROM m`],
  [
    "subqueries",
    (count) => `${"SELECT a FROM (".repeat(count)}SELECT a FROM m${")".repeat(count)}`,
  ],
  ["conditions", (count) => `SELECT a FROM m WHERE ${"(".repeat(count)}a${")".repeat(count)}`],
  ["signs", (count) => `SELECT ${"-(".repeat(count)}a${")".repeat(count)} FROM m`],
];

/** Statements of about `length` characters that are read, or refused, in time that grows with their length. */
const LONG: readonly (readonly [string, (length: number) => string])[] = [
  ["a string", (length) => `SELECT '${"x".repeat(length)}' FROM m`],
  ["escapes", (length) => `SELECT '${"\\'".repeat(length / 2)}' FROM m`],
  ["bad strings", (length) => "SELECT 'a\n".repeat(length / 10)],
  ["a name", (length) => `SELECT ${"x".repeat(length)} FROM m`],
  ["digits", (length) => `SELECT ${"1".repeat(length)} FROM m`],
  ["a duration", (length) => `SELECT ${"1h".repeat(length / 2)} FROM m`],
  ["digits of a duration", (length) => `SELECT ${"1".repeat(length)}h FROM m`],
  ["digits of a limit", (length) => `SELECT a FROM m LIMIT ${"1".repeat(length)}`],
  ["digits of a shard", (length) => `DROP SHARD ${"1".repeat(length)}`],
  ["blanks", (length) => `SELECT ${" ".repeat(length)} a FROM m`],
  ["line breaks", (length) => `SELECT ${"\r\n".repeat(length / 2)} #`],
  ["comments", (length) => `SELECT ${"/**/".repeat(length / 4)} a FROM m`],
  ["line comments", (length) => `SELECT ${"--\n".repeat(length / 3)} a FROM m`],
  ["an open comment", (length) => `SELECT ${"/*".repeat(length / 2)}`],
  ["semicolons", (length) => ";".repeat(length)],
  ["statements", (length) => "SHOW USERS;".repeat(length / 11)],
  ["a path", (length) => `SELECT a${".a".repeat(length / 2)} FROM m`],
  ["points", (length) => `SELECT a${".".repeat(length)} FROM m`],
  ["fields", (length) => `SELECT ${"a,".repeat(length / 2)}a FROM m`],
  ["slashes", (length) => `SELECT ${"/".repeat(length)}`],
  ["regular expressions", (length) => `SELECT ${"/a/,".repeat(length / 4)}/a/ FROM m`],
  ["a regular expression", (length) => `SELECT /${"(a|".repeat(length / 3)}/ FROM m`],
  ["conditions", (length) => `SELECT a FROM m WHERE a${" AND a".repeat(length / 6)}`],
  ["parameters", (length) => `SELECT a FROM m WHERE ${"$a".repeat(length / 2)}`],
];

describe("hostile text", () => {
  for (const [name, statement] of DEEP) {
    test(`${name} are nested as deep as is bounded, and no deeper`, () => {
      const [parsed] = parseInfluxQl(statement(NESTING_MAX / 2 - 2));
      assert.ok(parsed);
      printStatement(parsed.statement);
      assert.equal(refusal(statement(NESTING_MAX * 2 + 2)).code, "influxql_too_deep");
      assert.equal(refusal(statement(50_000)).code, "influxql_too_deep");
    });
  }

  test("chains of operators are as long as is bounded, and no longer", () => {
    const [parsed] = parseInfluxQl(chainOf(HEIGHT_MAX - 1));
    assert.ok(parsed);
    printStatement(parsed.statement);
    assert.equal(refusal(chainOf(HEIGHT_MAX)).code, "influxql_too_deep");
    const inner = `(a${" OR a".repeat(HEIGHT_MAX / 2)})`;
    assert.equal(
      refusal(`SELECT a FROM m WHERE ${inner}${" OR a".repeat(HEIGHT_MAX / 2)}`).code,
      "influxql_too_deep",
    );
  });

  test("a request has as many parts as is bounded, and no more", () => {
    parseInfluxQl(fieldsOf(PART_COUNT_MAX / 2 - 2));
    assert.equal(refusal(fieldsOf(PART_COUNT_MAX)).code, "influxql_too_complex");
    const keys = `SHOW TAG VALUES WITH KEY IN (a${",a".repeat(PART_COUNT_MAX)})`;
    assert.equal(refusal(keys).code, "influxql_too_complex");
    const statements = "SHOW USERS;".repeat(PART_COUNT_MAX + 1);
    assert.equal(refusal(statements).code, "influxql_too_complex");
  });

  test("a request that is too long is refused", () => {
    assert.equal(refusal(" ".repeat(INFLUXQL_LENGTH_MAX + 1)).code, "influxql_too_long");
  });

  for (const [name, statement] of LONG) {
    test(`a request of 1 MiB of ${name} is read or refused in a moment`, () => {
      const text = statement(INFLUXQL_LENGTH_MAX - 60);
      const start = cpuMs();
      attempt(text);
      assert.ok(cpuMs() - start < 2_000);
    });
  }
});

function chainOf(count: number): string {
  return `SELECT a FROM m WHERE a${" OR a".repeat(count)}`;
}

function fieldsOf(count: number): string {
  return `SELECT a${",a".repeat(count - 1)} FROM m`;
}

function refusal(text: string): DbError {
  const error = attempt(text);
  assert.ok(error, "the statement was read");
  return error;
}

/** Parses; answers the error, which must be one of a user's. */
function attempt(text: string): DbError | undefined {
  try {
    parseInfluxQl(text);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DbError, String(error));
    assert.ok(["invalid", "exceeded"].includes(error.kind), error.message);
    return error;
  }
}
