import type {
  ContinuousQueryStatement,
  DatabaseStatement,
  DeletingStatement,
  InfluxQlStatement,
  RetentionPolicyOptions,
  UserStatement,
} from "../ast.ts";
import { durationText } from "../parse/tokens/duration.ts";
import { printExpression, printMeasurement } from "./expression.ts";
import { quotedName, quotedText } from "./names.ts";
import { joined, printSelect } from "./select.ts";
import { printShow } from "./show.ts";

/** A statement as 1.x writes it. It parses to the same; passwords aside, which are left out. */
export function printStatement(statement: InfluxQlStatement): string {
  switch (statement.kind) {
    case "select":
      return printSelect(statement);
    case "explain":
      return `EXPLAIN ${statement.analyze ? "ANALYZE " : ""}${printSelect(statement.select)}`;
    case "show":
      return printShow(statement);
    case "kill_query":
      return joined(
        `KILL QUERY ${statement.id}`,
        statement.host === undefined ? undefined : `ON ${quotedName(statement.host)}`,
      );
    case "create_continuous_query":
    case "drop_continuous_query":
      return printContinuousQuery(statement);
    case "delete":
    case "drop_series":
    case "drop_measurement":
    case "drop_shard":
      return printDeleting(statement);
    case "create_user":
    case "drop_user":
    case "set_password":
    case "grant":
    case "revoke":
      return printUser(statement);
    default:
      return printDatabase(statement);
  }
}

function printContinuousQuery(statement: ContinuousQueryStatement): string {
  const target = `CONTINUOUS QUERY ${quotedName(statement.name)} ON ${quotedName(statement.database)}`;
  if (statement.kind === "drop_continuous_query") return `DROP ${target}`;
  const { resampleEveryNs, resampleForNs, select } = statement;
  const resampled = resampleEveryNs > 0n || resampleForNs > 0n;
  return joined(
    `CREATE ${target}`,
    resampled ? "RESAMPLE" : undefined,
    resampleEveryNs > 0n ? `EVERY ${durationText(resampleEveryNs)}` : undefined,
    resampleForNs > 0n ? `FOR ${durationText(resampleForNs)}` : undefined,
    `BEGIN ${printSelect(select)} END`,
  );
}

function printDeleting(statement: DeletingStatement): string {
  switch (statement.kind) {
    case "drop_measurement":
      return `DROP MEASUREMENT ${quotedName(statement.name)}`;
    case "drop_shard":
      return `DROP SHARD ${statement.id}`;
    default: {
      const { kind, from, where } = statement;
      return joined(
        kind === "delete" ? "DELETE" : "DROP SERIES",
        from.length === 0 ? undefined : `FROM ${from.map(printMeasurement).join(", ")}`,
        where && `WHERE ${printExpression(where)}`,
      );
    }
  }
}

function printUser(statement: UserStatement): string {
  switch (statement.kind) {
    case "create_user":
      return joined(
        `CREATE USER ${quotedName(statement.name)} WITH PASSWORD [REDACTED]`,
        statement.admin ? "WITH ALL PRIVILEGES" : undefined,
      );
    case "drop_user":
      return `DROP USER ${quotedName(statement.name)}`;
    case "set_password":
      return `SET PASSWORD FOR ${quotedName(statement.name)} = [REDACTED]`;
    default: {
      const { kind, privilege, database, user } = statement;
      return joined(
        `${kind === "grant" ? "GRANT" : "REVOKE"} ${privilege}`,
        database === undefined ? undefined : `ON ${quotedName(database)}`,
        `${kind === "grant" ? "TO" : "FROM"} ${quotedName(user)}`,
      );
    }
  }
}

function printDatabase(statement: DatabaseStatement): string {
  const name = quotedName(statement.name);
  switch (statement.kind) {
    case "create_database":
      return `CREATE DATABASE ${name}${printPolicy(statement.policy)}`;
    case "drop_database":
      return `DROP DATABASE ${name}`;
    case "create_retention_policy":
    case "alter_retention_policy": {
      const verb = statement.kind === "create_retention_policy" ? "CREATE" : "ALTER";
      const target = `RETENTION POLICY ${name} ON ${quotedName(statement.database)}`;
      return joined(`${verb} ${target}`, printOptions(statement.options));
    }
    case "drop_retention_policy":
      return `DROP RETENTION POLICY ${name} ON ${quotedName(statement.database)}`;
    case "create_subscription":
    case "drop_subscription": {
      const { database, retentionPolicy } = statement;
      const target = `SUBSCRIPTION ${name} ON ${quotedName(database)}.${quotedName(retentionPolicy)}`;
      if (statement.kind === "drop_subscription") return `DROP ${target}`;
      const destinations = statement.destinations.map(quotedText).join(", ");
      return `CREATE ${target} DESTINATIONS ${statement.mode} ${destinations}`;
    }
  }
}

type Policy = Extract<DatabaseStatement, { readonly kind: "create_database" }>["policy"];

function printPolicy(policy: Policy): string {
  if (policy === undefined) return "";
  const name = policy.name === undefined ? undefined : `NAME ${quotedName(policy.name)}`;
  return ` ${joined("WITH", printOptions(policy), name)}`;
}

function printOptions(options: RetentionPolicyOptions): string {
  const { durationNs, replication, shardDurationNs, isDefault } = options;
  return joined(
    durationNs === undefined ? undefined : `DURATION ${durationText(durationNs)}`,
    replication === undefined ? undefined : `REPLICATION ${replication}`,
    shardDurationNs === undefined ? undefined : `SHARD DURATION ${durationText(shardDurationNs)}`,
    isDefault ? "DEFAULT" : undefined,
  );
}
