/** Functions of zones and types. */
import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { isInteger, isTimestamp, timestampType, type ValueType } from "#model/query/value-type.ts";
import { UNIT_NS } from "#model/time-units.ts";
import { coerce, explicitCast } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { call, literal } from "../../fold.ts";
import { parseArrowType, timeUnitOf } from "../../types/arrow-type.ts";
import { partsOf } from "../../types/common-type.ts";
import { type CallContext, checkCount } from "../builder.ts";
import { timestampOf, zoneNameOf, zoneOf } from "./arguments.ts";

/** `operand AT TIME ZONE zone`: a time without a zone is a local one of it; another is the same instant, shown there. */
export function atTimeZone(operand: Expression, zone: Expression): Expression {
  const { text } = zoneOf(zone, "AT TIME ZONE");
  const unit = isTimestamp(operand.type) ? partsOf(operand.type).unit : "nanosecond";
  return explicitCast(operand, timestampType(unit, text), false);
}

/** `tz(time, zone)`: a time without a zone is one of UTC; UTC as well is what it is shown in without a second argument. */
export function inZone(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, 2);
  const [, given = literal("UTC", "string")] = operands;
  const { text } = zoneOf(given, context.name);
  const time = timestampOf(operands, 0, context);
  const { unit } = isTimestamp(time.type) ? partsOf(time.type) : partsOf("timestamp");
  const utc = zoneNameOf(time.type) === undefined ? coerce(time, timestampType(unit, "UTC")) : time;
  return coerce(utc, timestampType(unit, text));
}

export function localTime(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  const time = timestampOf(operands, 0, context);
  if (!isTimestamp(time.type) || zoneNameOf(time.type) === undefined) return time;
  return call("local_time", [time], timestampType(partsOf(time.type).unit));
}

export function arrowCast(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const [operand = literal(null, "null"), target] = operands;
  const text = target?.kind === "literal" ? target.value : undefined;
  if (typeof text !== "string") {
    throw planningError(
      "arrow_cast requires its second argument to be a non-empty constant string",
    );
  }
  const type = parseArrowType(text);
  if (type === undefined) {
    throw planningError(
      `Unsupported type '${text.slice(0, 100)}'. Must be a supported arrow type name such as 'Int32' or 'Timestamp(ns)'.`,
    );
  }
  const unit = timeUnitOf(text);
  return unit === undefined
    ? explicitCast(operand, type, false)
    : castInUnit(operand, type, UNIT_NS[unit]);
}

/** A cast to a time of day or a duration of a unit: numbers count it, and what it has no room for is cut. */
function castInUnit(operand: Expression, type: ValueType, unitNs: bigint): Expression {
  const unit = literal(unitNs, "int64");
  if (!isInteger(operand.type)) {
    const cast = explicitCast(operand, type, false);
    return type === "time" ? cutTime(cast, unitNs) : cast;
  }
  const count = coerce(operand, "int64");
  const nanoseconds = unitNs === 1n ? count : call("multiply", [count, unit], "int64");
  return explicitCast(nanoseconds, type, false);
}

/** Times of day have no unit of their own: what a coarser one has no room for is cut. */
function cutTime(time: Expression, unitNs: bigint): Expression {
  if (unitNs === 1n) return time;
  const unit = literal(unitNs, "int64");
  const count = call("divide", [coerce(time, "int64"), unit], "int64");
  return coerce(call("multiply", [count, unit], "int64"), "time");
}

export function arrowTypeOf(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  const [operand = literal(null, "null")] = operands;
  return literal(typeText(operand.type), "string");
}
