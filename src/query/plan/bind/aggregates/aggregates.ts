import { isDeepStrictEqual } from "node:util";
import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { AggregateFunction } from "#model/query/functions/aggregate.ts";
import {
  DECIMAL_PRECISION_MAX,
  isFloat,
  isInteger,
  listOf,
  sameType,
  type ValueType,
} from "#model/query/value-type.ts";
import { unsupported } from "../../../sql/errors.ts";
import { coerce, explicitCast } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import { PERCENTILES } from "./percentile.ts";
import {
  type AggregateBuilder,
  type AggregateRequest,
  checkOperands,
  constantValue,
  expected,
  floatOf,
  isDecimal,
  numberOf,
  operandOf,
  wholeOf,
} from "./request.ts";
import { SELECTORS } from "./selector.ts";

/** The aggregates of SQL: what builds them, and the name that expression texts show. */
const AGGREGATES: ReadonlyMap<
  string,
  { readonly build: AggregateBuilder; readonly shown: string }
> = new Map([
  ...under("count", count),
  ...under("sum", sum),
  ...under("avg mean", average),
  ...under("min", extreme("min")),
  ...under("max", extreme("max")),
  ...under("median", median),
  ...under("stddev stddev_samp", ofFloats("stddev", 1)),
  ...under("stddev_pop", ofFloats("stddev_population", 1)),
  ...under("var var_samp var_sample", ofFloats("variance", 1)),
  ...under("var_pop var_population", ofFloats("variance_population", 1)),
  ...under("corr", ofFloats("correlation", 2)),
  ...under("covar_samp covar", ofFloats("covariance", 2)),
  ...under("covar_pop", ofFloats("covariance_population", 2)),
  ...under("regr_avgx", ofFloats("regression_average_x", 2)),
  ...under("regr_avgy", ofFloats("regression_average_y", 2)),
  ...under("regr_count", ofFloats("regression_count", 2, "uint64")),
  ...under("regr_intercept", ofFloats("regression_intercept", 2)),
  ...under("regr_r2", ofFloats("regression_r2", 2)),
  ...under("regr_slope", ofFloats("regression_slope", 2)),
  ...under("regr_sxx", ofFloats("regression_sxx", 2)),
  ...under("regr_sxy", ofFloats("regression_sxy", 2)),
  ...under("regr_syy", ofFloats("regression_syy", 2)),
  ...under("first_value", endValue("first_value")),
  ...under("last_value", endValue("last_value")),
  ...under("nth_value", nthValue),
  ...under("array_agg", arrayOf),
  ...under("string_agg", textOf),
  ...under("bit_and", ofBits("bit_and")),
  ...under("bit_or", ofBits("bit_or")),
  ...under("bit_xor", ofBits("bit_xor")),
  ...under("bool_and", ofTruth("bool_and")),
  ...under("bool_or", ofTruth("bool_or")),
  ...under("approx_distinct", distinctCount),
  ...under("grouping", grouping),
  ...Object.entries({ ...PERCENTILES, ...SELECTORS }).flatMap(([names, build]) =>
    under(names, build),
  ),
]);

export function isAggregate(name: string): boolean {
  return AGGREGATES.has(name);
}

/** All names of aggregates. */
export function aggregateNames(): readonly string[] {
  return [...AGGREGATES.keys()];
}

/** The name of a function in expression texts: aggregates have one of their names. */
export function shownFunction(name: string): string {
  return AGGREGATES.get(name)?.shown ?? name;
}

/** The aggregate that `request` names, which `isAggregate`. Throws DbError `invalid` / `sql_planning` where its parts do not fit. */
export function buildAggregate(request: AggregateRequest): AggregateCall {
  const { name, star, ignoreNulls, withinGroup } = request;
  const { build, shown } = AGGREGATES.get(name) ?? { build: count, shown: "count" };
  if (star && shown !== "count") throw planningError(`${name}(*) is not valid`);
  if (ignoreNulls && !NULLS_MATTER.has(shown)) {
    throw planningError(`IGNORE NULLS is not supported for ${name}`);
  }
  if (withinGroup && !shown.includes("percentile")) {
    throw planningError(`WITHIN GROUP is only supported for ordered-set aggregate functions`);
  }
  return build(request);
}

const NULLS_MATTER: ReadonlySet<string> = new Set([
  "first_value",
  "last_value",
  "nth_value",
  "array_agg",
]);

function under(
  names: string,
  build: AggregateBuilder,
): [string, { readonly build: AggregateBuilder; readonly shown: string }][] {
  const all = names.split(" ");
  return all.map((name) => [name, { build, shown: all[0] ?? name }]);
}

function count({ operands, star, distinct }: AggregateRequest): AggregateCall {
  if (distinct && (star || operands.length === 0)) {
    throw planningError("count(DISTINCT *) is not valid");
  }
  if (distinct && operands.length > 1) {
    throw unsupported("COUNT DISTINCT with multiple arguments");
  }
  return { name: "count", arguments: operands, distinct, type: "int64" };
}

function sum(request: AggregateRequest): AggregateCall {
  checkOperands(request, 1);
  const operand = operandOf(request, 0, "int64");
  if (operand.type === "duration") return plainCall("sum", request, operand);
  const number = numberOf(request, 0);
  const { type } = number;
  if (!isDecimal(type)) return plainCall("sum", request, coerce(number, widest(type)));
  const precision = Math.min(type.precision + 10, DECIMAL_PRECISION_MAX);
  return { ...plainCall("sum", request, number), type: { ...type, precision } };
}

