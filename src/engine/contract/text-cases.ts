/** Functions of text and of time, and casts, by example. */
import type { Expression } from "#model/query/expression.ts";
import type { ContractCases } from "./bench.ts";
import {
  bool,
  call,
  castTo,
  float,
  instant,
  int,
  interval,
  none,
  text,
  time,
  uint,
} from "./build.ts";
import { type Example, exampleCases } from "./scalar-cases.ts";

const HOUR_NS = 3_600_000_000_000n;
const DAY_NS = 24n * HOUR_NS;
const FAILED = { code: "cast_failed" };
const OVERFLOW = { code: "number_overflow" };

const PATTERNS: readonly Example[] = [
  [call("boolean", "like", text("server01"), text("server%")), true],
  [call("boolean", "like", text("server01"), text("server_")), false],
  [call("boolean", "like", text("a😀b"), text("a_b")), true],
  [call("boolean", "like", text("a\nb"), text("a%b")), true],
  [call("boolean", "like", text("100%"), text("100\\%")), true],
  [call("boolean", "like", text("1000"), text("100\\%")), false],
  [call("boolean", "like", text("a_b"), text("a\\_b")), true],
  [call("boolean", "like", text("a\\b"), text("a\\\\b")), true],
  [call("boolean", "like", text("a\\"), text("a\\")), true],
  [call("boolean", "like", text("a"), text("a\\")), false],
  [call("boolean", "like", text("\n\\"), text("%\\")), true],
  [call("boolean", "like", text("a\\"), text("a\\\\\\")), false],
  [call("boolean", "like", text("a\\\\"), text("a\\\\\\")), true],
  [call("boolean", "ilike", text("A%\\"), text("a\\%\\")), true],
  [call("boolean", "like", text("a\\"), call("string", "lower", text("A\\"))), true],
  [call("boolean", "like", text("a.b"), text("a.b")), true],
  [call("boolean", "like", text("axb"), text("a.b")), false],
  [call("boolean", "like", text("ABC"), text("abc")), false],
  [call("boolean", "like", text("a"), none("string")), null],
  [call("boolean", "ilike", text("ABC"), text("a%")), true],
  [call("boolean", "ilike", text("ÉTÉ"), text("été")), true],
  [call("boolean", "regexp_like", text("server01"), text("er\\d+")), true],
  [call("boolean", "regexp_like", text("server01"), text("^er")), false],
  [call("boolean", "regexp_like", text("Server"), text("(?i)^server$")), true],
  [call("boolean", "regexp_like", text("a-b"), text("a\\-b")), true],
  [call("boolean", "regexp_like", text("é"), text("^.$")), true],
  [call("boolean", "regexp_like", none("string"), text("a")), null],
];

const TEXT: readonly Example[] = [
  [call("string", "concat", text("a"), none("string"), text("b")), "ab"],
  [call("string", "concat", none("string")), ""],
  [call("string", "concat_operator", text("a"), text("b")), "ab"],
  [call("string", "concat_operator", text("a"), none("string")), null],
  [call("string", "lower", text("AbÉ")), "abé"],
  [call("string", "upper", text("aBé")), "ABÉ"],
  [call("int64", "length", text("")), 0n],
  [call("int64", "length", text("a😀é")), 3n],
  [call("string", "trim", text("  a b ")), "a b"],
  [call("string", "trim", text("\ta\n")), "\ta\n"],
  [call("string", "ltrim", text("  a ")), "a "],
  [call("string", "rtrim", text(" a  ")), " a"],
  [call("string", "replace", text("aXbX"), text("X"), text("--")), "a--b--"],
  [call("string", "replace", text("abc"), text(""), text("x")), "abc"],
  [call("boolean", "starts_with", text("abc"), text("ab")), true],
  [call("boolean", "starts_with", text("abc"), text("")), true],
  [call("boolean", "ends_with", text("abc"), text("bc")), true],
  [call("boolean", "ends_with", text("abc"), text("ab")), false],
  [call("int64", "strpos", text("a😀bc"), text("b")), 3n],
  [call("int64", "strpos", text("abc"), text("x")), 0n],
  [call("string", "substr", text("a😀bc"), int(2)), "😀bc"],
  [call("string", "substr", text("abcd"), int(2), int(2)), "bc"],
  [call("string", "substr", text("abcd"), int(3), int(10)), "cd"],
  [call("string", "substr", text("abcd"), int(9)), ""],
  [call("string", "substr", text("abcd"), int(2), int(0)), ""],
  [call("string", "substr", text("abcd"), int(0), int(3)), "ab"],
  [call("string", "substr", text("abcd"), int(-1), int(3)), "a"],
  [call("string", "substr", text("abcd"), int(-1)), "abcd"],
  [call("string", "left", text("a😀bc"), int(2)), "a😀"],
  [call("string", "left", text("abc"), int(-1)), "ab"],
  [call("string", "left", text("abc"), int(9)), "abc"],
  [call("string", "right", text("a😀b"), int(2)), "😀b"],
  [call("string", "right", text("abc"), int(0)), ""],
  [call("string", "right", text("abc"), int(-1)), "bc"],
  [call("string", "concat_operator", text("it's"), text(' "\\;--')), "it's \"\\;--"],
];

