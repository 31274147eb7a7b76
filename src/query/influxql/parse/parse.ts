import type { DeletingStatement, InfluxQlStatement, MeasurementSource } from "../ast.ts";
import { parseCreateContinuousQuery } from "./continuous.ts";
import {
  parseAlterPolicy,
  parseCreateDatabase,
  parseCreatePolicy,
  parseCreateSubscription,
  parseNameOn,
  parseSubscription,
} from "./databases.ts";
import { parseMeasurements } from "./names.ts";
import { parseSelect, parseWhere } from "./select.ts";
import {
  parseShowCardinality,
  parseShowFieldKeys,
  parseShowGrants,
  parseShowMeasurements,
  parseShowModule,
  parseShowRetentionPolicies,
  parseShowSeries,
  parseShowTagKeys,
  parseShowTagValues,
} from "./show.ts";
import { Cursor, type Dialect } from "./tokens/cursor.ts";
import { tooLong } from "./tokens/errors.ts";
import type { BoundParameters } from "./tokens/parameters.ts";
import { parseCreateUser, parsePrivileges, parseSetPassword } from "./users.ts";
import { parseIdentifier } from "./values.ts";

/** UTF-16 units of a request. */
export const INFLUXQL_LENGTH_MAX = 1024 * 1024;

export interface ParsedStatement {
  readonly statement: InfluxQlStatement;
  /** As it was written, without the semicolon. */
  readonly text: string;
}

/**
 * Parses all statements of a request, with semicolons between them; empty ones are left out. One mistake fails all of them. Places are
 * those of the text without blanks around it.
 *
 * Throws DbError `invalid` / `influxql_syntax` with the text that 1.x has for it, from `error parsing query: ` on; `exceeded` /
 * `influxql_too_long`, `influxql_too_deep` or `influxql_too_complex`.
 */
export function parseInfluxQl(
  text: string,
  parameters: BoundParameters = new Map(),
  dialect: Dialect = "1",
): readonly ParsedStatement[] {
  if (text.length > INFLUXQL_LENGTH_MAX) throw tooLong(text.length, INFLUXQL_LENGTH_MAX);
  const cursor = new Cursor(text.trim(), parameters, dialect);
  const statements: ParsedStatement[] = [];
  let separated = true;
  for (;;) {
    const token = cursor.next();
    if (token.kind === "end") return statements;
    if (token.kind === ";") {
      separated = true;
      continue;
    }
    if (!separated) throw cursor.unexpected(token, ";");
    cursor.countPart();
    cursor.back();
    const statement = branch(cursor, STATEMENTS);
    const { at } = cursor.next();
    cursor.back();
    statements.push({ statement, text: cursor.textBetween(token.at, at) });
    separated = false;
  }
}

/** What may come next, in the order in which errors list it: how to go on, or what may come then. */
type Branches = ReadonlyMap<string, Branch>;
type Branch = ((cursor: Cursor) => InfluxQlStatement) | Branches;

function branch(cursor: Cursor, branches: Branches): InfluxQlStatement {
  const token = cursor.next();
  const found = branches.get(token.kind);
  if (found === undefined) throw cursor.unexpected(token, ...branches.keys());
  return typeof found === "function" ? found(cursor) : branch(cursor, found);
}

const SHOW: Branches = new Map<string, Branch>([
  ["CONTINUOUS", new Map([["QUERIES", () => ({ kind: "show", what: "continuous_queries" })]])],
  ["DATABASES", () => ({ kind: "show", what: "databases" })],
  ["DIAGNOSTICS", (cursor) => parseShowModule(cursor, "diagnostics")],
  [
    "FIELD",
    new Map([
      ["KEY", (cursor: Cursor) => parseShowCardinality(cursor, "field_key_cardinality")],
      ["KEYS", parseShowFieldKeys],
    ]),
  ],
  ["GRANTS", parseShowGrants],
  ["MEASUREMENT", (cursor) => parseShowCardinality(cursor, "measurement_cardinality")],
  ["MEASUREMENTS", parseShowMeasurements],
  ["QUERIES", () => ({ kind: "show", what: "queries" })],
  ["RETENTION", new Map([["POLICIES", parseShowRetentionPolicies]])],
  ["SERIES", parseShowSeries],
  ["SHARD", new Map([["GROUPS", () => ({ kind: "show", what: "shard_groups" })]])],
  ["SHARDS", () => ({ kind: "show", what: "shards" })],
  ["STATS", (cursor) => parseShowModule(cursor, "stats")],
  ["SUBSCRIPTIONS", () => ({ kind: "show", what: "subscriptions" })],
  [
    "TAG",
    new Map([
      ["KEY", (cursor: Cursor) => parseShowCardinality(cursor, "tag_key_cardinality")],
      ["KEYS", parseShowTagKeys],
      ["VALUES", parseShowTagValues],
    ]),
  ],
  ["USERS", () => ({ kind: "show", what: "users" })],
]);

