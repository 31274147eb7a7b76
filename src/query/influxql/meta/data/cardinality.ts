/** SHOW … CARDINALITY: counts of what is there, whether they are asked for as exact or not. */

import { compareText } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Dimension, ShowStatement } from "../../ast.ts";
import { refused } from "../../check/errors.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, numbers } from "../rows.ts";
import { namesTime, type SeriesConditionRules } from "./conditions.ts";
import { measurementsFrom } from "./from.ts";
import { fieldsOf } from "./keys.ts";
import {
  ALL_ROWS,
  type Measurement,
  MetaData,
  type PolicyTable,
  type RowsAsked,
  tagNames,
  tooMany,
} from "./meta-data.ts";
import { SERIES_COUNT_MAX, tableKeys } from "./series.ts";
import { keysMeant } from "./values.ts";
import { whereAsked } from "./where.ts";

type Cardinality = Extract<
  ShowStatement,
  {
    what:
      | "field_key_cardinality"
      | "measurement_cardinality"
      | "series_cardinality"
      | "tag_key_cardinality"
      | "tag_values_cardinality";
  }
>;

const COUNT_RULES: SeriesConditionRules = {
  swapped: "same",
  refusesOrder: false,
  ignoresOthers: false,
};

/** As InfluxDB 1 calls them when it refuses one. */
const NAMES: Readonly<Record<Exclude<Cardinality["what"], "tag_values_cardinality">, string>> = {
  field_key_cardinality: "SHOW FIELD KEY CARDINALITY",
  measurement_cardinality: "SHOW MEASUREMENT EXACT CARDINALITY",
  series_cardinality: "SHOW SERIES EXACT CARDINALITY",
  tag_key_cardinality: "SHOW TAG KEY EXACT CARDINALITY",
};

/** Rejects with `database_missing`, `database_not_found`, `policy_not_found`, `influxql_refused`, `exceeded` / `show_limit`. */
export async function* cardinalityLists(
  statement: Cardinality,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const database = databaseAsked(statement.database, context);
  refuseTime(statement);
  using data = await MetaData.open(options, context);
  if (isOfWhole(statement)) {
    yield { ...(await wholeCount(data, database, statement.what)), name: "" };
    return;
  }
  const asked = whereAsked(statement.where, data.nowNs, COUNT_RULES);
  const measurements = await measurementsFrom(data, statement.from, {
    database,
    retentionPolicy: context.retentionPolicy,
  });
  const dimensions = await dimensionsOf(data, statement.groupBy, measurements);
  // Each list has one row.
  if (statement.offset > 0) return;
  const counting = new Counting(data, statement, { asked, dimensions });
  if (statement.what === "measurement_cardinality") {
    for (const measurement of measurements) await counting.add(measurement);
    yield* counting.lists("");
    return;
  }
  for (const measurement of measurements) {
    await counting.add(measurement);
    yield* counting.lists(measurement.name);
    counting.clear();
  }
}

/** Of tags' values alone InfluxDB 1 counts by time. */
function refuseTime({ what, where }: Cardinality): void {
  if (what === "tag_values_cardinality" || !namesTime(where)) return;
  throw refused(`${NAMES[what]} doesn't support time in WHERE clause`);
}

/** What InfluxDB 1 answers of its index: of all policies, and of a database that is not there. */
function isOfWhole({ exact, from, groupBy, limit, offset, what, where }: Cardinality): boolean {
  if (what !== "series_cardinality" && what !== "measurement_cardinality") return false;
  const isPlain = from.length === 0 && groupBy.length === 0 && where === undefined;
  return !exact && isPlain && limit === 0 && offset === 0;
}

async function wholeCount(
  data: MetaData,
  database: string,
  what: Cardinality["what"],
): Promise<Omit<List, "name">> {
  const measurements = await data.measurements(data.policiesOf(database) ?? []);
  let count = 0;
  for (const { tables } of measurements)
    count += what === "measurement_cardinality" ? 1 : await seriesCount(data, tables);
  return { columns: numbers("cardinality estimation"), rows: [[BigInt(count)]] };
}

async function seriesCount(data: MetaData, tables: readonly PolicyTable[]): Promise<number> {
  const keys = new Set<string>();
  for (const table of tables)
    for await (const key of tableKeys(data, table, ALL_ROWS)) keys.add(key);
  return keys.size;
}

