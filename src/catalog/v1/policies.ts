/**
 * Databases and retention policies as InfluxDB 1 has them, of those that the catalog has: policy `autogen` of `db` is database `db`, policy
 * `week` is `db/week`. What is decided about them: pure functions of a state, for `Catalog.change`.
 */
import { DbError } from "#base/errors.ts";
import { AUTOGEN, nameWithPolicy, POLICY_SEPARATOR, v1NameOf } from "#model/database-name.ts";
import { DAY_NS, HOUR_NS } from "#model/time-units.ts";
import {
  type CatalogLimits,
  type DropTimes,
  databaseNotFound,
  nameOfDropped,
  newDatabase,
} from "../catalog.ts";
import type { CatalogState, DatabaseRecord } from "../catalog-state.ts";
import type { CatalogChange } from "../changes.ts";
import { forgottenWith } from "./forget.ts";
import type { PolicyRecord } from "./policy.ts";

type Changes = readonly CatalogChange[];

export interface Policy extends PolicyRecord {
  /** How long rows are kept; 0: for ever. */
  readonly durationNs: bigint;
  /** What our database is called. */
  readonly databaseName: string;
  /** Undefined: `autogen` of a database that has other policies alone, none of them the default. It comes to be with its first row. */
  readonly database: DatabaseRecord | undefined;
}

/** What CREATE and ALTER say; undefined: nothing is said. Durations in nanoseconds, 0: for ever. */
export interface PolicySpec {
  readonly durationNs: bigint | undefined;
  readonly replication: number | undefined;
  readonly shardDurationNs: bigint | undefined;
}

/** What CREATE and ALTER RETENTION POLICY ask for. */
export interface PolicyWish {
  readonly database: string;
  readonly name: string;
  readonly spec: PolicySpec;
  readonly isDefault: boolean;
}

const DURATION_NS_MIN = HOUR_NS;

/** The databases that InfluxDB 1 would list, in order of their creation. */
export function v1DatabaseNames(state: CatalogState): readonly string[] {
  const names = [...liveDatabases(state)].map(({ name }) => v1NameOf(name));
  return [...new Set(names)];
}

/** The policies of a database of InfluxDB 1 in order of their creation; undefined where there is no such database. */
export function policiesOf(state: CatalogState, name: string): readonly Policy[] | undefined {
  const databases = [...liveDatabases(state)].filter((each) => v1NameOf(each.name) === name);
  if (databases.length === 0) return undefined;
  const hasDefault = databases.some(({ policy }) => policy?.isDefault === true);
  const policies = databases.map((database) => policyOf(database, !hasDefault));
  if (hasDefault || databases.some((database) => database.name === name)) return policies;
  const autogen = { ...recordOf(AUTOGEN, 0n, true), durationNs: 0n };
  return [{ ...autogen, databaseName: name, database: undefined }, ...policies];
}

/**
 * The policy that `policy` names; without one, the default. A name of ours (`db/week`) is taken for itself.
 * Undefined where there is none of it, or no such database.
 */
export function findPolicy(
  state: CatalogState,
  database: string,
  policy: string | undefined,
): Policy | undefined {
  const policies = policiesOf(state, v1NameOf(database));
  const isNamed = !["", "''", undefined].includes(policy) || database.includes(POLICY_SEPARATOR);
  if (!isNamed) return policies?.find(({ isDefault }) => isDefault);
  const name = nameWithPolicy(database, policy);
  return policies?.find(({ databaseName }) => databaseName === name);
}

/** Our database that rows for `database` and `policy` go to, whether it is there or not. */
export function databaseOfWrite(
  state: CatalogState,
  database: string,
  policy: string | undefined,
): string {
  return findPolicy(state, database, policy)?.databaseName ?? nameWithPolicy(database, policy);
}

/** Throws `not_found` / `database_not_found`. */
export function requirePolicies(state: CatalogState, database: string): readonly Policy[] {
  const policies = policiesOf(state, database);
  if (policies === undefined) throw databaseNotFound(database);
  return policies;
}