const CREATE: Branches = new Map<string, Branch>([
  ["CONTINUOUS", new Map([["QUERY", parseCreateContinuousQuery]])],
  ["DATABASE", parseCreateDatabase],
  ["USER", parseCreateUser],
  ["RETENTION", new Map([["POLICY", parseCreatePolicy]])],
  ["SUBSCRIPTION", parseCreateSubscription],
]);

const DROP: Branches = new Map<string, Branch>([
  ["CONTINUOUS", new Map([["QUERY", dropOn("drop_continuous_query")]])],
  ["DATABASE", (cursor) => ({ kind: "drop_database", name: cursor.expectName() })],
  ["MEASUREMENT", (cursor) => ({ kind: "drop_measurement", name: cursor.expectName() })],
  ["RETENTION", new Map([["POLICY", dropOn("drop_retention_policy")]])],
  ["SERIES", (cursor) => parseDelete(cursor, "drop_series")],
  ["SHARD", (cursor) => ({ kind: "drop_shard", id: parseIdentifier(cursor) })],
  ["SUBSCRIPTION", (cursor) => ({ kind: "drop_subscription", ...parseSubscription(cursor) })],
  ["USER", (cursor) => ({ kind: "drop_user", name: cursor.expectName() })],
]);

const STATEMENTS: Branches = new Map<string, Branch>([
  ["SELECT", (cursor) => parseSelect(cursor, "optional")],
  ["DELETE", (cursor) => parseDelete(cursor, "delete")],
  ["SHOW", SHOW],
  ["CREATE", CREATE],
  ["DROP", DROP],
  ["EXPLAIN", parseExplain],
  ["GRANT", (cursor) => parsePrivileges(cursor, "grant")],
  ["REVOKE", (cursor) => parsePrivileges(cursor, "revoke")],
  ["ALTER", new Map([["RETENTION", new Map([["POLICY", parseAlterPolicy]])]])],
  ["SET", parseSetPassword],
  ["KILL", new Map([["QUERY", parseKill]])],
]);

function dropOn(kind: "drop_continuous_query" | "drop_retention_policy") {
  return (cursor: Cursor): InfluxQlStatement => ({ kind, ...parseNameOn(cursor) });
}

function parseExplain(cursor: Cursor): InfluxQlStatement {
  const analyze = cursor.accept("ANALYZE");
  cursor.expect("SELECT");
  return { kind: "explain", analyze, select: parseSelect(cursor, "optional") };
}

function parseKill(cursor: Cursor): InfluxQlStatement {
  const id = parseIdentifier(cursor);
  return { kind: "kill_query", id, host: cursor.accept("ON") ? cursor.expectName() : undefined };
}

/** Behind DELETE or DROP SERIES: FROM, WHERE or both. */
function parseDelete(cursor: Cursor, kind: "delete" | "drop_series"): DeletingStatement {
  const token = cursor.next();
  if (token.kind !== "FROM" && token.kind !== "WHERE") {
    throw cursor.unexpected(token, "FROM", "WHERE");
  }
  if (token.kind === "WHERE") cursor.back();
  const from = token.kind === "FROM" ? parseMeasurements(cursor) : [];
  const { database, retentionPolicy } = from.findLast(hasPath) ?? {};
  if (retentionPolicy) throw cursor.errorAt("retention policy not supported", { at: 0 });
  if (database) throw cursor.errorAt("database not supported", { at: 0 });
  return { kind, from, where: parseWhere(cursor) };
}

function hasPath({ database, retentionPolicy }: MeasurementSource): boolean {
  return Boolean(database) || Boolean(retentionPolicy);
}
