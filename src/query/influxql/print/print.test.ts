import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInfluxQl } from "../parse/parse.ts";
import { printExpression } from "./expression.ts";
import { quotedPath } from "./names.ts";
import { printStatement } from "./print.ts";

/** What influxd 1.6.7 wrote of these. */
const PRINTED: readonly (readonly [string, string])[] = [
  [
    "select (a + b)*c, -a, +1.5, 90m, 7d, 1.25 from m",
    "SELECT (a + b) * c, -1 * a, 1.500, 90m, 1w, 1.250 FROM m",
  ],
  [
    `SELECT a::integer, "b c"::string, *::field, 'it\\'s' INTO x..y FROM a."b c"./d\\/e/`,
    `SELECT a::integer, "b c"::string, *::field, 'it\\'s' INTO x..y FROM a."b c"./d\\/e/`,
  ],
  [
    "SELECT mean(a) AS \"x y\" FROM (SELECT b FROM c) WHERE t=~/x/ AND (b<>1 OR c=.5) GROUP BY time(60s,30s),* fill(previous) ORDER BY DESC LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4 tz('Europe/Berlin')",
    "SELECT mean(a) AS \"x y\" FROM (SELECT b FROM c) WHERE t =~ /x/ AND (b != 1 OR c = 0.500) GROUP BY time(1m, 30s), * fill(previous) ORDER BY time DESC LIMIT 1 OFFSET 2 SLIMIT 3 SOFFSET 4 TZ('Europe/Berlin')",
  ],
  ["create database a with duration inf", "CREATE DATABASE a WITH DURATION 0s"],
  [
    "CREATE RETENTION POLICY a ON b DURATION 168h REPLICATION 1 SHARD DURATION 60m DEFAULT",
    "CREATE RETENTION POLICY a ON b DURATION 1w REPLICATION 1 SHARD DURATION 1h DEFAULT",
  ],
  [
    "create continuous query a on b resample every 90s for 2h begin select mean(x) into c from d group by time(60m) end",
    "CREATE CONTINUOUS QUERY a ON b RESAMPLE EVERY 90s FOR 2h BEGIN SELECT mean(x) INTO c FROM d GROUP BY time(1h) END",
  ],
  [
    "create user a with password 'x' with all privileges",
    "CREATE USER a WITH PASSWORD [REDACTED] WITH ALL PRIVILEGES",
  ],
  ["set password for a = 'x'", "SET PASSWORD FOR a = [REDACTED]"],
  ["grant all on b to a", "GRANT ALL PRIVILEGES ON b TO a"],
  ["revoke all from a", "REVOKE ALL PRIVILEGES FROM a"],
  ["delete from a where time<now()", "DELETE FROM a WHERE time < now()"],
  [
    'show tag values on d from m with key in (a,"b c") limit 5',
    'SHOW TAG VALUES ON d FROM m WITH KEY IN (a, "b c") LIMIT 5',
  ],
];

test("statements are written as 1.x writes them", () => {
  for (const [text, expected] of PRINTED) {
    assert.deepEqual(
      parseInfluxQl(text).map(({ statement }) => printStatement(statement)),
      [expected],
    );
  }
});

test("numbers lose no digits, and stay numbers", () => {
  for (const [value, expected] of [
    [1, "1.000"],
    [0.12345, "0.12345"],
    [1e-9, "0.000000001"],
    [1.5e22, "15000000000000000000000.000"],
    [-0, "-0.000"],
  ] as const) {
    assert.equal(printExpression({ kind: "number", value }), expected);
  }
});

test("what a sign made of a variable keeps its place", () => {
  const [parsed] = parseInfluxQl("SELECT a / -b FROM m");
  assert.ok(parsed);
  assert.equal(printStatement(parsed.statement), "SELECT a / (-1 * b) FROM m");
});

test("times are written as RFC 3339, also those before 1970", () => {
  assert.equal(timeText(1_500_000_000_000_000_000n), "'2017-07-14T02:40:00Z'");
  assert.equal(timeText(-1n), "'1969-12-31T23:59:59.999999999Z'");
  assert.equal(timeText(-(2n ** 63n)), "'1677-09-21T00:12:43.145224192Z'");
});

test("a regular expression that was bound stays on one line", () => {
  assert.equal(patternText("a/b"), "/a\\/b/");
  assert.equal(patternText("a\\/b"), "/a\\\\/b/");
  assert.equal(patternText("a\nb\\\n"), "/a\\nb\\n/");
});

test("names are quoted where they need it", () => {
  assert.equal(quotedPath(["a", "", "b c"]), '"a".."b c"');
  assert.equal(quotedPath(["a", "b"]), '"a".b');
  assert.equal(quotedPath(["", "select"]), '""."select"');
});

function timeText(value: bigint): string {
  return printExpression({ kind: "time", value });
}

function patternText(pattern: string): string {
  return printExpression({ kind: "regex", pattern });
}