/** As `findPolicy`; throws `not_found` / `database_not_found`, `policy_not_found`. */
export function requirePolicy(
  state: CatalogState,
  database: string,
  policy: string | undefined,
): Policy {
  requirePolicies(state, v1NameOf(database));
  const found = findPolicy(state, database, policy);
  if (found === undefined) throw policyNotFound(policy ?? database);
  return found;
}

export function policyNotFound(name: string): DbError {
  return new DbError("not_found", "policy_not_found", `retention policy not found: ${name}`, {
    detail: { policy: name },
  });
}

/**
 * CREATE DATABASE: a database whose default policy is `policy` as `spec` says. Nothing where there is one like it, or one of any kind
 * and `policy` is undefined. Throws `conflict` / `policy_conflict`, `invalid` / `policy_duration`, `exceeded` / `database_limit`.
 */
export function createV1Database(
  state: CatalogState,
  database: string,
  policy: { readonly name: string; readonly spec: PolicySpec } | undefined,
  limits: CatalogLimits,
): Changes {
  const name = policy?.name ?? AUTOGEN;
  const wanted = wantedPolicy(name, policy?.spec ?? {}, true);
  if (policiesOf(state, database) === undefined) {
    return newPolicy(state, nameWithPolicy(database, name), wanted, limits);
  }
  if (policy === undefined) return [];
  const known = findPolicy(state, database, name);
  if (known?.isDefault === true && isSame(known, wanted)) return [];
  throw policyConflict();
}

/**
 * CREATE RETENTION POLICY. Nothing where there is one like it. Throws `conflict` / `policy_exists`, `policy_conflict` where one like it
 * is not the default; `invalid` / `policy_duration`, `exceeded` / `database_limit`, `database_not_found`.
 */
export function createPolicy(
  state: CatalogState,
  { database, name, spec, isDefault }: PolicyWish,
  limits: CatalogLimits,
): Changes {
  const wanted = wantedPolicy(name, spec, isDefault);
  requirePolicies(state, database);
  const known = findPolicy(state, database, name);
  if (known?.database === undefined)
    return newPolicy(state, nameWithPolicy(database, name), wanted, limits);
  if (!isSame(known, wanted)) {
    throw new DbError("conflict", "policy_exists", "retention policy already exists", {
      detail: { database, policy: name },
    });
  }
  if (isDefault && !known.isDefault) throw policyConflict();
  return [];
}

/** ALTER RETENTION POLICY: what `spec` does not say stays. Throws `invalid` / `policy_duration`, `policy_not_found`, `database_not_found`. */
export function alterPolicy(
  state: CatalogState,
  { database, name, spec, isDefault }: PolicyWish,
  limits: CatalogLimits,
): Changes {
  const known = requirePolicy(state, database, name);
  if (spec.durationNs !== undefined) requireLength(spec.durationNs);
  const durationNs = spec.durationNs ?? known.durationNs;
  const shardNs = spec.shardDurationNs ?? known.shardDurationNs;
  if (durationNs > 0n && durationNs < shardNs) throw incompatibleDurations();
  const policy: PolicyRecord = {
    name: known.name,
    replication: spec.replication ?? known.replication,
    shardDurationNs: shardDuration(shardNs, durationNs),
    isDefault: isDefault || known.isDefault,
  };
  const { database: record } = known;
  if (record === undefined)
    return newPolicy(state, known.databaseName, { ...policy, durationNs }, limits);
  const retentionNs = durationNs === 0n ? undefined : durationNs;
  return [
    ...(retentionNs === record.retentionNs
      ? []
      : [{ kind: "set_retention", id: record.id, retentionNs } as const]),
    { kind: "set_policy", id: record.id, policy },
  ];
}

/**
 * DROP RETENTION POLICY: its rows are gone at once. Nothing where there is none. In place of the last one there is an empty `autogen`
 * from then on.
 */
export function dropPolicy(
  state: CatalogState,
  { database: name, policy }: { readonly database: string; readonly policy: string },
  times: DropTimes,
): Changes {
  const database = findPolicy(state, name, policy)?.database;
  if (database === undefined) return [];
  const dropped = dropChange(database, times);
  const isLast = policiesOf(state, name)?.every((each) => each.database?.id === database.id);
  if (isLast !== true) return [dropped];
  return [dropped, { kind: "create_database", id: state.nextDatabaseId, name }];
}

