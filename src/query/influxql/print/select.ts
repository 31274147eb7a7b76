import type { Dimension, Fill, MeasurementTarget, SelectStatement, Source } from "../ast.ts";
import { printExpression, printMeasurement, printPath } from "./expression.ts";
import { quotedName, quotedText } from "./names.ts";
import { plainNumber } from "./numbers.ts";

/** A SELECT as 1.x writes it. */
export function printSelect(select: SelectStatement): string {
  const fields = select.fields.map(({ expression, alias }) =>
    alias === undefined
      ? printExpression(expression)
      : `${printExpression(expression)} AS ${quotedName(alias)}`,
  );
  const { limit, offset, seriesLimit, seriesOffset, zone } = select;
  return joined(
    `SELECT ${fields.join(", ")}`,
    select.into && `INTO ${printTarget(select.into)}`,
    `FROM ${select.from.map(printSource).join(", ")}`,
    select.where && `WHERE ${printExpression(select.where)}`,
    printGroupBy(select.groupBy),
    printFill(select.fill),
    select.descending ? "ORDER BY time DESC" : undefined,
    printLimits({ limit, offset, seriesLimit, seriesOffset }),
    zone === undefined ? undefined : `TZ(${quotedText(zone)})`,
  );
}

/** What there is of `parts`, with blanks between them. */
export function joined(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

function printTarget({ database, retentionPolicy, measurement }: MeasurementTarget): string {
  const name = measurement === undefined ? ":MEASUREMENT" : quotedName(measurement);
  return printPath(database, retentionPolicy) + name;
}

function printSource(source: Source): string {
  return source.kind === "subquery" ? `(${printSelect(source.select)})` : printMeasurement(source);
}

export function printGroupBy(dimensions: readonly Dimension[]): string | undefined {
  if (dimensions.length === 0) return undefined;
  return `GROUP BY ${dimensions.map(({ expression }) => printExpression(expression)).join(", ")}`;
}

function printFill(fill: Fill): string | undefined {
  if (fill.kind === "null") return undefined;
  if (fill.kind !== "number") return `fill(${fill.kind})`;
  const digits = plainNumber(fill.value);
  return `fill(${fill.integer || digits.includes(".") ? digits : `${digits}.0`})`;
}

/** LIMIT and its like, of those that are said. */
export function printLimits(limits: {
  readonly limit: number;
  readonly offset: number;
  readonly seriesLimit: number;
  readonly seriesOffset: number;
}): string {
  return joined(
    limits.limit > 0 ? `LIMIT ${limits.limit}` : undefined,
    limits.offset > 0 ? `OFFSET ${limits.offset}` : undefined,
    limits.seriesLimit > 0 ? `SLIMIT ${limits.seriesLimit}` : undefined,
    limits.seriesOffset > 0 ? `SOFFSET ${limits.seriesOffset}` : undefined,
  );
}