function widest(type: ValueType): ValueType {
  if (isFloat(type)) return "float64";
  return isInteger(type) && type.startsWith("uint") ? "uint64" : "int64";
}

function average(request: AggregateRequest): AggregateCall {
  checkOperands(request, 1);
  const operand = operandOf(request, 0, "int64");
  if (operand.type === "duration") return plainCall("avg", request, operand);
  const number = numberOf(request, 0);
  const { type } = number;
  if (!isDecimal(type)) return plainCall("avg", request, coerce(number, "float64"));
  const precision = Math.min(type.precision + 4, DECIMAL_PRECISION_MAX);
  const scale = Math.min(type.scale + 4, DECIMAL_PRECISION_MAX);
  return { ...plainCall("avg", request, number), type: { kind: "decimal", precision, scale } };
}

function median(request: AggregateRequest): AggregateCall {
  checkOperands(request, 1);
  return plainCall("median", request, numberOf(request, 0));
}

/** The least and the greatest are the same with and without repetitions. */
function extreme(name: "min" | "max"): AggregateBuilder {
  return (request) => {
    checkOperands(request, 1);
    return { ...plainCall(name, request, operandOf(request, 0, "int64")), distinct: false };
  };
}

function ofFloats(
  name: AggregateFunction,
  operandCount: number,
  type: ValueType = "float64",
): AggregateBuilder {
  return (request) => {
    checkOperands(request, operandCount);
    const operands = request.operands.map((_, index) => floatOf(request, index));
    return { name, arguments: operands, distinct: request.distinct, type };
  };
}

function endValue(name: "first_value" | "last_value"): AggregateBuilder {
  return (request) => {
    checkOperands(request, 1);
    if (request.distinct) throw unsupported(`${name}(DISTINCT …)`);
    return orderedCall(name, request, request.operands);
  };
}

function nthValue(request: AggregateRequest): AggregateCall {
  checkOperands(request, 2);
  if (request.distinct) throw unsupported("nth_value(DISTINCT …)");
  const place = wholeOf(request, 1, "place");
  const value = operandOf(request, 0, "null");
  return orderedCall("nth_value", request, [value, literal(place, "int64")]);
}

function arrayOf(request: AggregateRequest): AggregateCall {
  checkOperands(request, 1);
  checkDistinctOrder(request);
  const [value = literal(null, "null")] = request.operands;
  return { ...orderedCall("array_agg", request, [value]), type: listOf(value.type) };
}

function textOf(request: AggregateRequest): AggregateCall {
  checkOperands(request, 2);
  const value = operandOf(request, 0, "string");
  const delimiter = constantValue(operandOf(request, 1, "string"));
  if (delimiter !== null && typeof delimiter !== "string") {
    throw planningError("string_agg needs a constant text as its delimiter");
  }
  checkDistinctOrder(request);
  const text = sameType(value.type, "string") ? value : explicitCast(value, "string", false);
  const key = ({ expression, ...rest }: (typeof request.orderBy)[number]) => ({
    // The engine orders distinct values by themselves alone.
    expression: request.distinct ? text : expression,
    ...rest,
  });
  const operands = [text, literal(delimiter ?? "", "string")];
  return orderedCall("string_agg", { ...request, orderBy: request.orderBy.map(key) }, operands);
}

/** Of equal values that are taken once, nothing but the value can say where it stands. */
function checkDistinctOrder({ operands, distinct, orderBy }: AggregateRequest): void {
  if (!distinct || orderBy.length === 0) return;
  const [value] = operands;
  if (orderBy.length === 1 && isDeepStrictEqual(orderBy[0]?.expression, value)) return;
  throw planningError(
    "In an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
  );
}

function ofBits(name: "bit_and" | "bit_or" | "bit_xor"): AggregateBuilder {
  return (request) => {
    checkOperands(request, 1);
    const operand = operandOf(request, 0, "int64");
    if (!isInteger(operand.type)) throw expected(request.name, "Integer", operand.type);
    return plainCall(name, request, operand);
  };
}

function ofTruth(name: "bool_and" | "bool_or"): AggregateBuilder {
  return (request) => {
    checkOperands(request, 1);
    const operand = operandOf(request, 0, "boolean");
    if (operand.type !== "boolean") throw expected(request.name, "Boolean", operand.type);
    return plainCall(name, request, operand);
  };
}

function distinctCount(request: AggregateRequest): AggregateCall {
  checkOperands(request, 1);
  return {
    name: "approx_distinct",
    arguments: [operandOf(request, 0, "int64")],
    distinct: false,
    type: "uint64",
  };
}

function grouping({ name, operands, distinct }: AggregateRequest): AggregateCall {
  if (operands.length === 0 || distinct) {
    throw planningError(`${name} needs expressions of GROUP BY as its arguments`);
  }
  return { name: "grouping", arguments: operands, distinct: false, type: "int32" };
}

/** A call whose result has the type of its argument, in whatever order rows come. */
function plainCall(
  name: AggregateFunction,
  { distinct }: AggregateRequest,
  operand: Expression,
): AggregateCall {
  return { name, arguments: [operand], distinct, type: operand.type };
}

function orderedCall(
  name: AggregateFunction,
  { distinct, orderBy, ignoreNulls }: AggregateRequest,
  operands: readonly Expression[],
): AggregateCall {
  return {
    name,
    arguments: operands,
    distinct,
    ...(orderBy.length === 0 ? {} : { orderBy }),
    ...(ignoreNulls ? { ignoreNulls } : {}),
    type: operands[0]?.type ?? "null",
  };
}