const [EPOCH, LEAP_DAY] = [time(0n), "2024-02-29T12:34:56Z"];
const NANOS = instant(LEAP_DAY) + 123_456_789n;
const BINS: readonly Example[] = [
  [bin(interval(0, HOUR_NS), time(NANOS), EPOCH), instant("2024-02-29T12:00:00Z")],
  [bin(interval(0, 7n), time(-1n), EPOCH), -7n],
  [bin(interval(0, 10n), time(25n), time(3n)), 23n],
  [bin(interval(0, 10n), time(-25n), time(3n)), -27n],
  [bin(interval(0, DAY_NS), none("timestamp"), EPOCH), null],
  [bin(interval(1, 0n), time(NANOS), EPOCH), instant("2024-02-01T00:00:00Z")],
  [bin(interval(3, 0n), time("1969-12-31T00:00:00Z"), EPOCH), instant("1969-10-01T00:00:00Z")],
  [
    bin(interval(1, 0n), time("2024-03-10T00:00:00Z"), time("2024-01-15T06:00:00Z")),
    instant("2024-02-15T06:00:00Z"),
  ],
  [
    bin(interval(12, 0n), time(NANOS), time("2001-03-01T00:00:00Z")),
    instant("2023-03-01T00:00:00Z"),
  ],
  ...(
    [
      ["second", "2024-02-29T12:34:56Z"],
      ["minute", "2024-02-29T12:34:00Z"],
      ["hour", "2024-02-29T12:00:00Z"],
      ["day", "2024-02-29T00:00:00Z"],
      ["week", "2024-02-26T00:00:00Z"],
      ["month", "2024-02-01T00:00:00Z"],
      ["quarter", "2024-01-01T00:00:00Z"],
      ["year", "2024-01-01T00:00:00Z"],
    ] as const
  ).map(([unit, start]): Example => [trunc(unit, NANOS), instant(start)]),
  [trunc("millisecond", NANOS), instant(LEAP_DAY) + 123_000_000n],
  [trunc("microsecond", NANOS), instant(LEAP_DAY) + 123_456_000n],
  [trunc("week", instant("1969-12-28T05:00:00Z")), instant("1969-12-22T00:00:00Z")],
];

const PARTS: readonly Example[] = [
  ...(
    [
      ["year", 2024n],
      ["quarter", 1n],
      ["month", 2n],
      ["week", 9n],
      ["day", 29n],
      ["hour", 12n],
      ["minute", 34n],
      ["second", 56n],
      ["millisecond", 56_123n],
      ["microsecond", 56_123_456n],
      ["nanosecond", 56_123_456_789n],
      ["dow", 4n],
      ["doy", 60n],
    ] as const
  ).map(([unit, part]): Example => [call("int64", "date_part", text(unit), time(NANOS)), part]),
  [call("float64", "date_part", text("epoch"), time(1_500_000_000n)), 1.5],
  [call("int64", "date_part", text("dow"), time("2024-03-03T00:00:00Z")), 0n],
  [call("int64", "date_part", text("week"), time("2021-01-03T00:00:00Z")), 53n],
  [call("int64", "date_part", text("second"), time(-1n)), 59n],
];

