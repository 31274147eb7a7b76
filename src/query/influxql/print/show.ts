import type { MeasurementMatch, ShowStatement, TagKeyMatch } from "../ast.ts";
import { printExpression, printMeasurement, printPattern } from "./expression.ts";
import { quotedName, quotedText } from "./names.ts";
import { joined, printGroupBy, printLimits } from "./select.ts";

export function printShow(statement: ShowStatement): string {
  switch (statement.what) {
    case "diagnostics":
    case "stats":
      return joined(
        `SHOW ${wordsOf(statement.what)}`,
        statement.module === undefined ? undefined : `FOR ${quotedText(statement.module)}`,
      );
    case "grants":
      return `SHOW GRANTS FOR ${quotedName(statement.user)}`;
    case "retention_policies":
      return joined("SHOW RETENTION POLICIES", printOn(statement.database));
    default:
      return "limit" in statement ? printListing(statement) : `SHOW ${wordsOf(statement.what)}`;
  }
}

function printListing(statement: Extract<ShowStatement, { readonly limit: number }>): string {
  const [what = "", ...cardinality] = statement.what.split(/_(?=cardinality)/);
  const { database, where, limit, offset } = statement;
  const series = "seriesLimit" in statement ? statement : { seriesLimit: 0, seriesOffset: 0 };
  const from = "from" in statement ? statement.from : [];
  return joined(
    `SHOW ${wordsOf(what)}`,
    "exact" in statement && statement.exact ? "EXACT" : undefined,
    cardinality[0]?.toUpperCase(),
    printOn(database),
    from.length === 0 ? undefined : `FROM ${from.map(printMeasurement).join(", ")}`,
    "key" in statement ? `WITH KEY ${printKeys(statement.key)}` : undefined,
    statement.what === "measurements" ? printWith(statement.measurement) : undefined,
    where && `WHERE ${printExpression(where)}`,
    "groupBy" in statement ? printGroupBy(statement.groupBy) : undefined,
    printLimits({
      limit,
      offset,
      seriesLimit: series.seriesLimit,
      seriesOffset: series.seriesOffset,
    }),
  );
}

function wordsOf(what: string): string {
  return what.toUpperCase().replaceAll("_", " ");
}

function printOn(database: string | undefined): string | undefined {
  return database === undefined ? undefined : `ON ${quotedName(database)}`;
}

function printWith(measurement: MeasurementMatch | undefined): string | undefined {
  if (measurement === undefined) return undefined;
  return `WITH MEASUREMENT ${measurement.operator} ${printMeasurement(measurement.source)}`;
}

function printKeys(keys: TagKeyMatch): string {
  switch (keys.kind) {
    case "equal":
      return `= ${quotedName(keys.key)}`;
    case "not_equal":
      return `!= ${quotedName(keys.key)}`;
    case "match":
      return `=~ ${printPattern(keys.pattern)}`;
    case "no_match":
      return `!~ ${printPattern(keys.pattern)}`;
    case "in":
      return `IN (${keys.keys.map(quotedName).join(", ")})`;
  }
}