/** GROUP BY: names of tags. Throws `unsupported` / `show_group`. */
async function dimensionsOf(
  data: MetaData,
  groupBy: readonly Dimension[],
  measurements: readonly Measurement[],
): Promise<readonly string[]> {
  const tables = measurements.flatMap((measurement) => measurement.tables);
  const keys = [...new Set(tables.flatMap(({ table }) => tagNames(table)))];
  const names = new Set<string>();
  for (const { expression } of groupBy) {
    if (expression.kind === "variable") names.add(expression.name);
    else if (expression.kind === "wildcard") for (const key of keys) names.add(key);
    else if (expression.kind === "regex") {
      const match = { kind: "regex", pattern: expression.pattern } as const;
      for (const key of await data.namesOf(match, keys)) names.add(key);
    } else {
      throw new DbError(
        "unsupported",
        "show_group",
        "what SHOW counts is grouped by tags alone: GROUP BY a tag, * or a regular expression",
      );
    }
  }
  return [...names].toSorted(compareText);
}

interface Group {
  /** Values of the dimensions. */
  readonly values: readonly string[];
  readonly things: Set<string>;
}

interface CountingRows {
  readonly asked: RowsAsked;
  readonly dimensions: readonly string[];
}

/** Different things in each group. */
class Counting {
  readonly #data: MetaData;
  readonly #statement: Cardinality;
  readonly #rows: CountingRows;
  readonly #groups = new Map<string, Group>();
  #count = 0;

  constructor(data: MetaData, statement: Cardinality, rows: CountingRows) {
    this.#data = data;
    this.#statement = statement;
    this.#rows = rows;
  }

  clear(): void {
    this.#groups.clear();
    this.#count = 0;
  }

  async add({ name, tables }: Measurement): Promise<void> {
    const { asked, dimensions } = this.#rows;
    const fields = fieldsOf(tables).map(([field]) => field);
    for (const table of tables) {
      const counted = await this.#tagsCounted(table);
      const tags = [...new Set([...dimensions, ...counted])];
      const places = counted.map((key) => tags.indexOf(key));
      for await (const row of this.#data.tagRows(table, tags, asked)) {
        const values = places.map((place) => row[place] ?? "");
        for (const thing of this.#thingsIn(values, counted, { fields, name }))
          this.#put(this.#groupOf(row.slice(0, dimensions.length)), thing);
      }
    }
  }

  *lists(name: string): Generator<List> {
    const { dimensions } = this.#rows;
    for (const { things, values } of [...this.#groups.values()].toSorted(byValues)) {
      const tags = dimensions.map((key, index) => [key, values[index] ?? ""] as const);
      yield { name, tags, columns: numbers("count"), rows: [[BigInt(things.size)]] };
    }
  }

  /** The tags whose values are looked at. */
  async #tagsCounted(table: PolicyTable): Promise<readonly string[]> {
    switch (this.#statement.what) {
      case "series_cardinality":
      case "tag_key_cardinality":
        return tagNames(table.table);
      case "tag_values_cardinality":
        return keysMeant(this.#data, [table], this.#statement.key);
      case "field_key_cardinality":
      case "measurement_cardinality":
        return [];
    }
  }

  /** What a row of `values`, those of `keys`, stands for. */
  #thingsIn(
    values: readonly string[],
    keys: readonly string[],
    { fields, name }: { readonly fields: readonly string[]; readonly name: string },
  ): readonly string[] {
    const present = keys.filter((_, index) => values[index] !== "");
    switch (this.#statement.what) {
      case "series_cardinality":
        return [JSON.stringify([present, values.filter((value) => value !== "")])];
      case "tag_key_cardinality":
        return present;
      case "tag_values_cardinality":
        return keys.flatMap((key, index) =>
          values[index] === "" ? [] : JSON.stringify([key, values[index]]),
        );
      case "field_key_cardinality":
        return fields;
      case "measurement_cardinality":
        return [name];
    }
  }

  #groupOf(values: readonly string[]): Group {
    const key = JSON.stringify(values);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { values, things: new Set<string>() };
    this.#groups.set(key, group);
    return group;
  }

  #put({ things }: Group, thing: string): void {
    if (things.has(thing)) return;
    things.add(thing);
    this.#count += 1;
    if (this.#count > SERIES_COUNT_MAX) throw tooMany("series", SERIES_COUNT_MAX);
  }
}

function byValues(left: Group, right: Group): number {
  for (const [index, value] of left.values.entries()) {
    const order = compareText(value, right.values[index] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}
