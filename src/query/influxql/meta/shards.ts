/**
 * SHOW SHARDS and SHOW SHARD GROUPS. There are no shards here: one is shown for each span of time of a policy's shard duration in which
 * the policy has rows. Its number says which policy and which span, so that it is the same on every node, and stays the same.
 */
import { DbError } from "#base/errors.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import { type Policy, policiesOf, v1DatabaseNames } from "#catalog/v1/policies.ts";
import { v1NameOf } from "#model/database-name.ts";
import { intersection, type TimeRange } from "#model/time-range.ts";
import { formatTimestamp } from "#model/time-text.ts";
import { MINUTE_NS } from "#model/time-units.ts";
import type { MetaContext, MetaOptions } from "./context.ts";
import { MetaData, type PolicyTable, shardStart, YEAR_ONE_NS } from "./data/meta-data.ts";
import { type Cell, type List, numbers, texts } from "./rows.ts";

/** Minutes since the year 1 are less; shards begin an hour apart at least. */
const MINUTE_COUNT_MAX = 2n ** 31n;
/** Of all policies together. */
const SHARD_COUNT_MAX = 10_000;

interface Shard {
  readonly id: bigint;
  readonly policy: Policy;
  readonly time: TimeRange;
}

/** The shard with this number, whether it has rows or not; undefined where there can be none. */
export function shardOf(state: CatalogState, id: bigint): Shard | undefined {
  const databaseId = id / MINUTE_COUNT_MAX;
  const database = [...state.databases.values()].find((each) => BigInt(each.id) === databaseId);
  if (database === undefined || database.dropped !== undefined) return undefined;
  const policy = policiesOf(state, v1NameOf(database.name))?.find(
    (each) => each.databaseName === database.name,
  );
  if (policy === undefined) return undefined;
  // The first instant of the next minute is in the shard that began in this one.
  const within = YEAR_ONE_NS + ((id % MINUTE_COUNT_MAX) + 1n) * MINUTE_NS;
  const shard = shardAt(policy, within);
  return shard.id === id ? shard : undefined;
}

/** Rejects with `exceeded` / `shard_limit`. */
export async function* shardLists(
  what: "shards" | "shard_groups",
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  using data = await MetaData.open(options, context);
  const { catalog } = data.view;
  const groups: Cell[][] = [];
  for (const name of v1DatabaseNames(catalog)) {
    const shards = await shardsIn(
      data,
      data.policiesOf(name) ?? [],
      SHARD_COUNT_MAX - groups.length,
    );
    const rows = shards.map((shard) => shardRow(name, shard));
    groups.push(...rows);
    if (what === "shard_groups") continue;
    const shown = rows.map(([id = 0n, database = "", policy = "", ...times]) => {
      return [id, database, policy, id, ...times, ""];
    });
    yield { name, columns: SHARD_COLUMNS, rows: shown };
  }
  if (what === "shard_groups") yield { name: "shard groups", columns: GROUP_COLUMNS, rows: groups };
}

const TIMES = texts("start_time", "end_time", "expiry_time");
const NAMES = texts("database", "retention_policy");
const GROUP_COLUMNS = [...numbers("id"), ...NAMES, ...TIMES];
const SHARD_COLUMNS = [
  ...numbers("id"),
  ...NAMES,
  ...numbers("shard_group"),
  ...TIMES,
  ...texts("owners"),
];

function shardRow(database: string, { id, policy, time }: Shard): Cell[] {
  const endNs = time.end + 1n;
  const times = [time.start, endNs, endNs + policy.durationNs].map(
    (timeNs) => `${formatTimestamp(timeNs)}Z`,
  );
  return [id, database, policy.name, ...times];
}

/** Those that have rows, by policy and time. */
async function shardsIn(
  data: MetaData,
  policies: readonly Policy[],
  countMax: number,
): Promise<readonly Shard[]> {
  const found: Shard[] = [];
  for (const policy of policies) {
    const tables = (await data.measurements([policy])).flatMap((each) => each.tables);
    const possible = new Map<bigint, Shard>();
    for (const table of tables)
      for (const range of data.timesOf(table)) addShards(possible, policy, range, countMax);
    const sorted = [...possible.values()].toSorted((one, other) => Number(one.id - other.id));
    for (const shard of sorted) if (await hasRows(data, tables, shard)) found.push(shard);
    if (found.length > countMax) throw tooManyShards();
  }
  return found;
}

function addShards(
  possible: Map<bigint, Shard>,
  policy: Policy,
  { end, start }: TimeRange,
  countMax: number,
): void {
  for (let shard = shardAt(policy, start); ; shard = shardAt(policy, shard.time.end + 1n)) {
    possible.set(shard.id, shard);
    if (possible.size > countMax) throw tooManyShards();
    if (shard.time.end >= end) return;
  }
}

async function hasRows(
  data: MetaData,
  tables: readonly PolicyTable[],
  { time }: Shard,
): Promise<boolean> {
  for (const table of tables) {
    const isNear = data.timesOf(table).some((range) => intersection(range, time) !== undefined);
    if (isNear && (await data.hasRows(table, { time, condition: undefined }))) return true;
  }
  return false;
}

function shardAt(policy: Policy, timeNs: bigint): Shard {
  const start = shardStart(timeNs, policy.shardDurationNs);
  const minute = (start - YEAR_ONE_NS) / MINUTE_NS;
  const id = BigInt(policy.database?.id ?? 0) * MINUTE_COUNT_MAX + minute;
  return { id, policy, time: { start, end: start + policy.shardDurationNs - 1n } };
}

function tooManyShards(): DbError {
  return new DbError(
    "exceeded",
    "shard_limit",
    `rows lie in more than ${SHARD_COUNT_MAX} shards, too many to show: make those of the retention policy longer`,
    { detail: { shardCountMax: SHARD_COUNT_MAX } },
  );
}