/** DROP DATABASE: all its policies. Nothing where there is none. */
export function dropV1Database(state: CatalogState, database: string, times: DropTimes): Changes {
  const policies = policiesOf(state, database) ?? [];
  const databases = policies.flatMap((policy) => policy.database ?? []);
  return [
    ...databases.map((each) => dropChange(each, times)),
    ...forgottenWith(
      state,
      databases.map(({ name }) => name),
    ),
  ];
}

function* liveDatabases(state: CatalogState): Generator<DatabaseRecord> {
  for (const id of state.databaseIds.values()) {
    const database = state.databases.get(id);
    if (database !== undefined) yield database;
  }
}

function policyOf(database: DatabaseRecord, autogenIsDefault: boolean): Policy {
  const durationNs = database.retentionNs ?? 0n;
  const suffix = database.name.slice(v1NameOf(database.name).length + 1);
  const isDefault = autogenIsDefault && suffix === "";
  const record =
    database.policy ?? recordOf(suffix === "" ? AUTOGEN : suffix, durationNs, isDefault);
  return {
    ...record,
    isDefault: record.isDefault || isDefault,
    durationNs,
    databaseName: database.name,
    database,
  };
}

function recordOf(name: string, durationNs: bigint, isDefault: boolean): PolicyRecord {
  return { name, replication: 1, shardDurationNs: shardDuration(0n, durationNs), isDefault };
}

type Wanted = PolicyRecord & { readonly durationNs: bigint };

/** Throws `invalid` / `policy_duration`. */
function wantedPolicy(name: string, spec: Partial<PolicySpec>, isDefault: boolean): Wanted {
  const { durationNs = 0n, replication = 1, shardDurationNs = 0n } = spec;
  requireLength(durationNs);
  const shardNs = shardDuration(shardDurationNs, durationNs);
  if (durationNs > 0n && durationNs < shardNs) throw incompatibleDurations();
  return { name, replication, shardDurationNs: shardNs, isDefault, durationNs };
}

/** How much time a shard covers where `wantedNs` is asked for, 0: nothing is. */
function shardDuration(wantedNs: bigint, durationNs: bigint): bigint {
  if (wantedNs > 0n) return wantedNs < HOUR_NS ? HOUR_NS : wantedNs;
  if (durationNs === 0n || durationNs >= 180n * DAY_NS) return 7n * DAY_NS;
  return durationNs >= 2n * DAY_NS ? DAY_NS : HOUR_NS;
}

function isSame(known: Policy, wanted: Wanted): boolean {
  return (
    known.durationNs === wanted.durationNs &&
    known.replication === wanted.replication &&
    known.shardDurationNs === wanted.shardDurationNs
  );
}

function newPolicy(
  state: CatalogState,
  name: string,
  { durationNs, ...policy }: Wanted,
  limits: CatalogLimits,
): Changes {
  const retentionNs = durationNs === 0n ? undefined : durationNs;
  const created = newDatabase(state, { name, retentionNs }, limits);
  return [created, { kind: "set_policy", id: created.id, policy }];
}

function dropChange({ id, name }: DatabaseRecord, times: DropTimes): CatalogChange {
  const { nowNs: atNs, hardDeleteAtNs } = times;
  const droppedName = nameOfDropped(name, id, atNs);
  return { kind: "drop_database", id, droppedName, atNs, hardDeleteAtNs };
}

function requireLength(durationNs: bigint): void {
  if (durationNs === 0n || durationNs >= DURATION_NS_MIN) return;
  throw wrongDuration("retention policy duration must be at least 1h0m0s");
}

function incompatibleDurations(): DbError {
  return wrongDuration("retention policy duration must be greater than the shard duration");
}

function wrongDuration(message: string): DbError {
  return new DbError("invalid", "policy_duration", message);
}

function policyConflict(): DbError {
  return new DbError(
    "conflict",
    "policy_conflict",
    "retention policy conflicts with an existing policy",
  );
}
