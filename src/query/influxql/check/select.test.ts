import assert from "node:assert/strict";
import { test } from "node:test";
import { DbError } from "#base/errors.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { parseInfluxQl } from "../parse/parse.ts";
import { type CheckedSelect, checkSelect } from "./select.ts";

const NOW_NS = 1_000_000_000_000_000_000n;

function checked(text: string): CheckedSelect {
  const [parsed] = parseInfluxQl(text);
  const statement = parsed?.statement;
  assert(statement?.kind === "select", text);
  return checkSelect(statement, NOW_NS);
}

/** Texts of InfluxDB 1.6.7. */
const REFUSED: readonly (readonly [text: string, error: string])[] = [
  ["SELECT 1 FROM m", "field must contain at least one variable"],
  ["SELECT u, abs(1) FROM m", "field must contain at least one variable"],
  ["SELECT time FROM m", "at least 1 non-time field must be queried"],
  ["SELECT nofunc(u) FROM m", "undefined function nofunc()"],
  ["SELECT mean(u), f FROM m", "mixing aggregate and non-aggregate queries is not supported"],
  [
    "SELECT max(u), min(u), f FROM m",
    "mixing multiple selector functions with tags or fields is not supported",
  ],
  ["SELECT mean(mean(u)) FROM m", "expected field argument in mean()"],
  ["SELECT mean(u, 1) FROM m", "invalid number of arguments for mean, expected 1, got 2"],
  ["SELECT round(u, i) FROM m", "invalid number of arguments for round, expected 1, got 2"],
  ["SELECT percentile(u) FROM m", "invalid number of arguments for percentile, expected 2, got 1"],
  ["SELECT percentile(u, 'a') FROM m", "expected float argument in percentile()"],
  ["SELECT sample(u, 0) FROM m", "sample window must be greater than 1, got 0"],
  ["SELECT top(u) FROM m", "invalid number of arguments for top, expected at least 2, got 1"],
  ["SELECT top(u, 1.5) FROM m", "expected integer as last argument in top(), found 1.500"],
  ["SELECT top(u, 0) FROM m", "limit (0) in top function must be at least 1"],
  [
    "SELECT top(u, 2) FROM m LIMIT 1",
    "limit (2) in top function can not be larger than the LIMIT (1) in the select statement",
  ],
  [
    "SELECT top(mean(u), 2) FROM m",
    "expected first argument to be a field in top(), found mean(u)",
  ],
  [
    "SELECT top(u, 2), mean(i) FROM m",
    "selector function top() cannot be combined with other functions",
  ],
  [
    "SELECT distinct(u), i FROM m",
    "aggregate function distinct() cannot be combined with other functions or fields",
  ],
  ["SELECT count(distinct(u, f)) FROM m", "distinct function can only have one argument"],
  ["SELECT derivative(mean(u)) FROM m", "derivative aggregate requires a GROUP BY interval"],
  [
    "SELECT derivative(u) FROM m GROUP BY time(1s)",
    "aggregate function required inside the call to derivative",
  ],
  [
    "SELECT derivative(u, 1) FROM m",
    "second argument to derivative must be a duration, got *influxql.IntegerLiteral",
  ],
  ["SELECT elapsed(u, 0s) FROM m", "duration argument must be positive, got 0s"],
  ["SELECT derivative(u, -1s) FROM m", "duration argument must be positive, got -1s"],
  ["SELECT moving_average(u, 1) FROM m", "moving_average window must be greater than 1, got 1"],
  ["SELECT holt_winters(u, 2, 2) FROM m", "must use aggregate function with holt_winters"],
  [
    "SELECT holt_winters(mean(u), 0, 2) FROM m GROUP BY time(1m)",
    "second arg to holt_winters must be greater than 0, got 0",
  ],
  ["SELECT * + 1 FROM m", "unable to use wildcard in a binary expression"],
  ["SELECT u + mean(*) FROM m", "unsupported expression with wildcard: mean()"],
  ["SELECT u FROM m fill(none)", "fill(none) must be used with a function"],
  ["SELECT u FROM (SELECT u FROM m GROUP BY time(1m))", "fill(none) must be used with a function"],
  ["SELECT u + (1 | 'x') FROM m", "cannot perform a binary expression on two literals"],
  ["SELECT abs(u) FROM m fill(linear)", "fill(linear) must be used with a function"],
  ["SELECT u FROM m GROUP BY time(1m)", "GROUP BY requires at least one aggregate function"],
  ["SELECT mean(u) FROM m GROUP BY time", "time() is a function and expects at least one argument"],
  ["SELECT mean(u) FROM m GROUP BY time()", "time dimension expected 1 or 2 arguments"],
  ["SELECT mean(u) FROM m GROUP BY time(1)", "time dimension must have duration argument"],
  ["SELECT mean(u) FROM m GROUP BY time(1m, 1)", "time dimension offset must be duration or now()"],
  ["SELECT mean(u) FROM m GROUP BY time(1m), time(2m)", "multiple time dimensions not allowed"],
  ["SELECT mean(u) FROM m GROUP BY mean(u)", "only time() calls allowed in dimensions"],
  ["SELECT mean(u) FROM m GROUP BY 1", "only time and tag dimensions allowed"],
  [
    "SELECT u FROM m WHERE time > 'notatime'",
    "invalid operation: time and *influxql.StringLiteral are not compatible",
  ],
  [
    "SELECT u FROM m WHERE time > u",
    "invalid operation: time and *influxql.VarRef are not compatible",
  ],
  ["SELECT u FROM m WHERE time > '2000-01-01x'", "invalid timestamp string"],
  ["SELECT u FROM m WHERE time = '1970-13-01'", "invalid timestamp string"],
  [
    "SELECT u FROM m WHERE time > '1600-01-01T00:00:00Z'",
    "time 1600-01-01T00:00:00Z underflows time literal",
  ],
  ["SELECT u FROM m WHERE time != 0", "invalid time comparison operator: !="],
  ["SELECT u FROM m WHERE u", "invalid condition expression: u"],
  ["SELECT u FROM m WHERE mean(u) > 2", "invalid function call in condition: mean(u)"],
  ["SELECT u FROM m WHERE abs(u, 2) > 2", "invalid number of arguments for abs, expected 1, got 2"],
  [
    "SELECT u FROM (SELECT u FROM m ORDER BY time DESC)",
    "subqueries must be ordered in the same direction as the query itself",
  ],
];

