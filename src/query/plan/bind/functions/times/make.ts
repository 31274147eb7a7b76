/** Functions that make times and dates of texts and numbers. */
import { floorDivide } from "#base/divide.ts";
import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import {
  isFloat,
  isInteger,
  isTimestamp,
  type TimeUnit,
  timestampType,
  type ValueType,
} from "#model/query/value-type.ts";
import { parsePattern } from "#model/time/pattern.ts";
import { readPattern } from "#model/time/read-pattern.ts";
import { withinTime } from "#model/time/text.ts";
import { DAY_NS, UNIT_NS } from "#model/time-units.ts";
import { coerce, explicitCast } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { call, literal } from "../../fold.ts";
import { isDecimal } from "../../types/common-type.ts";
import { argumentError, type Builder, type CallContext, checkCount } from "../builder.ts";
import { zoneOf } from "./arguments.ts";

/** So many formats are tried at most. */
const PATTERNS_MAX = 100;
/** Whole numbers count them, whatever makes them of timestamps. */
const DAY_TYPES: ReadonlySet<ValueType> = new Set(["int32", "int64"]);

export function now(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 0);
  return literal(context.nowNs, timestampType("nanosecond", "+00:00"));
}

export function currentDate(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 0);
  return literal(floorDivide(context.nowNs, DAY_NS), "date");
}

export function currentTime(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 0);
  return literal(context.nowNs - floorDivide(context.nowNs, DAY_NS) * DAY_NS, "time");
}

export function makeDate(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 3);
  const parts = operands.map((operand) => {
    const { type } = operand;
    if (operand.kind === "literal" && (operand.value === null || operand.value === "")) {
      throw planningError("Unable to parse date from null/empty value");
    }
    if (isInteger(type) || type === "string" || type === "null") return coerce(operand, "int32");
    throw argumentError(context, "Integer", operands, type);
  });
  return call("make_date", parts, "date");
}

/** Whole numbers count `unit`; text is read as a timestamp, or by the formats that follow it. */
export function toTimestamp(unit: TimeUnit): Builder {
  const target = timestampType(unit);
  return (operands, context) => {
    checkCount(operands, context, 1, PATTERNS_MAX);
    const [operand = literal(null, "null"), ...patterns] = operands;
    const { type } = operand;
    if (type === "null") return literal(null, target);
    if (type === "string" && patterns.length > 0) return read(operands, target, context);
    if (isInteger(type)) return explicitCast(coerce(operand, "int64"), target, false);
    if (isFloat(type) || isDecimal(type)) return fromFloat(operand, unit);
    if (type === "string" || type === "date" || isTimestamp(type)) {
      return explicitCast(operand, target, false);
    }
    throw argumentError(context, "Timestamp", operands, type);
  };
}

export function toDate(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, PATTERNS_MAX);
  const [operand = literal(null, "null"), ...patterns] = operands;
  const { type } = operand;
  if (type === "null") return literal(null, "date");
  if (type === "string" && patterns.length > 0) return read(operands, "date", context);
  if (type === "string" || type === "date" || isTimestamp(type) || DAY_TYPES.has(type)) {
    return explicitCast(operand, "date", false);
  }
  throw argumentError(context, "Date", operands, type);
}

/** Seconds since the epoch, in the zone of the second argument if there is one. */
export function fromUnixTime(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, 2);
  const [operand = literal(null, "null"), zone] = operands;
  if (!isInteger(operand.type) && operand.type !== "null") {
    throw argumentError(context, "Integer", operands, operand.type);
  }
  const name = zone === undefined ? undefined : zoneOf(zone, context.name).text;
  return explicitCast(coerce(operand, "int64"), timestampType("second", name), false);
}

export function toUnixTime(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, PATTERNS_MAX);
  const [operand = literal(null, "null")] = operands;
  if (isInteger(operand.type) || isFloat(operand.type))
    return explicitCast(operand, "int64", false);
  const seconds = toTimestamp("second")(operands, context);
  return explicitCast(seconds, "int64", false);
}

function fromFloat(operand: Expression, unit: TimeUnit): Expression {
  const factor = literal(Number(UNIT_NS[unit]), "float64");
  const nanoseconds = call("multiply", [coerce(operand, "float64"), factor], "float64");
  return explicitCast(explicitCast(nanoseconds, "timestamp", false), timestampType(unit), false);
}

function read(
  operands: readonly Expression[],
  target: ValueType,
  context: CallContext,
): Expression {
  for (const { type } of operands) {
    if (type !== "string" && type !== "null") {
      throw argumentError(context, "String", operands, type);
    }
  }
  const texts = operands.map((operand) =>
    operand.kind === "literal" && typeof operand.value === "string" ? operand.value : undefined,
  );
  const [text, ...patterns] = texts.filter((one) => one !== undefined);
  if (text === undefined || patterns.length + 1 < operands.length) {
    const typed = operands.map((operand) => coerce(operand, "string"));
    return call("read_pattern", typed, target);
  }
  for (const pattern of patterns) {
    const items = parsePattern(pattern);
    const instant = items === undefined ? undefined : readPattern(items, text);
    if (instant === undefined) continue;
    if (target === "date") return literal(floorDivide(instant, DAY_NS), target);
    if (withinTime(instant) !== undefined) return coerce(literal(instant, "timestamp"), target);
  }
  throw new DbError(
    "invalid",
    "cast_failed",
    `Execution error: Error parsing timestamp from '${text.slice(0, 100)}' using formats: [${patterns.join(", ").slice(0, 500)}]`,
    { detail: { value: text.slice(0, 100) } },
  );
}
