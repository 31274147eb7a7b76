import type { Expression, IntervalValue } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { isInteger } from "#model/query/value-type.ts";
import { unsupported } from "../../../sql/errors.ts";
import { coerce, explicitCast } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { foldTime, literal } from "../fold.ts";
import { call } from "../operators.ts";
import { argumentError, type Builder, type CallContext, checkCount, named } from "./builder.ts";

const TRUNCATED_UNITS: ReadonlyMap<string, string> = unitNames(
  "year quarter month week day hour minute second millisecond microsecond nanosecond",
);
const PARTS: ReadonlyMap<string, string> = new Map([
  ...unitNames("year quarter month week day hour minute second millisecond microsecond nanosecond"),
  ...["dow", "doy", "epoch"].map((name): [string, string] => [name, name]),
]);

/** The functions of SQL about times and intervals, by name. */
export const TIME_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("now current_timestamp", (operands, context) => {
    checkCount(operands, context, 0);
    return literal(context.nowNs, "timestamp");
  }),
  ...named("date_bin", dateBin),
  ...named("date_trunc datetrunc", dateTrunc),
  ...named("date_part datepart", datePart),
  ...named("make_date", makeDate),
  ...named("to_timestamp to_timestamp_nanos", toTimestamp(1n)),
  ...named("to_timestamp_micros", toTimestamp(1000n)),
  ...named("to_timestamp_millis", toTimestamp(1_000_000n)),
  ...named("to_timestamp_seconds from_unixtime", toTimestamp(1_000_000_000n)),
  ...named("to_unixtime", (operands, context) => {
    checkCount(operands, context, 1);
    const time = timestampOf(operands, 0, context);
    const epoch = call("date_part", [literal("epoch", "string"), time], "float64");
    return coerce(call("floor", [epoch], "float64"), "int64");
  }),
};

function dateBin(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  const stride = intervalOf(operands, context);
  const time = timestampOf(operands, 1, context);
  const origin =
    operands.length === 3 ? timestampOf(operands, 2, context) : literal(0n, "timestamp");
  if (origin.kind !== "literal" || origin.value === null) {
    throw planningError("DATE_BIN requires its origin to be a constant timestamp");
  }
  return foldTime(call("date_bin", [stride, time, origin], "timestamp"));
}

/** The first argument as a positive interval of months or of nanoseconds. */
function intervalOf(operands: readonly Expression[], context: CallContext): Expression {
  const [operand = literal(null, "null")] = operands;
  if (operand.kind !== "literal" || (operand.type !== "interval" && operand.type !== "string")) {
    throw argumentError(context, "Interval", operands, operand.type);
  }
  const stride = coerce(operand, "interval");
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

function dateTrunc(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const unit = unitOf(operands, TRUNCATED_UNITS, context);
  return foldTime(call("date_trunc", [unit, timestampOf(operands, 1, context)], "timestamp"));
}

function datePart(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const unit = unitOf(operands, PARTS, context);
  const type = unit.value === "epoch" ? "float64" : "int64";
  return call("date_part", [unit, timestampOf(operands, 1, context)], type);
}

function makeDate(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 3);
  const parts = operands.map((operand) => {
    if (isInteger(operand.type) || operand.type === "null") return coerce(operand, "int32");
    throw argumentError(context, "Integer", operands, operand.type);
  });
  return call("make_date", parts, "date");
}

function unitOf(
  operands: readonly Expression[],
  units: ReadonlyMap<string, string>,
  context: CallContext,
): Extract<Expression, { kind: "literal" }> {
  const [operand] = operands;
  const text = operand?.kind === "literal" ? operand.value : undefined;
  const unit = typeof text === "string" ? units.get(text.toLowerCase()) : undefined;
  if (unit !== undefined) return literal(unit, "string");
  const known = [...new Set(units.values())].join(", ");
  throw planningError(`Function '${context.name}' needs a constant unit first, one of ${known}`);
}

/** Argument `index` as a timestamp; text is read as one. */
function timestampOf(
  operands: readonly Expression[],
  index: number,
  context: CallContext,
): Expression {
  const operand = operands[index] ?? literal(null, "null");
  if (operand.type === "timestamp" || operand.type === "string" || operand.type === "null") {
    return coerce(operand, "timestamp");
  }
  throw planningError(
    `Function '${context.name}' expects a timestamp but received ${typeText(operand.type)}`,
  );
}

/** Whole numbers count units of `unitNs` nanoseconds; text is read as a timestamp. */
function toTimestamp(unitNs: bigint): Builder {
  return (operands, context) => {
    if (operands.length > 1) throw unsupported(`${context.name} with a format or a time zone`);
    checkCount(operands, context, 1);
    const [operand = literal(null, "null")] = operands;
    switch (operand.type) {
      case "string":
      case "null":
      case "timestamp":
        return coerce(operand, "timestamp");
      case "int64":
      case "uint64":
        return explicitCast(scaled(coerce(operand, "int64"), unitNs), "timestamp", false);
      case "float64": {
        const factor = literal(Number(unitNs), "float64");
        const nanoseconds = call("multiply", [operand, factor], "float64");
        return explicitCast(explicitCast(nanoseconds, "int64", false), "timestamp", false);
      }
      default:
        throw argumentError(context, "Timestamp", operands, operand.type);
    }
  };
}

function scaled(operand: Expression, unitNs: bigint): Expression {
  if (unitNs === 1n) return operand;
  if (operand.kind === "literal" && typeof operand.value === "bigint") {
    const value = operand.value * unitNs;
    if (BigInt.asIntN(64, value) === value) return literal(value, "int64");
  }
  return call("multiply", [operand, literal(unitNs, "int64")], "int64");
}

/** Each name in the singular and the plural. */
function unitNames(names: string): Map<string, string> {
  return new Map(
    names.split(" ").flatMap((name): [string, string][] => [
      [name, name],
      [`${name}s`, name],
    ]),
  );
}
