/** What SHOW asks of rows: of one view, in the tables of one database of InfluxDB 1. */
import { untilAborted } from "#base/async.ts";
import { compareText } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { retentionOf } from "#catalog/catalog-state.ts";
import { type Policy, policiesOf } from "#catalog/v1/policies.ts";
import type { Plan } from "#model/query/plan.ts";
import { cellAt, type ResultBatch } from "#model/query/result.ts";
import type { TableSchema } from "#model/schema.ts";
import { ALL_TIME, intersection, type TimeRange } from "#model/time-range.ts";
import { parseWriteToken } from "#model/write-token.ts";
import type { View } from "#view/view.ts";
import { literal } from "../../../plan/bind/fold.ts";
import { keptTime } from "../../../runner.ts";
import { sourceGroups } from "../../../sources.ts";
import type { Expression, NameMatch } from "../../ast.ts";
import { finds } from "../../source/condition/pattern.ts";
import type { Reading } from "../../source/reading.ts";
import { distinctTags } from "../../source/tags.ts";
import type { MetaContext, MetaOptions } from "../context.ts";

/** Tables of one name in the policies that are asked. */
export interface Measurement {
  readonly name: string;
  readonly tables: readonly PolicyTable[];
}

export interface PolicyTable {
  readonly policy: Policy;
  readonly table: TableSchema;
}

/** Which rows are meant. */
export interface RowsAsked {
  readonly time: TimeRange;
  /** What `conditions.ts` made of WHERE. */
  readonly condition: Expression | undefined;
}

export const ALL_ROWS: RowsAsked = { time: ALL_TIME, condition: undefined };

export class MetaData implements Disposable {
  readonly view: View;
  readonly nowNs: bigint;
  readonly #reading: Reading;

