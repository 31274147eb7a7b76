/** Databases and retention policies: CREATE, ALTER, DROP and SHOW. */
import { DbError } from "#base/errors.ts";
import {
  alterPolicy,
  createPolicy,
  createV1Database,
  dropPolicy,
  dropV1Database,
  type PolicyWish,
  policyNotFound,
  requirePolicies,
  requirePolicy,
  v1DatabaseNames,
} from "#catalog/v1/policies.ts";
import { AUTOGEN, checkDatabaseName, nameWithPolicy } from "#model/database-name.ts";
import type { StatementAnswer } from "../answer.ts";
import type { DatabaseStatement } from "../ast.ts";
import { databaseAsked, type MetaContext, type MetaOptions, newestCatalog } from "./context.ts";
import { goDuration } from "./go-text.ts";
import { answerOf, NO_ROWS, texts } from "./rows.ts";

const POLICY_COLUMNS = [
  ...texts("name", "duration", "shardGroupDuration"),
  { name: "replicaN", type: "int64" },
  { name: "default", type: "boolean" },
] as const;

/** What InfluxDB 1 takes for no name at all. */
const NO_NAME = /^\.{0,2}$|[/\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/**
 * Rejects with `invalid` / `database_name`, `database_internal`, `subscriptions_unsupported`, and what the functions of
 * `catalog/v1/policies.ts` throw.
 */
export async function changeDatabases(
  statement: DatabaseStatement,
  options: MetaOptions,
): Promise<StatementAnswer> {
  const { changes, dropTimes, limits } = options;
  switch (statement.kind) {
    case "create_database": {
      const { name, policy } = statement;
      checkName(name, policy?.name);
      const wanted = policy && { name: policy.name ?? AUTOGEN, spec: policy };
      await changes.change(name, (state) => createV1Database(state, name, wanted, limits));
      return NO_ROWS;
    }
    case "drop_database": {
      const { name } = statement;
      await changes.change(name, (state) => dropV1Database(state, name, dropTimes()));
      return NO_ROWS;
    }
    case "create_retention_policy": {
      const wanted = policyWanted(statement);
      checkName(statement.database, statement.name);
      await changes.change(wanted.database, (state) => createPolicy(state, wanted, limits));
      return NO_ROWS;
    }
    case "alter_retention_policy": {
      const wanted = policyWanted(statement);
      await changes.changeRetention(wanted.database, (state) => alterPolicy(state, wanted, limits));
      return NO_ROWS;
    }
    case "drop_retention_policy": {
      const { database, name: policy } = statement;
      const wanted = { database, policy };
      await changes.change(database, (state) => dropPolicy(state, wanted, dropTimes()));
      return NO_ROWS;
    }
    case "create_subscription":
    case "drop_subscription":
      return changeSubscription(statement, options);
  }
}

export async function showDatabases(
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const names = v1DatabaseNames(await newestCatalog(options, context));
  return answerOf([
    { name: "databases", columns: texts("name"), rows: names.map((name) => [name]) },
  ]);
}

/** Rejects with `database_missing`, `database_not_found`. */
export async function showPolicies(
  database: string | undefined,
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const name = databaseAsked(database, context);
  const policies = requirePolicies(await newestCatalog(options, context), name);
  const rows = policies.map((policy) => [
    policy.name,
    goDuration(policy.durationNs),
    goDuration(policy.shardDurationNs),
    BigInt(policy.replication),
    policy.isDefault,
  ]);
  return answerOf([{ name: "", columns: POLICY_COLUMNS, rows }]);
}

type PolicyStatement = Extract<
  DatabaseStatement,
  { kind: "create_retention_policy" | "alter_retention_policy" }
>;

function policyWanted({ database, name, options }: PolicyStatement): PolicyWish {
  return { database, name, spec: options, isDefault: options.isDefault };
}

/** Throws `invalid` / `database_name`. */
function checkName(database: string, policy: string | undefined): void {
  for (const name of [database, policy])
    if (name !== undefined && NO_NAME.test(name))
      throw new DbError("invalid", "database_name", "invalid name");
  checkDatabaseName(nameWithPolicy(database, policy));
}

type SubscriptionStatement = Extract<
  DatabaseStatement,
  { kind: "create_subscription" | "drop_subscription" }
>;

/** There are none: rows are not sent on. */
async function changeSubscription(
  { database, kind, name, retentionPolicy }: SubscriptionStatement,
  { catalog }: MetaOptions,
): Promise<StatementAnswer> {
  const state = await catalog.refresh();
  if (kind === "drop_subscription") {
    requirePolicies(state, database);
    throw new DbError("not_found", "subscription_not_found", "subscription not found", {
      detail: { subscription: name },
    });
  }
  if (retentionPolicy === "") throw policyNotFound(retentionPolicy);
  requirePolicy(state, database, retentionPolicy);
  throw new DbError(
    "unsupported",
    "subscriptions_unsupported",
    "writes are not sent on to subscribers here: let whoever writes send them to both",
    { detail: { subscription: name } },
  );
}
