import type { Expression } from "#model/query/expression.ts";
import type { RankFunction } from "#model/query/functions/aggregate.ts";
import type { WindowCall } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { constantValue } from "../aggregates/request.ts";
import { explicitCast } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";

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
  if (type === undefined) return shiftParts(name, operands, ignoreNulls);
  if (ignoreNulls) throw planningError(`IGNORE NULLS is not supported for ${name}`);
  const args = name === "ntile" ? [tileCount(operands)] : operands;
  if (name !== "ntile" && args.length > 0) {
    throw planningError(`Function '${name}' expects 0 arguments but received ${args.length}`);
  }
  return { name, arguments: args, distinct: false, ignoreNulls, type };
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
  name: RankFunction,
  [value, distance, other, ...more]: readonly Expression[],
  ignoreNulls: boolean,
): Parts {
  if (value === undefined || more.length > 0) {
    throw planningError(`Function '${name}' expects 1 to 3 arguments`);
  }
  const { type } = value;
  const count = distance === undefined ? 1n : (constantValue(distance) ?? 1n);
  if (typeof count !== "bigint") {
    throw planningError(`${name} needs a constant whole number as its offset`);
  }
  const back = (name === "lag") === count >= 0n;
  const args = [value, literal(count < 0n ? -count : count, "int64")];
  if (other !== undefined) args.push(explicitCast(other, type, false));
  return { name: back ? "lag" : "lead", arguments: args, distinct: false, ignoreNulls, type };
}