  private constructor(view: View, { clock, engine }: MetaOptions, signal: AbortSignal) {
    this.view = view;
    this.nowNs = clock.nowNs();
    this.#reading = {
      kept: (table) => this.#kept(table),
      sources: (table, time) => sourceGroups(view, table, time),
      run: (plan) => engine.query(plan, signal),
    };
  }

  /** On a catalog read anew, so that every node answers the same. The caller disposes of it when the rows have been read. */
  static async open(options: MetaOptions, { signal, tokens }: MetaContext): Promise<MetaData> {
    await untilAborted(options.catalog.refresh(), signal);
    const view = await options.views.acquire(tokens.map(parseWriteToken), signal);
    return new MetaData(view, options, signal);
  }

  [Symbol.dispose](): void {
    this.view[Symbol.dispose]();
  }

  /** Undefined where there is no such database. */
  policiesOf(database: string): readonly Policy[] | undefined {
    return policiesOf(this.view.catalog, database);
  }

  /** What has rows in `policies`, by name. */
  async measurements(policies: readonly Policy[]): Promise<readonly Measurement[]> {
    const found: PolicyTable[] = [];
    for (const table of tablesOf(policies)) if (await this.#isThere(table)) found.push(table);
    return measurementsOf(found);
  }

  /** All tables of `policies`, by name: of one without rows here, another node may have some that this one has not heard of. */
  knownMeasurements(policies: readonly Policy[]): readonly Measurement[] {
    return measurementsOf(tablesOf(policies));
  }

  /** Those of `measurements` that one of `wanted` means; all where nothing is wanted. */
  async matching(
    measurements: readonly Measurement[],
    wanted: readonly NameMatch[],
  ): Promise<readonly Measurement[]> {
    if (wanted.length === 0) return measurements;
    const names = measurements.map(({ name }) => name);
    const found = new Set<string>();
    for (const match of wanted)
      for (const name of await this.namesOf(match, names)) found.add(name);
    return measurements.filter(({ name }) => found.has(name));
  }

  /** Those of `names` that `match` means: the engine looks for patterns. */
  async namesOf(match: NameMatch, names: readonly string[]): Promise<ReadonlySet<string>> {
    if (match.kind === "name") return new Set(names.filter((name) => name === match.name));
    const fields = [{ name: "name", type: "string" }] as const;
    const plan: Plan = {
      kind: "filter",
      fields,
      input: { kind: "values", fields, rows: names.map((name) => [literal(name, "string")]) },
      predicate: finds(match.pattern, { kind: "input", index: 0, type: "string" }, false),
    };
    const found = new Set<string>();
    if (names.length === 0) return found;
    for await (const batch of this.#reading.run(plan))
      for (const [name] of rowsOf(batch)) if (name !== undefined) found.add(name);
    return found;
  }

  /** Of rows of `table`, the combinations of values of `tags`, each once, by the bytes of the first, then the next; '' is what is missing. */
  async *tagRows(
    { table }: PolicyTable,
    tags: readonly string[],
    { condition, time }: RowsAsked,
  ): AsyncGenerator<readonly string[]> {
    const request = { table, tags, time, condition };
    for await (const batch of distinctTags(request, this.#reading)) yield* rowsOf(batch);
  }

  /** Whether there is a row of `table` among those that are asked for. */
  async hasRows(table: PolicyTable, asked: RowsAsked): Promise<boolean> {
    for await (const _ of this.tagRows(table, [], asked)) return true;
    return false;
  }

  /** The times of files and buffers with rows of `table`; where some of these were deleted, there may be none at all. */
  timesOf({ table }: PolicyTable): readonly TimeRange[] {
    const kept = this.#kept(table);
    const files = this.view.files(table.id, kept).map(({ file }) => file.time);
    const buffers = this.view.buffers(table.id).map(({ time }) => time);
    return [...files, ...buffers].flatMap((time) => intersection(time, kept) ?? []);
  }

  /** Files and buffers have rows at the ends of their times; only where some were deleted, they have to be looked for. */
  async #isThere(table: PolicyTable): Promise<boolean> {
    if (this.timesOf(table).length === 0) return false;
    const isUntouched = this.view.deletes(table.table.id).length === 0;
    return isUntouched || this.hasRows(table, ALL_ROWS);
  }

  #kept(table: TableSchema): TimeRange {
    const database = this.view.catalog.databases.get(table.databaseId);
    return keptTime(database && retentionOf(database, table.id), this.nowNs);
  }
}

export function tagNames({ columns }: TableSchema): readonly string[] {
  return columns
    .filter(({ kind }) => kind === "tag")
    .map(({ name }) => name)
    .toSorted(compareText);
}

function tablesOf(policies: readonly Policy[]): readonly PolicyTable[] {
  return policies.flatMap((policy) =>
    [...(policy.database?.tables.values() ?? [])].map((table) => ({ policy, table })),
  );
}

function measurementsOf(tables: readonly PolicyTable[]): readonly Measurement[] {
  const byName = Map.groupBy(tables, ({ table }) => table.name);
  return [...byName].map(([name, same]) => ({ name, tables: same })).toSorted(byNames);
}

function byNames(left: Measurement, right: Measurement): number {
  return compareText(left.name, right.name);
}

function* rowsOf({ columns, rowCount }: ResultBatch): Generator<readonly string[]> {
  for (let row = 0; row < rowCount; row += 1)
    yield columns.map((column) => {
      const cell = cellAt(column, row);
      return typeof cell === "string" ? cell : "";
    });
}

/** `time`, as far as shards of the policy reach: InfluxDB 1 asks shards for names, not rows. */
export function shardTime({ shardDurationNs }: Policy, { end, start }: TimeRange): TimeRange {
  const whole = {
    start: start === ALL_TIME.start ? start : shardStart(start, shardDurationNs),
    end: end === ALL_TIME.end ? end : shardStart(end, shardDurationNs) + shardDurationNs - 1n,
  };
  return intersection(whole, ALL_TIME) ?? { start, end };
}

/** Shards are counted from the beginning of the year 1. */
export const YEAR_ONE_NS = -62_135_596_800_000_000_000n;

/** When the shard begins that `timeNs` is in. */
export function shardStart(timeNs: bigint, durationNs: bigint): bigint {
  return timeNs - ((timeNs - YEAR_ONE_NS) % durationNs);
}

/** `exceeded` / `show_limit`: what is sorted has to fit in memory. */
export function tooMany(what: string, countMax: number): DbError {
  return new DbError(
    "exceeded",
    "show_limit",
    `one measurement has more than ${countMax} ${what}, too many to show at once: ask for less with WHERE`,
    { detail: { countMax } },
  );
}
