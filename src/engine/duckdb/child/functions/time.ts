/** Texts of times: what print/casts/time.ts and print/functions/time.ts call. */
import { BIGINT, type DuckDBValue, INTEGER, VARCHAR } from "@duckdb/node-api";
import { floorDivide } from "#base/divide.ts";
import {
  formatDurationParts,
  formatIntervalParts,
  parseIntervalText,
} from "#model/time/interval-text.ts";
import { type PatternItem, parsePattern } from "#model/time/pattern.ts";
import { readPattern } from "#model/time/read-pattern.ts";
import {
  formatDay,
  parseDateText,
  parseInstantText,
  parseTimeOfDay,
  withinTime,
} from "#model/time/text.ts";
import { momentOf, writePattern } from "#model/time/write-pattern.ts";
import { findZone, type Zone } from "#model/time/zone.ts";
import { DAY_NS } from "#model/time-units.ts";
import type { OwnFunction } from "./own-function.ts";

const INT32_MAX = 2n ** 31n - 1n;

/** The last argument of a zone may be empty: none, which is read as UTC and shown without one. */
export const TIME_FUNCTIONS: readonly OwnFunction[] = [
  {
    name: "tl_read_instant",
    parameters: [VARCHAR, VARCHAR],
    result: BIGINT,
    work: withZone(([text], zone) => parseInstantText(String(text), zone) ?? null),
  },
  {
    name: "tl_read_date",
    parameters: [VARCHAR],
    result: INTEGER,
    work: ([text]) => parseDateText(String(text)) ?? null,
  },
  {
    name: "tl_read_time",
    parameters: [VARCHAR],
    result: BIGINT,
    work: ([text]) => parseTimeOfDay(String(text)) ?? null,
  },
  {
    name: "tl_read_months",
    parameters: [VARCHAR],
    result: BIGINT,
    work: ([text]) => {
      const months = parseIntervalText(String(text))?.months;
      return months === undefined ? null : BigInt(months);
    },
  },
  {
    name: "tl_read_rest",
    parameters: [VARCHAR],
    result: BIGINT,
    work: ([text]) => parseIntervalText(String(text))?.nanoseconds ?? null,
  },
  {
    name: "tl_read_pattern",
    parameters: [VARCHAR, VARCHAR, VARCHAR],
    result: BIGINT,
    work: withZone(([text, pattern], zone) => {
      const instant = readOf(text, pattern, zone);
      return instant === undefined ? null : (withinTime(instant) ?? null);
    }),
  },
  {
    name: "tl_read_pattern_date",
    parameters: [VARCHAR, VARCHAR],
    result: INTEGER,
    work: ([text, pattern]) => {
      const instant = readOf(text, pattern, undefined);
      const day = instant === undefined ? INT32_MAX + 1n : floorDivide(instant, DAY_NS);
      return day > INT32_MAX || day < -INT32_MAX ? null : Number(day);
    },
  },
  {
    name: "tl_write_instant",
    parameters: [BIGINT, VARCHAR, VARCHAR],
    result: VARCHAR,
    work: withZone(([time, pattern], zone) => write(pattern, momentOf(time as bigint, zone))),
  },
  {
    name: "tl_write_time",
    parameters: [BIGINT, VARCHAR],
    result: VARCHAR,
    work: ([time, pattern]) =>
      write(pattern, { day: undefined, timeOfDayNs: time as bigint, offsetNs: undefined }),
  },
  {
    name: "tl_write_date",
    parameters: [INTEGER],
    result: VARCHAR,
    work: ([day]) => formatDay(Number(day)),
  },
  {
    name: "tl_write_interval",
    parameters: [BIGINT, BIGINT],
    result: VARCHAR,
    work: ([months, rest]) =>
      formatIntervalParts({ months: Number(months), nanoseconds: rest as bigint }),
  },
  {
    name: "tl_write_duration",
    parameters: [BIGINT],
    result: VARCHAR,
    work: ([duration]) => formatDurationParts(duration as bigint),
  },
];

function withZone(
  work: (values: readonly DuckDBValue[], zone: Zone | undefined) => DuckDBValue,
): OwnFunction["work"] {
  const zoneOf = remembered(findZone);
  return (values) => {
    const name = String(values.at(-1));
    return work(values, name === "" ? undefined : zoneOf(name));
  };
}

const patternOf = remembered(parsePattern);

function readOf(
  text: DuckDBValue | undefined,
  pattern: DuckDBValue | undefined,
  zone: Zone | undefined,
): bigint | undefined {
  const items = patternOf(String(pattern));
  return items === undefined ? undefined : readPattern(items, String(text), zone);
}

function write(pattern: DuckDBValue | undefined, moment: ReturnType<typeof momentOf>): string {
  const items: readonly PatternItem[] | undefined = patternOf(String(pattern));
  const text = items === undefined ? undefined : writePattern(items, moment);
  if (text === undefined) throw new Error("tidelake:time_pattern");
  return text;
}

/** `find`, with its last answer at hand: rows of one query ask the same again and again. */
function remembered<T>(find: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly answer: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, answer: find(text) };
    return last.answer;
  };
}
