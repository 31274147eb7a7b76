import type { MeasurementMatch, MeasurementSource, ShowStatement, TagKeyMatch } from "../ast.ts";
import { parseMeasurement, parseMeasurements } from "./names.ts";
import { parseGroupBy, parseOrderBy, parseWhere } from "./select.ts";
import type { Cursor } from "./tokens/cursor.ts";
import { parseLimit, parseList, parseString } from "./values.ts";

/** SHOW MEASUREMENTS. */
export function parseShowMeasurements(cursor: Cursor): ShowStatement {
  const database = parseOn(cursor);
  const measurement = parseWithMeasurement(cursor);
  const where = parseWhere(cursor);
  parseOrderBy(cursor);
  return { kind: "show", what: "measurements", database, measurement, where, ...limits(cursor) };
}

function parseWithMeasurement(cursor: Cursor): MeasurementMatch | undefined {
  if (!cursor.accept("WITH")) return undefined;
  cursor.expect("MEASUREMENT");
  const token = cursor.next();
  if (token.kind !== "=" && token.kind !== "=~") throw cursor.unexpected(token, "=", "=~");
  return { operator: token.kind, source: parseMeasurement(cursor) };
}

/** SHOW SERIES, also of its cardinality. */
export function parseShowSeries(cursor: Cursor): ShowStatement {
  const exact = cursor.accept("EXACT");
  if (cursor.accept("CARDINALITY")) return parseCardinality(cursor, "series_cardinality", exact);
  const clauses = parseClauses(cursor);
  return { kind: "show", what: "series", ...clauses, seriesLimit: 0, seriesOffset: 0 };
}

/** What stands between ON and OFFSET. */
function parseClauses(cursor: Cursor) {
  const database = parseOn(cursor);
  const from = parseFrom(cursor);
  const where = parseWhere(cursor);
  parseOrderBy(cursor);
  return { database, from, where, ...limits(cursor) };
}

export function parseShowFieldKeys(cursor: Cursor): ShowStatement {
  const database = parseOn(cursor);
  const from = parseFrom(cursor);
  parseOrderBy(cursor);
  const clauses = { database, from, where: undefined, ...limits(cursor) };
  return { kind: "show", what: "field_keys", ...clauses, seriesLimit: 0, seriesOffset: 0 };
}

export function parseShowTagKeys(cursor: Cursor): ShowStatement {
  const clauses = parseClauses(cursor);
  const seriesLimit = parseLimit(cursor, "SLIMIT");
  const seriesOffset = parseLimit(cursor, "SOFFSET");
  return { kind: "show", what: "tag_keys", ...clauses, seriesLimit, seriesOffset };
}

type Cardinality =
  | "field_key_cardinality"
  | "measurement_cardinality"
  | "series_cardinality"
  | "tag_key_cardinality";

/** Behind MEASUREMENT, FIELD KEY or TAG KEY: `[EXACT] CARDINALITY …`. */
export function parseShowCardinality(cursor: Cursor, what: Cardinality): ShowStatement {
  const token = cursor.next();
  const exact = token.kind === "EXACT";
  if (exact) cursor.expect("CARDINALITY");
  else if (token.kind !== "CARDINALITY") throw cursor.unexpected(token, "EXACT", "CARDINALITY");
  return parseCardinality(cursor, what, exact);
}

function parseCardinality(cursor: Cursor, what: Cardinality, exact: boolean): ShowStatement {
  const database = parseOn(cursor);
  const from = parseFrom(cursor);
  const where = parseWhere(cursor);
  const groupBy = parseGroupBy(cursor);
  return { kind: "show", what, exact, database, from, where, groupBy, ...limits(cursor) };
}

/** SHOW TAG VALUES, also of their cardinality. */
export function parseShowTagValues(cursor: Cursor): ShowStatement {
  const exact = cursor.accept("EXACT");
  if (exact) cursor.expect("CARDINALITY");
  const counted = exact || cursor.accept("CARDINALITY");
  const database = parseOn(cursor);
  const from = parseFrom(cursor);
  cursor.expect("WITH", "KEY");
  const key = parseKeys(cursor);
  const where = parseWhere(cursor);
  if (counted) {
    const groupBy = parseGroupBy(cursor);
    const clauses = { database, from, where, groupBy, ...limits(cursor) };
    return { kind: "show", what: "tag_values_cardinality", exact, key, ...clauses };
  }
  parseOrderBy(cursor);
  return { kind: "show", what: "tag_values", key, database, from, where, ...limits(cursor) };
}

function parseKeys(cursor: Cursor): TagKeyMatch {
  const token = cursor.next();
  switch (token.kind) {
    case "=":
      return { kind: "equal", key: cursor.expectName() };
    case "!=":
      return { kind: "not_equal", key: cursor.expectName() };
    case "=~":
      return { kind: "match", pattern: expectRegex(cursor) };
    case "!~":
      return { kind: "no_match", pattern: expectRegex(cursor) };
    case "IN": {
      cursor.expect("(");
      const keys = parseList(cursor, (names) => names.expectName());
      cursor.expect(")");
      return { kind: "in", keys };
    }
    default:
      throw cursor.unexpected(token, "IN", "=", "=~");
  }
}

function expectRegex(cursor: Cursor): string {
  const pattern = cursor.findRegex();
  if (pattern === undefined) throw cursor.unexpected(cursor.next(), "regex");
  return pattern;
}

export function parseShowRetentionPolicies(cursor: Cursor): ShowStatement {
  return { kind: "show", what: "retention_policies", database: parseOn(cursor) };
}

/** Behind STATS or DIAGNOSTICS. */
export function parseShowModule(cursor: Cursor, what: "diagnostics" | "stats"): ShowStatement {
  return { kind: "show", what, module: cursor.accept("FOR") ? parseString(cursor) : undefined };
}

export function parseShowGrants(cursor: Cursor): ShowStatement {
  cursor.expect("FOR");
  return { kind: "show", what: "grants", user: cursor.expectName() };
}

function parseOn(cursor: Cursor): string | undefined {
  return cursor.accept("ON") ? cursor.expectName() : undefined;
}

function parseFrom(cursor: Cursor): readonly MeasurementSource[] {
  return cursor.accept("FROM") ? parseMeasurements(cursor) : [];
}

function limits(cursor: Cursor): { readonly limit: number; readonly offset: number } {
  const limit = parseLimit(cursor, "LIMIT");
  return { limit, offset: parseLimit(cursor, "OFFSET") };
}
