/** SHOW TAG KEYS and SHOW FIELD KEYS. */
import { compareText } from "#base/text-order.ts";
import { type Policy, requirePolicies, requirePolicy } from "#catalog/v1/policies.ts";
import type { ColumnKind } from "#model/schema.ts";
import type { MeasurementSource, ShowStatement } from "../../ast.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, limited, texts } from "../rows.ts";
import { both, isPresent, type SeriesConditionRules } from "./conditions.ts";
import {
  type Measurement,
  MetaData,
  type PolicyTable,
  type RowsAsked,
  shardTime,
  tagNames,
} from "./meta-data.ts";
import { whereAsked } from "./where.ts";

export type ShowKeys = Extract<ShowStatement, { what: "field_keys" | "series" | "tag_keys" }>;

export const KEY_RULES: SeriesConditionRules = {
  swapped: "true",
  refusesOrder: true,
  ignoresOthers: true,
};

const FIELD_TYPES: Readonly<Partial<Record<ColumnKind, string>>> = {
  float: "float",
  integer: "integer",
  uinteger: "unsigned",
  boolean: "boolean",
  string: "string",
};

/** Rejects with `database_missing`, `database_not_found`, `influxql_refused`. */
export async function* tagKeyLists(
  statement: ShowKeys,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const database = databaseAsked(statement.database, context);
  using data = await MetaData.open(options, context);
  const policies = requirePolicies(data.view.catalog, database);
  const asked = whereAsked(statement.where, data.nowNs, KEY_RULES);
  const all = await data.measurements(policies);
  for (const { name, tables } of await data.matching(all, namesIn(statement.from))) {
    const keys = await keysIn(data, tables, asked);
    const rows = limited(keys, statement).map((key) => [key]);
    if (rows.length > 0) yield { name, columns: texts("tagKey"), rows };
  }
}

/** The tags that series of the tables have, by name. */
export async function keysIn(
  data: MetaData,
  tables: readonly PolicyTable[],
  asked: RowsAsked,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const table of tables) {
    const time = shardTime(table.policy, asked.time);
    const missing = tagNames(table.table).filter((key) => !found.has(key));
    for (const key of await presentKeys(data, table, missing, { ...asked, time })) found.add(key);
  }
  return [...found].toSorted(compareText);
}

/** Those of `keys` that some row has. Mostly there is a row that has all of them, and one question does. */
async function presentKeys(
  data: MetaData,
  table: PolicyTable,
  keys: readonly string[],
  { condition, time }: RowsAsked,
): Promise<readonly string[]> {
  const hasAll = (some: readonly string[]) =>
    data.hasRows(table, { time, condition: both(condition, ...some.map(isPresent)) });
  if (keys.length === 0 || (await hasAll(keys))) return keys;
  if (keys.length === 1) return [];
  const present: string[] = [];
  for (const key of keys) if (await hasAll([key])) present.push(key);
  return present;
}

/** Rejects with `database_missing`, `database_not_found`, `policy_not_found`. */
export async function* fieldKeyLists(
  statement: ShowKeys,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const database = databaseAsked(statement.database, context);
  using data = await MetaData.open(options, context);
  const { retentionPolicy } = context;
  const defaults = { database, retentionPolicy };
  for (const { name, tables } of await measurementsFrom(data, statement.from, defaults)) {
    const rows = limited(fieldsOf(tables), statement);
    if (rows.length > 0) yield { name, columns: texts("fieldKey", "fieldType"), rows };
  }
}

/** Names and types of the fields, by name. */
export function fieldsOf(tables: readonly PolicyTable[]): readonly (readonly [string, string])[] {
  const fields = new Map<string, string>();
  for (const { table } of tables)
    for (const { kind, name } of table.columns) {
      const type = FIELD_TYPES[kind];
      if (type !== undefined) fields.set(name, fields.get(name) ?? type);
    }
  return [...fields].toSorted(([left], [right]) => compareText(left, right));
}

/** Where measurements are of which FROM says no more than the name. */
interface SourceDefaults {
  readonly database: string;
  readonly retentionPolicy: string | undefined;
}

/**
 * What FROM names, each source in its own policy or that of the request; without FROM all of that. By name. Throws `database_not_found`,
 * `policy_not_found`.
 */
export async function measurementsFrom(
  data: MetaData,
  from: readonly MeasurementSource[],
  { database, retentionPolicy }: SourceDefaults,
): Promise<readonly Measurement[]> {
  const { catalog } = data.view;
  const found = new Map<string, Map<PolicyTable["table"]["id"], PolicyTable>>();
  const add = ({ name, tables }: Measurement) => {
    const known = found.get(name) ?? new Map();
    for (const table of tables) known.set(table.table.id, table);
    found.set(name, known);
  };
  const of = async (policy: Policy) => data.measurements([policy]);
  if (from.length === 0) return of(requirePolicy(catalog, database, retentionPolicy));
  for (const source of from) {
    const named = source.retentionPolicy || retentionPolicy;
    const policy = requirePolicy(catalog, source.database || database, named);
    (await data.matching(await of(policy), [source.name])).forEach(add);
  }
  return [...found]
    .map(([name, tables]) => ({ name, tables: [...tables.values()] }))
    .toSorted((left, right) => compareText(left.name, right.name));
}

/** Where InfluxDB 1 looks at all policies of the database, whatever FROM says of them. */
export function namesIn(from: readonly MeasurementSource[]) {
  return from.map(({ name }) => name);
}
