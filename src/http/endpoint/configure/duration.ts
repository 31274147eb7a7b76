import { DbError } from "#base/errors.ts";

const SECOND_NS = 1_000_000_000n;
const DAY_NS = 86_400n * SECOND_NS;
/** 30.44 days. */
const MONTH_NS = 2_630_016n * SECOND_NS;
/** 365.25 days. */
const YEAR_NS = 31_557_600n * SECOND_NS;
const DURATION_NS_MAX = 2n ** 63n - 1n;

const UNITS: readonly (readonly [names: string, lengthNs: bigint])[] = [
  ["nanos nsec ns", 1n],
  ["micros usec us µs", 1_000n],
  ["millis msec ms", 1_000_000n],
  ["seconds second secs sec s", SECOND_NS],
  ["minutes minute mins min m", 60n * SECOND_NS],
  ["hours hour hrs hr h", 3600n * SECOND_NS],
  ["days day d", DAY_NS],
  ["weeks week wks wk w", 7n * DAY_NS],
  ["months month mo M", MONTH_NS],
  ["years year yrs yr y", YEAR_NS],
];
const LENGTH_OF_UNIT: ReadonlyMap<string, bigint> = new Map(
  UNITS.flatMap(([names, lengthNs]) => names.split(" ").map((name) => [name, lengthNs] as const)),
);
const TERM = /\s*(\d+)\s*([A-Za-zµ]+)\s*/y;

/**
 * Nanoseconds of a duration as people write it: `7d`, `1h 30m`, `2 weeks`, or `0`; at most an int64.
 *
 * Throws DbError `invalid` / `duration`.
 */
export function parseDuration(text: string): bigint {
  if (text.trim() === "") throw wrong("value was empty");
  if (text === "0") return 0n;
  let totalNs = 0n;
  TERM.lastIndex = 0;
  for (let offset = 0; offset < text.length; offset = TERM.lastIndex) {
    const match = TERM.exec(text);
    if (match === null) {
      throw wrong(`expected a number and its unit, such as 7d or 1h 30m, at offset ${offset}`);
    }
    const [, count = "", unit = ""] = match;
    const lengthNs = LENGTH_OF_UNIT.get(unit);
    if (lengthNs === undefined) throw wrong(`unknown time unit "${unit}"`);
    totalNs += BigInt(count) * lengthNs;
  }
  if (totalNs > DURATION_NS_MAX) throw wrong("number is too large");
  return totalNs;
}

function wrong(reason: string): DbError {
  return new DbError("invalid", "duration", `Cannot parse the given human time: ${reason}`);
}