const INTERVALS: readonly Example[] = [
  [add(time(NANOS), interval(12, 0n)), instant("2025-02-28T12:34:56Z") + 123_456_789n],
  [add(time("2024-01-31T00:00:00Z"), interval(1, 5n)), instant("2024-02-29T00:00:00Z") + 5n],
  [add(time(-1n), interval(0, 3n)), 2n],
  [add(time(2n ** 63n - 1n), interval(0, 1n)), OVERFLOW],
  [subtract(time("2024-03-31T01:00:00Z"), interval(1, HOUR_NS)), instant("2024-02-29T00:00:00Z")],
  [add(none("timestamp"), interval(0, 3n)), null],
  [call("duration", "timestamp_difference", time(5n), time(7n)), -2n],
];

const CASTS: readonly Example[] = [
  [castTo("float64", int(3)), 3],
  [castTo("int64", float(2.9)), 2n],
  [castTo("int64", float(-2.9)), -2n],
  [castTo("int64", float(1e19)), FAILED],
  [castTo("int64", float(Number.NaN)), FAILED],
  [castTo("int64", uint(2n ** 63n)), FAILED],
  [castTo("uint64", int(-1)), FAILED],
  [castTo("uint64", int(7)), 7n],
  [castTo("uint64", float(1e19)), 10n ** 19n],
  [castTo("uint64", int(-1), true), null],
  [castTo("int64", text("-42")), -42n],
  [castTo("int64", text("1.5")), FAILED],
  [castTo("int64", text("x")), FAILED],
  [castTo("int64", text("x"), true), null],
  [castTo("uint64", text("18446744073709551615")), 2n ** 64n - 1n],
  [castTo("float64", text("-1.5e3")), -1500],
  [castTo("float64", text("")), FAILED],
  [castTo("float64", none("string")), null],
  [castTo("boolean", text("true")), true],
  [castTo("boolean", text("maybe")), FAILED],
  [castTo("boolean", int(2)), true],
  [castTo("int64", bool(true)), 1n],
  [castTo("string", bool(false)), "false"],
  [castTo("string", int(-7)), "-7"],
  [castTo("string", uint(2n ** 64n - 1n)), "18446744073709551615"],
  [castTo("string", float(1.5)), "1.5"],
  [castTo("string", float(2)), "2.0"],
  [castTo("timestamp", int(5)), 5n],
  [castTo("int64", time(-5n)), -5n],
  [castTo("timestamp", text("2024-02-29T12:34:56.123456789Z")), NANOS],
  [castTo("timestamp", text("2024-02-29 12:34:56")), instant(LEAP_DAY)],
  [castTo("timestamp", text("2024-02-29T13:34:56+01:00")), instant(LEAP_DAY)],
  [castTo("timestamp", text("2024-02-29")), instant("2024-02-29T00:00:00Z")],
  [castTo("timestamp", text("yesterday")), FAILED],
  [castTo("timestamp", text("2023-02-29"), true), null],
  [castTo("string", time(LEAP_DAY)), "2024-02-29T12:34:56"],
  [castTo("string", time(NANOS)), "2024-02-29T12:34:56.123456789"],
  [castTo("string", none()), null],
];

export const TEXT_CASES: ContractCases = {
  ...exampleCases("patterns", PATTERNS),
  ...exampleCases("text", TEXT),
  ...exampleCases("bins of time", BINS),
  ...exampleCases("parts of time", PARTS),
  ...exampleCases("intervals", INTERVALS),
  ...exampleCases("casts", CASTS),
};

function bin(width: Expression, at: Expression, origin: Expression): Expression {
  return call("timestamp", "date_bin", width, at, origin);
}

function trunc(unit: string, at: bigint): Expression {
  return call("timestamp", "date_trunc", text(unit), time(at));
}

function add(at: Expression, length: Expression): Expression {
  return call("timestamp", "add_interval", at, length);
}

function subtract(at: Expression, length: Expression): Expression {
  return call("timestamp", "subtract_interval", at, length);
}
