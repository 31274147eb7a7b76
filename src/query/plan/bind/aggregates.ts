import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { AggregateFunction } from "#model/query/functions/aggregate.ts";
import { typeText } from "#model/query/type-text.ts";
import { unsupported } from "../../sql/errors.ts";
import { coerce, isNumeric } from "./coerce.ts";
import { planningError } from "./errors.ts";
import { literal } from "./fold.ts";

type Parts = Pick<AggregateCall, "name" | "arguments" | "distinct" | "type">;

/** The aggregates of SQL, with the name that expression texts show. */
const AGGREGATES: ReadonlyMap<string, readonly [AggregateFunction, string]> = new Map([
  ...under("count", "count", "count"),
  ...under("sum", "sum", "sum"),
  ...under("avg", "avg", "avg mean"),
  ...under("min", "min", "min"),
  ...under("max", "max", "max"),
  ...under("median", "median", "median"),
  ...under("stddev", "stddev", "stddev stddev_samp"),
  ...under("stddev_population", "stddev_pop", "stddev_pop"),
  ...under("variance", "var", "var var_samp var_sample"),
  ...under("variance_population", "var_pop", "var_pop var_population"),
  ...under("first_value", "first_value", "first_value"),
  ...under("last_value", "last_value", "last_value"),
]);

const KEEP_NULLS: ReadonlySet<AggregateFunction> = new Set(["first_value", "last_value"]);

export function isAggregate(name: string): boolean {
  return AGGREGATES.has(name);
}

/** All names of aggregates. */
export function aggregateNames(): readonly string[] {
  return [...AGGREGATES.keys()];
}

/** The name of a function in expression texts: aggregates have one of their names. */
export function shownFunction(name: string): string {
  return AGGREGATES.get(name)?.[1] ?? name;
}

/** The call of aggregate `name`, which `isAggregate`. Throws DbError `invalid` / `sql_planning` where its arguments do not fit. */
export function aggregateParts(
  name: string,
  operands: readonly Expression[],
  options: { readonly star: boolean; readonly distinct: boolean },
): Parts {
  const target = AGGREGATES.get(name)?.[0] ?? "count";
  const { distinct } = options;
  if (options.star && target !== "count") throw planningError(`${name}(*) is not valid`);
  if (target === "count") return countParts(operands, options);
  const [operand] = operands;
  if (operand === undefined || operands.length > 1) {
    throw planningError(
      `${name} was called with ${operands.length} arguments. It requires only 1.`,
    );
  }
  if (distinct && KEEP_NULLS.has(target)) throw unsupported(`${name}(DISTINCT …)`);
  const argument = argumentOf(name, target, operand);
  // The least and the greatest are the same with and without repetitions.
  const isExtreme = target === "min" || target === "max";
  return {
    name: target,
    arguments: [argument],
    distinct: distinct && !isExtreme,
    type: argument.type,
  };
}

function argumentOf(name: string, target: AggregateFunction, operand: Expression): Expression {
  if (KEEP_NULLS.has(target)) return operand;
  // Engines compare values of a type: a bare NULL counts as a number that is missing.
  const typed = operand.type === "null" ? literal(null, "int64") : operand;
  if (target === "min" || target === "max") return typed;
  if (!isNumeric(typed.type)) {
    throw planningError(
      `Function '${name}' expects NativeType::Numeric but received ${typeText(operand.type)}`,
    );
  }
  return target === "sum" || target === "median" ? typed : coerce(typed, "float64");
}

function countParts(
  operands: readonly Expression[],
  { star, distinct }: { readonly star: boolean; readonly distinct: boolean },
): Parts {
  if (operands.length > 1) throw unsupported("count of several arguments");
  if (distinct && (star || operands.length === 0)) {
    throw planningError("count(DISTINCT *) is not valid");
  }
  return { name: "count", arguments: operands, distinct, type: "int64" };
}

function under(
  target: AggregateFunction,
  text: string,
  names: string,
): [string, readonly [AggregateFunction, string]][] {
  return names.split(" ").map((name) => [name, [target, text]]);
}
