/** SHOW TAG VALUES. */

import { compareText } from "#base/bytes.ts";
import type { ShowStatement, TagKeyMatch } from "../../ast.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, limited, texts } from "../rows.ts";
import type { SeriesConditionRules } from "./conditions.ts";
import { measurementsOfAll } from "./from.ts";
import {
  MetaData,
  type PolicyTable,
  type RowsAsked,
  shardTime,
  tagNames,
  tooMany,
} from "./meta-data.ts";
import { whereAsked } from "./where.ts";

const VALUE_RULES: SeriesConditionRules = {
  swapped: "refused",
  refusesOrder: true,
  ignoresOthers: true,
};

/** Of one measurement: they are sorted in memory. */
const VALUE_COUNT_MAX = 2_000_000;

/** Rejects with `database_missing`, `database_not_found`, `influxql_refused`, `exceeded` / `show_limit`. */
export async function* tagValueLists(
  statement: Extract<ShowStatement, { what: "tag_values" }>,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const database = databaseAsked(statement.database, context);
  using data = await MetaData.open(options, context);
  const measurements = await measurementsOfAll(data, database, statement.from);
  const asked = whereAsked(statement.where, data.nowNs, VALUE_RULES);
  for (const { name, tables } of measurements) {
    const rows: (readonly [string, string])[] = [];
    for (const key of await keysMeant(data, tables, statement.key))
      for (const value of await valuesOf(
        data,
        { tables, key, asked },
        VALUE_COUNT_MAX - rows.length,
      ))
        rows.push([key, value]);
    const shown = limited(rows, statement);
    if (shown.length > 0) yield { name, columns: texts("key", "value"), rows: shown };
  }
}

/** The tags that `match` means, by name. */
export async function keysMeant(
  data: MetaData,
  tables: readonly PolicyTable[],
  match: TagKeyMatch,
): Promise<readonly string[]> {
  const keys = [...new Set(tables.flatMap(({ table }) => tagNames(table)))].toSorted(compareText);
  switch (match.kind) {
    case "equal":
      return keys.filter((key) => key === match.key);
    case "not_equal":
      return keys.filter((key) => key !== match.key);
    case "in":
      return keys.filter((key) => match.keys.includes(key));
    case "match":
    case "no_match": {
      const found = await data.namesOf({ kind: "regex", pattern: match.pattern }, keys);
      return keys.filter((key) => found.has(key) === (match.kind === "match"));
    }
  }
}

/** The values of a tag in all of `tables`, sorted. */
async function valuesOf(
  data: MetaData,
  { asked, key, tables }: { tables: readonly PolicyTable[]; key: string; asked: RowsAsked },
  countMax: number,
): Promise<readonly string[]> {
  const values = new Set<string>();
  for (const table of tables) {
    const time = shardTime(table.policy, asked.time);
    if (!tagNames(table.table).includes(key)) continue;
    for await (const [value = ""] of data.tagRows(table, [key], { ...asked, time })) {
      if (value !== "") values.add(value);
      if (values.size > countMax) throw tooMany("values of tags", VALUE_COUNT_MAX);
    }
  }
  return [...values].toSorted(compareText);
}