for (const [text, message] of REFUSED)
  test(`${text} is refused`, () => {
    assert.throws(() => checked(text), new DbError("invalid", "influxql_refused", message));
  });

const TIMES: readonly (readonly [where: string, start: bigint, end: bigint])[] = [
  ["time > 5", 6n, TIME_MAX],
  ["5s >= time AND u > 1", TIME_MIN, 5_000_000_000n],
  ["time = '1970-01-01T01:00:00+01:00'", 0n, 0n],
  ["time >= '1970-01-02' AND (u > 1 AND time < 2d)", 86_400_000_000_000n, 172_799_999_999_999n],
  ["time > 1s OR time > 3s", 3_000_000_001n, TIME_MAX],
  ["time > now() - 1m", NOW_NS - 59_999_999_999n, TIME_MAX],
  ["time > '1970-01-01 00:00:01.5' - 1s", 500_000_001n, TIME_MAX],
];

for (const [where, start, end] of TIMES)
  test(`WHERE ${where} bounds the time`, () => {
    assert.deepEqual(checked(`SELECT u FROM m WHERE ${where}`).time, { start, end });
  });

test("a date without a zone is one of tz()", () => {
  const { time } = checked(
    "SELECT u FROM m WHERE time = '1970-01-01 01:00:00' tz('Europe/Berlin')",
  );
  assert.equal(time.start, 0n);
});

test("windows end now where nothing else is said, also those of subqueries that take them over", () => {
  const { from, time } = checked(
    "SELECT mean(u) FROM (SELECT max(u) AS u FROM m) GROUP BY time(1m)",
  );
  const [inner] = from;
  assert(inner?.kind === "subquery");
  assert.equal(time.end, NOW_NS);
  assert.equal(inner.select.time.end, NOW_NS);
  assert.deepEqual(inner.select.window, { everyNs: 60_000_000_000n, offsetNs: 0n });
});

test("constants are computed, and what is always true is left out", () => {
  const { condition } = checked("SELECT u FROM m WHERE time > 0 AND 1 = 1 AND u > 2 * 3");
  assert.deepEqual(condition, {
    kind: "binary",
    operator: ">",
    left: { kind: "variable", name: "u", cast: undefined },
    right: { kind: "integer", value: 6n },
  });
});
