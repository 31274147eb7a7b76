/** Functions of many rows as engine SQL. */
import type { AggregateCall, SortKey } from "#model/query/expression.ts";
import { printError } from "./cast.ts";
import { printExpression } from "./expression.ts";
import type { Names } from "./names.ts";

const LIMITS = {
  int64: { least: -(2n ** 63n), greatest: 2n ** 63n - 1n, type: "BIGINT" },
  uint64: { least: 0n, greatest: 2n ** 64n - 1n, type: "UBIGINT" },
} as const;

const NAMES = {
  avg: "avg",
  min: "min",
  max: "max",
  stddev: "stddev_samp",
  stddev_population: "stddev_pop",
  variance: "var_samp",
  variance_population: "var_pop",
} as const;

/** Just above a half: of an even number of values, the discrete quantile is then the upper of the two middle ones. */
const MIDDLE = "[CAST(0.5 AS DOUBLE), CAST(0.5000000001 AS DOUBLE)]";

export function printAggregate(call: AggregateCall, names: Names): string {
  const printed = call.arguments.map((argument) => printExpression(argument, names));
  const args = `${call.distinct ? "DISTINCT " : ""}${printed.join(", ")}`;
  const filter =
    call.filter === undefined ? "" : ` FILTER (WHERE ${printExpression(call.filter, names)})`;
  const apply = (name: string, rest = "") => `${name}(${args}${rest})${filter}`;
  switch (call.name) {
    case "count":
      return printed.length === 0 ? `count(*)${filter}` : apply("count");
    case "sum":
      return printSum(apply("sum"), call.type);
    case "median":
      return printMedian(apply("quantile_disc", `, ${MIDDLE}`), call.type);
    case "first_value":
      return apply("first", printOrder(call.orderBy, names));
    case "last_value":
      return apply("last", printOrder(call.orderBy, names));
    case "array_agg":
      return apply("list", printOrder(call.orderBy, names));
    case "string_agg":
      return apply("string_agg", printOrder(call.orderBy, names));
    case "grouping":
      return `CAST(${apply("grouping")} AS INTEGER)`;
    default:
      return apply(NAMES[call.name]);
  }
}

/** ` ORDER BY …`, or nothing. */
export function printOrder(keys: readonly SortKey[] | undefined, names: Names): string {
  // A literal orders nothing; the engine would take some for the place of a column.
  const effective = (keys ?? []).filter(({ expression }) => expression.kind !== "literal");
  if (effective.length === 0) return "";
  const printed = effective.map(({ expression, descending, nullsFirst }) => {
    const direction = `${descending ? "DESC" : "ASC"} NULLS ${nullsFirst ? "FIRST" : "LAST"}`;
    return `${printExpression(expression, names)} ${direction}`;
  });
  return ` ORDER BY ${printed.join(", ")}`;
}

/** Sums of whole numbers are 128 bits wide in the engine. */
function printSum(sum: string, type: AggregateCall["type"]): string {
  if (type !== "int64" && type !== "uint64") return sum;
  const limits = LIMITS[type];
  const fits = `${sum} BETWEEN ${limits.least} AND ${limits.greatest}`;
  return `CASE WHEN NOT ${fits} THEN ${printError("number_overflow")} ELSE CAST(${sum} AS ${limits.type}) END`;
}

function printMedian(middle: string, type: AggregateCall["type"]): string {
  const [low, high] = [`(${middle})[1]`, `(${middle})[2]`];
  if (type === "float64") {
    return `CASE WHEN ${low} = ${high} THEN ${low} ELSE ${low} / 2 + ${high} / 2 END`;
  }
  const whole = type === "uint64" ? "UBIGINT" : "BIGINT";
  return `CAST((CAST(${low} AS HUGEINT) + CAST(${high} AS HUGEINT)) // 2 AS ${whole})`;
}
