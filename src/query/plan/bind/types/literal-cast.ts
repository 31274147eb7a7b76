/** Casts of constants, computed while a statement is planned. */
import { floorDivide } from "#base/divide.ts";
import { DbError } from "#base/errors.ts";
import {
  INTEGER_RANGES,
  isFloat,
  isInteger,
  isTimestamp,
  type ValueType,
} from "#model/query/value-type.ts";
import { parseIntervalText } from "#model/time/interval-text.ts";
import { parseDateText, parseInstantText, parseTimeOfDay } from "#model/time/text.ts";
import { findZone, type Zone } from "#model/time/zone.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { parseTimestampText } from "#model/time-text.ts";
import { DAY_NS, UNIT_NS } from "#model/time-units.ts";
import { type Literal, literal } from "../fold.ts";
import { isDecimal, partsOf } from "./common-type.ts";

const WHOLE = /^-?\d{1,20}$/;
/** With one way to match each text: others take the square of its digits. */
const FLOAT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * `source` as a literal of `type`: undefined where that is left to the engine.
 * Throws DbError `invalid` / `cast_failed` for text that is no time, date or interval.
 */
export function castLiteral(source: Literal, type: ValueType): Literal | undefined {
  const { value } = source;
  if (value === null) return literal(null, type);
  if (typeof value === "string") return castText(value, type);
  if (typeof value === "number") return castFloat(source, value, type);
  if (typeof value !== "bigint" || isDecimal(source.type)) return undefined;
  if (isTimestamp(source.type)) return castInstant(value, source.type, type);
  if (source.type === "date") return castDay(value, type);
  return isInteger(source.type) ? castWhole(value, type) : undefined;
}

function castText(text: string, type: ValueType): Literal | undefined {
  if (isTimestamp(type)) {
    const { unit, zone } = partsOf(type);
    const timeNs = instantOf(text, zone === undefined ? undefined : findZone(zone));
    if (timeNs === undefined) throw castFailed(text, "a timestamp such as 2022-01-01T08:00:00Z");
    return literal(truncated(timeNs, UNIT_NS[unit]), type);
  }
  switch (type) {
    case "date": {
      const day = parseDateText(text);
      if (day === undefined) throw castFailed(text, "a date such as 2022-01-01");
      return literal(BigInt(day), type);
    }
    case "time": {
      const time = parseTimeOfDay(text);
      if (time === undefined) throw castFailed(text, "a time of day such as 08:00:00");
      return literal(time, type);
    }
    case "interval": {
      const interval = parseIntervalText(text);
      if (interval === undefined) throw castFailed(text, "an interval such as '1 hour'");
      return literal(interval, type);
    }
    case "float64":
      return FLOAT.test(text) ? literal(Number(text), type) : undefined;
    default:
      return isInteger(type) && WHOLE.test(text) ? within(BigInt(text), type, type) : undefined;
  }
}

/** Digits alone are nanoseconds. */
function instantOf(text: string, zone: Zone | undefined): bigint | undefined {
  if (zone !== undefined) return parseInstantText(text, zone);
  return parseInstantText(text) ?? parseTimestampText(text);
}

function castFloat(source: Literal, value: number, type: ValueType): Literal | undefined {
  if (source.type === "float64" && type === "float32") return literal(Math.fround(value), type);
  if (source.type === "float32" && type === "float64") return literal(value, type);
  if (!isInteger(type) && !isTimestamp(type)) return undefined;
  return Number.isFinite(value) ? castWhole(BigInt(Math.trunc(value)), type) : undefined;
}

function castWhole(value: bigint, type: ValueType): Literal | undefined {
  if (isTimestamp(type)) return within(value * UNIT_NS[partsOf(type).unit], "int64", type);
  if (isInteger(type)) return within(value, type, type);
  if (isFloat(type)) {
    const float = Number(value);
    return literal(type === "float32" ? Math.fround(float) : float, type);
  }
  switch (type) {
    case "string":
      return literal(String(value), type);
    case "date":
      return within(value, "int32", type);
    case "time":
    case "duration":
      return within(value, "int64", type);
    default:
      return undefined;
  }
}

function within(
  value: bigint,
  range: keyof typeof INTEGER_RANGES,
  type: ValueType,
): Literal | undefined {
  const [least, greatest] = INTEGER_RANGES[range];
  return value >= least && value <= greatest ? literal(value, type) : undefined;
}

function castInstant(timeNs: bigint, source: ValueType, type: ValueType): Literal | undefined {
  const { unit, zone } = isTimestamp(source) ? partsOf(source) : partsOf("timestamp");
  if (isTimestamp(type)) {
    const target = partsOf(type);
    const instant = zone === undefined ? instantInZone(timeNs, target.zone) : timeNs;
    return instant === undefined
      ? undefined
      : literal(truncated(instant, UNIT_NS[target.unit]), type);
  }
  if (isInteger(type)) return within(timeNs / UNIT_NS[unit], type, type);
  if (type !== "date" && type !== "time") return undefined;
  const local = timeNs + (zone === undefined ? 0n : (findZone(zone)?.offsetAt(timeNs) ?? 0n));
  const day = floorDivide(local, DAY_NS);
  return literal(type === "date" ? day : local - day * DAY_NS, type);
}

function castDay(day: bigint, type: ValueType): Literal | undefined {
  if (isInteger(type)) return within(day, type, type);
  if (!isTimestamp(type)) return undefined;
  const instant = instantInZone(day * DAY_NS, partsOf(type).zone);
  if (instant === undefined || instant < TIME_MIN || instant > TIME_MAX) return undefined;
  return literal(instant, type);
}

/** Undefined for a local time that is no instant of the zone, or two: then that is an error when the query runs. */
function instantInZone(localNs: bigint, zone: string | undefined): bigint | undefined {
  if (zone === undefined) return localNs;
  const [instant, second] = findZone(zone)?.instantsOf(localNs) ?? [];
  return second === undefined ? instant : undefined;
}

/** Toward zero. */
function truncated(timeNs: bigint, unitNs: bigint): bigint {
  return (timeNs / unitNs) * unitNs;
}

function castFailed(value: string, expected: string): DbError {
  const text = value.slice(0, 100);
  return new DbError(
    "invalid",
    "cast_failed",
    `Error during planning: Error parsing '${text}': it is not ${expected}`,
    { detail: { value: text } },
  );
}
