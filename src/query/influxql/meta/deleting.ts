/** DELETE, DROP SERIES, DROP MEASUREMENT and DROP SHARD. */
import { findTable } from "#catalog/catalog-state.ts";
import { REQUEST_LENGTH_MAX, requestTooLong } from "#catalog/deletes.ts";
import { dropTable } from "#catalog/tables.ts";
import { type Policy, requirePolicies } from "#catalog/v1/policies.ts";
import type { NamedTagCondition } from "#model/row-delete.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { StatementAnswer } from "../answer.ts";
import type { DeletingStatement, Expression, MeasurementSource } from "../ast.ts";
import { splitCondition } from "../check/condition.ts";
import { refused } from "../check/errors.ts";
import { type MetaContext, type MetaOptions, newestCatalog } from "./context.ts";
import { namesTime } from "./data/conditions.ts";
import { MetaData, type PolicyTable } from "./data/meta-data.ts";
import { tagConditionOf } from "./data/tag-condition.ts";
import { NO_ROWS } from "./rows.ts";
import { shardOf } from "./shards.ts";

/** Rejects with `database_not_found`, `influxql_refused`, `delete_condition`, `delete_limit`, and what `RowDeleter.deleteRows` rejects with. */
export async function deleteRows(
  statement: DeletingStatement,
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  switch (statement.kind) {
    case "delete":
    case "drop_series":
      await deleteSeries(statement, options, context);
      return NO_ROWS;
    case "drop_measurement":
      await dropMeasurement(statement.name, options, context);
      return NO_ROWS;
    case "drop_shard":
      await dropShard(statement.id, options, context);
      return NO_ROWS;
  }
}

async function deleteSeries(
  { from, kind, where }: Extract<DeletingStatement, { kind: "delete" | "drop_series" }>,
  options: MetaOptions,
  context: MetaContext,
): Promise<void> {
  const { database = "", signal } = context;
  if (kind === "drop_series" && namesTime(where))
    throw refused("DROP SERIES doesn't support time in WHERE clause");
  const { rest, time } = splitCondition(where, { nowNs: options.clock.nowNs(), zone: undefined });
  const { start = ALL_TIME.start, end = ALL_TIME.end } = time;
  const deletions = await deletionsOf(rest, { database, from }, options, context);
  for (const { condition, policy, tables } of deletions) {
    const names = { database: policy.databaseName, tables };
    await options.rows.deleteRows({ ...names, time: { start, end }, condition }, signal);
  }
}

/** Tables of one policy of which the same rows go. */
interface Deletion {
  readonly policy: Policy;
  readonly tables: string[];
  readonly condition: NamedTagCondition | undefined;
}

/** What is to be deleted in all policies of the database; conditions are looked through before anything is. */
async function deletionsOf(
  condition: Expression | undefined,
  { database, from }: { readonly database: string; readonly from: readonly MeasurementSource[] },
  options: MetaOptions,
  context: MetaContext,
): Promise<readonly Deletion[]> {
  using data = await MetaData.open(options, context);
  const policies = requirePolicies(data.view.catalog, database);
  const wanted = from.map(({ name }) => name);
  const measurements = await data.matching(data.knownMeasurements(policies), wanted);
  const found = new Map<string, Deletion>();
  let length = 0;
  for (const { tables } of measurements) for (const table of tables) await add(table);
  return [...found.values()];

  async function add({ policy, table }: PolicyTable): Promise<void> {
    const names = (pattern: string) =>
      data.namesOf({ kind: "regex", pattern }, [table.name]).then(({ size }) => size > 0);
    const wish = condition === undefined ? true : await tagConditionOf(condition, table, names);
    if (wish === false) return;
    const deletion = { policy, condition: wish === true ? undefined : wish };
    const key = JSON.stringify([policy.databaseName, deletion.condition]);
    const known = found.get(key);
    if (known !== undefined) {
      known.tables.push(table.name);
      return;
    }
    // Where it names measurements, each may have a condition of its own.
    length += key.length;
    if (length > REQUEST_LENGTH_MAX) throw requestTooLong();
    found.set(key, { ...deletion, tables: [table.name] });
  }
}

/** In all policies. */
async function dropMeasurement(
  name: string,
  { changes, dropTimes }: MetaOptions,
  { database = "" }: MetaContext,
): Promise<void> {
  const times = dropTimes();
  await changes.change(database, (state) => {
    return requirePolicies(state, database)
      .flatMap((policy) => policy.database ?? [])
      .filter((each) => findTable(each, name) !== undefined)
      .flatMap((each) => dropTable(state, { database: each.name, table: name }, "table", times));
  });
}

/** Deletes all rows of the shard; nothing where there is none. */
async function dropShard(id: bigint, options: MetaOptions, context: MetaContext): Promise<void> {
  const state = await newestCatalog(options, context);
  const shard = shardOf(state, id);
  if (shard === undefined) return;
  const { policy, time } = shard;
  const deletion = { database: policy.databaseName, tables: undefined, condition: undefined };
  await options.rows.deleteRows({ ...deletion, time }, context.signal);
}
