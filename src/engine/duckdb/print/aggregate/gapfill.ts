/** Rows for bins that have none, as engine SQL. */
import type { Field, GapFill, GapFillPlan } from "#model/query/plan.ts";
import { isInteger, type ValueType } from "#model/query/value-type.ts";
import { printExpression } from "../expression.ts";
import { sqlType } from "../literal.ts";
import { inputNames } from "../names.ts";
import { orPlaceholder } from "../scan.ts";

/**
 * The input's rows are `r`, their series `s`, all rows that there should be `g`, and these with what is known of them `f`. Rows without
 * time come as they are, before the others of their series.
 */
export function printGapFill(plan: GapFillPlan, input: string): string {
  const { fields, time, series } = plan;
  const keys = series.map((index) => `c${index}`);
  const keyed = new Set([time, ...series]);
  const known = fields.map((_, index) => `${keyed.has(index) ? "g" : "r"}.c${index}`);
  const same = [...keyed].map((index) => `g.c${index} IS NOT DISTINCT FROM r.c${index}`);
  const columns = fields.map((_, index) => `c${index}`).join(", ");
  const parts = [
    `r AS MATERIALIZED (${input})`,
    `s AS (SELECT DISTINCT ${orPlaceholder(keys)} FROM r)`,
    `g AS (SELECT s.*, b.b AS c${time} FROM s, (${printBins(plan)}) b)`,
    `f AS (SELECT ${known.join(", ")} FROM g LEFT JOIN r ON ${same.join(" AND ")} UNION ALL SELECT ${columns} FROM r WHERE c${time} IS NULL)`,
  ];
  const results = fields.map((field, index) => {
    const fill = plan.fills.find((one) => one.field === index);
    return fill === undefined ? `c${index}` : `${printFill(plan, fill, field)} AS c${index}`;
  });
  const order = [...keys, `c${time}`].map((key) => `${key} ASC NULLS FIRST`);
  return `WITH ${parts.join(", ")} SELECT ${results.join(", ")} FROM f ORDER BY ${order.join(", ")}`;
}

function printBins({ bin, first, last, stride }: GapFillPlan): string {
  const end = `CAST(${last} AS BIGINT)`;
  const instants = `unnest(generate_series(CAST(${first} AS BIGINT), ${end}, CAST(${stride.nanoseconds} AS BIGINT)))`;
  if (bin === undefined) return `SELECT ${instants} AS b`;
  const printed = printExpression(
    bin,
    inputNames(() => "i.t"),
  );
  return `SELECT DISTINCT ${printed} AS b FROM (SELECT ${instants} AS t UNION ALL SELECT ${end}) i`;
}

function printFill(plan: GapFillPlan, { field, fill }: GapFill, { type }: Field): string {
  const value = `c${field}`;
  switch (fill) {
    case "zero":
      return `coalesce(${value}, CAST(0 AS ${sqlType(type)}))`;
    case "previous":
      return `last_value(${value} IGNORE NULLS) OVER (${printSeries(plan)} ROWS UNBOUNDED PRECEDING)`;
    case "linear":
      return printLinear(plan, value, type);
  }
}

/** The rows of a series by time; rows without time are apart. */
function printSeries({ time, series }: GapFillPlan): string {
  const keys = [...series.map((index) => `c${index}`), `c${time} IS NULL`];
  return `PARTITION BY ${keys.join(", ")} ORDER BY c${time}`;
}

function printLinear(plan: GapFillPlan, value: string, type: ValueType): string {
  if (typeof type === "string" || type.kind !== "struct") {
    return printOnLine(plan, value, type);
  }
  const [first] = type.members;
  const line = printOnLine(plan, `(${value}).f0`, first?.type ?? "null");
  const members = type.members.map((_, index) => `'f${index}': ${index === 0 ? line : "NULL"}`);
  return `CASE WHEN (${value}).f0 IS NULL THEN CAST({${members.join(", ")}} AS ${sqlType(type)}) ELSE ${value} END`;
}

/** `value`, or what the line between the points before and after it has there. */
function printOnLine(plan: GapFillPlan, value: string, type: ValueType): string {
  const time = `c${plan.time}`;
  const point = `CASE WHEN ${value} IS NOT NULL THEN {'t': ${time}, 'v': ${value}} END`;
  const series = printSeries(plan);
  const before = `last_value(${point} IGNORE NULLS) OVER (${series} ROWS UNBOUNDED PRECEDING)`;
  const after = `first_value(${point} IGNORE NULLS) OVER (${series} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`;
  const [v0, t0] = [`(${before}).v`, `(${before}).t`];
  const [v1, t1] = [`(${after}).v`, `(${after}).t`];
  const rise = isInteger(type)
    ? `CAST(CAST(${v1} AS HUGEINT) - ${v0} AS DOUBLE)`
    : `(${v1} - ${v0})`;
  const line = `${rise} / (${t1} - ${t0}) * (${time} - ${t0}) + ${v0}`;
  const fitting = isInteger(type) ? `trunc(${line})` : line;
  return `coalesce(${value}, CAST(${fitting} AS ${sqlType(type)}))`;
}
