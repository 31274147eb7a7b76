/** Functions of many rows as engine SQL, with exactly the meaning that model/query/functions/aggregate.ts gives them. */
import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { AggregateFunction, RegressionAggregate } from "#model/query/functions/aggregate.ts";
import { isFloat } from "#model/query/value-type.ts";
import { printExpression } from "../expression.ts";
import { NAN, sqlType } from "../literal.ts";
import type { Names } from "../names.ts";
import { printOrder } from "../order.ts";
import { type AggregateText, type CallText, callText } from "./call-text.ts";
import { printAverage, printMedian } from "./middle.ts";
import { printApproximate, printPercentile, printWeighted } from "./percentile.ts";
import { SELECTORS } from "./selector.ts";

type AggregatePrinter = (call: CallText, type: AggregateCall["type"]) => string;

/** `over` is what makes it the call of a window, ` OVER (…)`. */
export function printAggregate(call: AggregateCall, names: Names, over = ""): string {
  const conditions = call.filter === undefined ? [] : [printExpression(call.filter, names)];
  const args = call.arguments.map((argument) => printExpression(argument, names));
  if (call.ignoreNulls === true) conditions.push(`${args[0]} IS NOT NULL`);
  const text: AggregateText = {
    args,
    distinct: call.distinct,
    order: printOrder(call.orderBy, names),
    conditions,
    over,
    unbounded: args.filter((_, index) => isUnbounded(call.arguments[index])),
  };
  return PRINTERS[call.name](callText(text), call.type);
}

function isUnbounded(argument: Expression | undefined): boolean {
  if (argument === undefined || !isFloat(argument.type)) return false;
  return (
    argument.kind !== "cast" || isFloat(argument.operand.type) || argument.operand.type === "string"
  );
}

const PRINTERS: Readonly<Record<AggregateFunction, AggregatePrinter>> = {
  count: printCount,
  sum: ({ apply }, type) => `CAST(${apply("sum")} AS ${sqlType(type)})`,
  avg: printAverage,
  min: named("min"),
  max: named("max"),
  median: printMedian,
  stddev: spread("stddev_samp"),
  stddev_population: spread("stddev_pop"),
  variance: spread("var_samp"),
  variance_population: spread("var_pop"),
  first_value: ({ applyOrdered }) => applyOrdered("first"),
  last_value: ({ applyOrdered }) => applyOrdered("last"),
  nth_value: ({ args: [value = "", place = ""], applyOrdered }) =>
    `(${applyOrdered("list", [value])})[${place}]`,
  array_agg: ({ applyOrdered }) => applyOrdered("list"),
  string_agg: ({ applyOrdered }) => applyOrdered("string_agg"),
  grouping: ({ apply }) => `CAST(${apply("grouping")} AS INTEGER)`,
  bit_and: named("bit_and"),
  bit_or: named("bit_or"),
  bit_xor: named("bit_xor"),
  bool_and: named("bool_and"),
  bool_or: named("bool_or"),
  // Where a side does not vary there is no answer; the engine would say NaN.
  correlation: ifVaried("corr", "regr_sxx", "regr_syy"),
  covariance: spread("covar_samp"),
  covariance_population: spread("covar_pop"),
  ...regressions(),
  // The engine's own estimates are off by a third of small counts.
  approx_distinct: ({ args, applyTo }) =>
    `CAST(${applyTo("count", [`DISTINCT ${args.join(", ")}`])} AS UBIGINT)`,
  percentile: printPercentile,
  approx_percentile: printApproximate,
  approx_percentile_weighted: printWeighted,
  ...SELECTORS,
};

/** An aggregate that the engine has under `name`. */
function named(name: string): AggregatePrinter {
  return ({ apply }) => apply(name);
}

function printCount({ args, apply }: CallText): string {
  if (args.length < 2) return apply("count", args.length === 0 ? ["*"] : args);
  const present = args.map((arg) => `${arg} IS NOT NULL`).join(" AND ");
  return apply("count", [`CASE WHEN ${present} THEN 1 END`]);
}

function regressions(): Record<RegressionAggregate, AggregatePrinter> {
  return {
    regression_average_x: named("regr_avgx"),
    regression_average_y: named("regr_avgy"),
    regression_count: ({ apply }) => `CAST(${apply("regr_count")} AS UBIGINT)`,
    regression_intercept: ifVaried("regr_intercept", "regr_sxx"),
    regression_r2: ifVaried("regr_r2", "regr_sxx", "regr_syy"),
    regression_slope: ifVaried("regr_slope", "regr_sxx"),
    regression_sxx: spread("regr_sxx"),
    regression_sxy: spread("regr_sxy"),
    regression_syy: spread("regr_syy"),
  };
}

function ifVaried(name: string, ...sums: readonly string[]): AggregatePrinter {
  return (call) =>
    orNaN(call, (finite) => {
      const conditions = sums.map((sum) => `${call.apply(sum, call.args, finite)} > 0`);
      return `CASE WHEN ${conditions.join(" AND ")} THEN ${call.apply(name, call.args, finite)} END`;
    });
}

/** How far values are from their mean, or two from each other's. */
function spread(name: string): AggregatePrinter {
  return (call) => orNaN(call, (finite) => call.apply(name, call.args, finite));
}

/** NaN where one of the values is NaN or an infinity, which is an error to the engine; else what `print` makes of the others. */
function orNaN(
  { args, applyTo, unbounded }: CallText,
  print: (finite: readonly string[]) => string,
): string {
  if (unbounded.length === 0) return print([]);
  const finite = unbounded.map((arg) => `isfinite(${arg})`);
  const present = args.map((arg) => `${arg} IS NOT NULL`);
  const other = applyTo("bool_or", [`NOT (${finite.join(" AND ")})`], present);
  return `CASE WHEN ${other} THEN ${NAN} ELSE ${print(finite)} END`;
}
