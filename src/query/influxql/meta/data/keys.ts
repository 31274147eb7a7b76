/** SHOW TAG KEYS and SHOW FIELD KEYS. */
import { compareText } from "#base/bytes.ts";
import type { ShowStatement } from "../../ast.ts";
import { tableTypes } from "../../resolve/scope.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, limited, texts } from "../rows.ts";
import { both, isPresent, type SeriesConditionRules } from "./conditions.ts";
import { measurementsFrom, measurementsOfAll } from "./from.ts";
import { MetaData, type PolicyTable, type RowsAsked, shardTime, tagNames } from "./meta-data.ts";
import { whereAsked } from "./where.ts";

export type ShowKeys = Extract<ShowStatement, { what: "field_keys" | "series" | "tag_keys" }>;

const KEY_RULES: SeriesConditionRules = {
  swapped: "true",
  refusesOrder: true,
  ignoresOthers: true,
};

/** Rejects with `database_missing`, `database_not_found`, `influxql_refused`. */
export async function* tagKeyLists(
  statement: ShowKeys,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const database = databaseAsked(statement.database, context);
  using data = await MetaData.open(options, context);
  const measurements = await measurementsOfAll(data, database, statement.from);
  const asked = whereAsked(statement.where, data.nowNs, KEY_RULES);
  for (const { name, tables } of measurements) {
    const keys = await keysIn(data, tables, asked);
    const rows = limited(keys, statement).map((key) => [key]);
    if (rows.length > 0) yield { name, columns: texts("tagKey"), rows };
  }
}

/** The tags that series of the tables have, by name. */
async function keysIn(
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
    for (const [name, type] of tableTypes(table))
      if (type !== "tag") fields.set(name, fields.get(name) ?? type);
  return [...fields].toSorted(([left], [right]) => compareText(left, right));
}
