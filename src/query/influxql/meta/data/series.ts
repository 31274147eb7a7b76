/** SHOW SERIES. */
import { compareText } from "#base/bytes.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, texts } from "../rows.ts";
import type { SeriesConditionRules } from "./conditions.ts";
import { measurementsFrom, measurementsOfAll, requireSources } from "./from.ts";
import type { ShowKeys } from "./keys.ts";
import {
  type Measurement,
  MetaData,
  type PolicyTable,
  type RowsAsked,
  shardTime,
  tagNames,
  tooMany,
} from "./meta-data.ts";
import { whereAsked } from "./where.ts";

const SERIES_RULES: SeriesConditionRules = {
  swapped: "same",
  refusesOrder: true,
  ignoresOthers: true,
};

/** Of one measurement: they are sorted in memory. */
export const SERIES_COUNT_MAX = 1_000_000;

/** Rejects with `database_missing`, `database_not_found`, `policy_not_found`, `influxql_refused`, `exceeded` / `show_limit`. */
export async function* seriesLists(
  statement: ShowKeys,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const database = databaseAsked(statement.database, context);
  using data = await MetaData.open(options, context);
  const asked = whereAsked(statement.where, data.nowNs, SERIES_RULES);
  const { from } = statement;
  const { retentionPolicy } = context;
  requireSources(data, from, { database, retentionPolicy });
  const only = asked.hasTime ? undefined : onlyDatabase(from, database);
  const measurements =
    only === undefined
      ? await measurementsFrom(data, from, { database, retentionPolicy })
      : await measurementsOfAll(data, only, from);
  yield* limitedLists(keysOf(data, measurements, asked), statement);
}

/** Without a time InfluxDB 1 asks the index of a database, which is one for all policies; undefined where FROM names several databases. */
function onlyDatabase(from: ShowKeys["from"], database: string): string | undefined {
  const databases = new Set(from.map((source) => source.database || database));
  const [only] = databases.size === 0 ? [database] : databases;
  return databases.size > 1 ? undefined : only;
}

/** The keys of series, measurement by measurement. */
async function* keysOf(
  data: MetaData,
  measurements: readonly Measurement[],
  asked: RowsAsked,
): AsyncGenerator<readonly string[]> {
  for (const { tables } of measurements) {
    const keys = new Set<string>();
    for (const table of tables) {
      const time = shardTime(table.policy, asked.time);
      for await (const key of tableKeys(data, table, { ...asked, time })) keys.add(key);
    }
    yield [...keys].toSorted(compareText);
  }
}

/** The keys of the series of one table, each once. Rejects with `exceeded` / `show_limit`. */
export async function* tableKeys(
  data: MetaData,
  table: PolicyTable,
  asked: RowsAsked,
): AsyncGenerator<string> {
  const tags = tagNames(table.table);
  const head = escaped(table.table.name, /[ ,]/g);
  const names = tags.map((tag) => escaped(tag, /[ ,=]/g));
  let count = 0;
  for await (const values of data.tagRows(table, tags, asked)) {
    count += 1;
    if (count > SERIES_COUNT_MAX) throw tooMany("series", SERIES_COUNT_MAX);
    let key = head;
    for (const [index, value] of values.entries())
      if (value !== "") key += `,${names[index]}=${escaped(value, /[ ,=]/g)}`;
    yield key;
  }
}

/** All keys are one list, measurement by measurement; LIMIT and OFFSET are of all of them. */
async function* limitedLists(
  keys: AsyncIterable<readonly string[]>,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): AsyncGenerator<List> {
  let skipped = 0;
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  let last: List | undefined;
  for await (const part of keys) {
    const start = Math.min(part.length, offset - skipped);
    skipped += start;
    const shown = part.slice(start, Math.min(part.length, start + left));
    left -= shown.length;
    if (shown.length > 0) {
      if (last !== undefined) yield { ...last, partial: true };
      last = { name: "", columns: texts("key"), rows: shown.map((key) => [key]) };
    }
    if (left === 0) break;
  }
  if (last !== undefined) yield last;
}

function escaped(text: string, signs: RegExp): string {
  return text.replace(signs, "\\$&");
}
