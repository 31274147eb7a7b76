import { type Expression, isInterval } from "#model/query/expression.ts";
import type { ChangeFunction, RankFunction } from "#model/query/functions/aggregate.ts";
import type { WindowCall } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { isFloat, isInteger, isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { SECOND_NS } from "#model/time-units.ts";
import { constantValue } from "../aggregates/request.ts";
import { coerce, explicitCast } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import { checkCount } from "../functions/builder.ts";

type Parts = Omit<WindowCall, "partitionBy" | "orderBy" | "frame">;

const RESULTS: Readonly<Record<RankFunction, ValueType | undefined>> = {
  row_number: "uint64",
  rank: "uint64",
  dense_rank: "uint64",
  percent_rank: "float64",
  cume_dist: "float64",
  ntile: "uint64",
  lag: undefined,
  lead: undefined,
  difference: undefined,
  non_negative_difference: undefined,
  derivative: "float64",
  non_negative_derivative: "float64",
};

/** All names of these functions. */
export function rankNames(): readonly string[] {
  return Object.keys(RESULTS);
}

export function isRankFunction(name: string): name is RankFunction {
  return Object.hasOwn(RESULTS, name);
}

/** A call of a function of a row's place. Throws DbError `invalid` / `sql_planning` where its arguments do not fit. */
export function rankParts(
  name: RankFunction,
  operands: readonly Expression[],
  ignoreNulls: boolean,
): Parts {
  const type = RESULTS[name];
  if (name === "lag" || name === "lead") return shiftParts(name, operands, ignoreNulls);
  if (ignoreNulls) throw planningError(`IGNORE NULLS is not supported for ${name}`);
  if (isChange(name)) return changeParts(name, operands);
  const args = name === "ntile" ? [tileCount(operands)] : operands;
  if (name !== "ntile") checkCount(args, { name }, 0);
  return { name, arguments: args, distinct: false, ignoreNulls, type: type ?? "null" };
}

function isChange(name: RankFunction): name is ChangeFunction {
  return name.endsWith("difference") || name.endsWith("derivative");
}

function changeParts(name: ChangeFunction, operands: readonly Expression[]): Parts {
  const [value = literal(null, "null"), time, unit] = operands;
  const number = coerce(value, changeType(name, value.type));
  const parts = { name, distinct: false, ignoreNulls: false, type: number.type };
  if (name.endsWith("difference")) {
    checkCount(operands, { name }, 1);
    return { ...parts, arguments: [number] };
  }
  checkCount(operands, { name }, 2, 3);
  if (time === undefined || !isTimestamp(time.type)) {
    throw planningError(`Function '${name}' expects a timestamp as its second argument`);
  }
  const float = coerce(number, "float64");
  return { ...parts, arguments: [float, time, unitOf(name, unit)], type: "float64" };
}

/** The type in which values are subtracted. */
function changeType(name: string, type: ValueType): ValueType {
  if (type === "null" || isFloat(type)) return "float64";
  if (isInteger(type)) return type.startsWith("uint") ? "uint64" : "int64";
  throw planningError(
    `Function '${name}' expects NativeType::Numeric but received ${typeText(type)}`,
  );
}

/** An interval of nanoseconds as their count; a second where none is given. */
function unitOf(name: string, unit: Expression | undefined): Expression {
  if (unit === undefined) return literal(SECOND_NS, "int64");
  const value = constantValue(coerce(unit, "interval"));
  if (value === undefined || !isInterval(value)) {
    throw planningError(`${name} unit parameter must be a non-null literal interval`);
  }
  if (value.months > 0) throw planningError(`${name} unit parameter cannot contain months`);
  if (value.nanoseconds > 0n) return literal(value.nanoseconds, "int64");
  throw planningError(`${name} unit parameter must be positive`);
}

function tileCount(operands: readonly Expression[]): Expression {
  const [operand] = operands;
  const count = operand === undefined ? undefined : constantValue(operand);
  if (operands.length !== 1 || typeof count !== "bigint") {
    throw planningError("NTILE requires a positive integer");
  }
  if (count > 0n) return literal(count, "int64");
  throw planningError(`NTILE requires a positive integer, but finds ${count}`);
}

/** A negative distance of `lag` is one of `lead`. */
function shiftParts(
  name: "lag" | "lead",
  [value, distance, other, ...more]: readonly Expression[],
  ignoreNulls: boolean,
): Parts {
  if (value === undefined || more.length > 0) {
    throw planningError(`Function '${name}' expects 1 to 3 arguments`);
  }
  const { type } = value;
  const constant = distance === undefined ? null : constantValue(distance);
  const count = constant === null ? 1n : constant;
  if (typeof count !== "bigint") {
    throw planningError(`${name} needs a constant whole number as its offset`);
  }
  const back = (name === "lag") === count >= 0n;
  const args = [value, literal(count < 0n ? -count : count, "int64")];
  if (other !== undefined) args.push(explicitCast(other, type, false));
  return { name: back ? "lag" : "lead", arguments: args, distinct: false, ignoreNulls, type };
}
