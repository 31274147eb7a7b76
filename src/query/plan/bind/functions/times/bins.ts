/** Functions that give the beginning of what a time lies in. */
import type { Expression, IntervalValue } from "#model/query/expression.ts";
import { coerce } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { call, foldTime, literal } from "../../fold.ts";
import { argumentError, type CallContext, checkCount } from "../builder.ts";
import { timestampOf, type UnitNames, unitNames, unitOf, zoneNameOf } from "./arguments.ts";

const TRUNCATED_UNITS: UnitNames = unitNames(
  "year quarter month week day hour minute second millisecond microsecond nanosecond",
);

export function dateBin(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  const stride = strideOf(operands, context);
  const time = timestampOf(operands, 1, context);
  return foldTime(call("date_bin", [stride, time, originOf(operands, context)], time.type));
}

/** As `dateBin`, by the clocks of the time's zone. */
export function dateBinWallClock(
  operands: readonly Expression[],
  context: CallContext,
): Expression {
  checkCount(operands, context, 2, 3);
  const stride = strideOf(operands, context);
  if (stride.kind === "literal" && (stride.value as IntervalValue).months !== 0) {
    throw planningError("DATE_BIN_WALLCLOCK stride does not support months");
  }
  const time = timestampOf(operands, 1, context);
  const [, , given] = operands;
  if (given !== undefined && zoneNameOf(given.type) !== undefined) {
    throw planningError("DATE_BIN_WALLCLOCK requires its origin to have no time zone");
  }
  const origin = originOf(operands, context);
  if (zoneNameOf(time.type) === undefined) {
    return foldTime(call("date_bin", [stride, time, origin], time.type));
  }
  return call("date_bin_wallclock", [stride, time, origin], time.type);
}

export function dateTrunc(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const unit = unitOf(operands, TRUNCATED_UNITS, context);
  const time = timestampOf(operands, 1, context);
  return foldTime(call("date_trunc", [unit, time], time.type));
}

/** The third argument, which is constant; the epoch without it. */
function originOf(operands: readonly Expression[], context: CallContext): Expression {
  const given =
    operands.length === 3 ? timestampOf(operands, 2, context) : literal(0n, "timestamp");
  if (given.kind === "literal" && typeof given.value === "bigint") {
    return literal(given.value, "timestamp");
  }
  throw planningError("DATE_BIN requires its origin to be a constant timestamp");
}

/** The first argument as a positive interval of months or of nanoseconds. */
function strideOf(operands: readonly Expression[], context: CallContext): Expression {
  const [operand = literal(null, "null")] = operands;
  const known =
    operand.type === "interval" || operand.type === "string" || operand.type === "duration";
  if (operand.kind !== "literal" || !known) {
    throw argumentError(context, "Interval", operands, operand.type);
  }
  const stride =
    operand.type === "duration" && typeof operand.value === "bigint"
      ? literal({ months: 0, nanoseconds: operand.value }, "interval")
      : coerce(operand, "interval");
  checkStride(stride.kind === "literal" ? (stride.value as IntervalValue | null) : null);
  return stride;
}

function checkStride(stride: IntervalValue | null): void {
  if (stride === null) throw planningError("DATE_BIN stride must not be NULL");
  const { months, nanoseconds } = stride;
  if (months !== 0 && nanoseconds !== 0n) {
    throw planningError(
      "DATE_BIN stride does not support combination of month, day and nanosecond intervals",
    );
  }
  if (months <= 0 && nanoseconds <= 0n)
    throw planningError("DATE_BIN stride must be greater than 0");
}
