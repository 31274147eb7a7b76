import type { DatabaseStatement, RetentionPolicyOptions } from "../ast.ts";
import type { Cursor } from "./tokens/cursor.ts";
import { INT32_MAX, parseDuration, parseInteger, parseList, parseString } from "./values.ts";

/** Behind CREATE DATABASE. */
export function parseCreateDatabase(cursor: Cursor): DatabaseStatement {
  const name = cursor.expectName();
  if (!cursor.accept("WITH")) return { kind: "create_database", name, policy: undefined };
  const first = cursor.next();
  if (!["DURATION", "NAME", "REPLICATION", "SHARD"].includes(first.kind)) {
    throw cursor.unexpected(first, "DURATION", "NAME", "REPLICATION", "SHARD");
  }
  cursor.back();
  const durationNs = cursor.accept("DURATION") ? parseDuration(cursor) : undefined;
  const replication = cursor.accept("REPLICATION") ? parseReplication(cursor) : undefined;
  const shardDurationNs = cursor.accept("SHARD") ? parseAnyShardDuration(cursor) : undefined;
  const policyName = cursor.accept("NAME") ? cursor.expectName() : undefined;
  const options = { durationNs, replication, shardDurationNs, isDefault: false };
  return { kind: "create_database", name, policy: { name: policyName, ...options } };
}

function parseReplication(cursor: Cursor): number {
  return Number(parseInteger(cursor, 1n, INT32_MAX));
}

/** Behind SHARD; INF is what CREATE DATABASE alone lets pass. */
function parseAnyShardDuration(cursor: Cursor): bigint {
  cursor.expect("DURATION");
  return parseDuration(cursor);
}

function parseShardDuration(cursor: Cursor): bigint {
  cursor.expect("DURATION");
  const token = cursor.next();
  if (token.kind === "INF") {
    throw cursor.errorAt("invalid duration INF for shard duration", token);
  }
  cursor.back();
  return parseDuration(cursor);
}

/** Behind CREATE RETENTION POLICY. */
export function parseCreatePolicy(cursor: Cursor): DatabaseStatement {
  const target = parseNameOn(cursor);
  cursor.expect("DURATION");
  const durationNs = parseDuration(cursor);
  cursor.expect("REPLICATION");
  const replication = parseReplication(cursor);
  const shardDurationNs = cursor.accept("SHARD") ? parseShardDuration(cursor) : undefined;
  const isDefault = cursor.accept("DEFAULT");
  const options = { durationNs, replication, shardDurationNs, isDefault };
  return { kind: "create_retention_policy", ...target, options };
}

/** `name ON database`. */
export function parseNameOn(cursor: Cursor): { readonly name: string; readonly database: string } {
  const name = cursor.expectName();
  cursor.expect("ON");
  return { name, database: cursor.expectName() };
}

/** Behind ALTER RETENTION POLICY: options in any order, each once. */
export function parseAlterPolicy(cursor: Cursor): DatabaseStatement {
  const name = cursor.accept("DEFAULT") ? "default" : cursor.expectName();
  cursor.expect("ON");
  const target = { name, database: cursor.expectName() };
  const found = new Set<string>();
  let options: RetentionPolicyOptions = {
    durationNs: undefined,
    replication: undefined,
    shardDurationNs: undefined,
    isDefault: false,
  };
  for (;;) {
    const token = cursor.next();
    if (found.has(token.kind)) {
      throw cursor.errorAt(`found duplicate ${token.kind} option`, token);
    }
    const option = parsePolicyOption(cursor, token.kind);
    if (option === undefined) {
      if (found.size === 0) {
        throw cursor.unexpected(token, "DURATION", "REPLICATION", "SHARD", "DEFAULT");
      }
      cursor.back();
      return { kind: "alter_retention_policy", ...target, options };
    }
    options = { ...options, ...option };
    found.add(token.kind);
  }
}

function parsePolicyOption(
  cursor: Cursor,
  kind: string,
): Partial<RetentionPolicyOptions> | undefined {
  switch (kind) {
    case "DURATION":
      return { durationNs: parseDuration(cursor) };
    case "REPLICATION":
      return { replication: parseReplication(cursor) };
    case "SHARD":
      return { shardDurationNs: parseShardDuration(cursor) };
    case "DEFAULT":
      return { isDefault: true };
    default:
      return undefined;
  }
}

/** Behind CREATE SUBSCRIPTION. */
export function parseCreateSubscription(cursor: Cursor): DatabaseStatement {
  const target = parseSubscription(cursor);
  cursor.expect("DESTINATIONS");
  const token = cursor.next();
  if (token.kind !== "ALL" && token.kind !== "ANY") throw cursor.unexpected(token, "ALL", "ANY");
  const destinations = parseList(cursor, parseString);
  return { kind: "create_subscription", ...target, mode: token.kind, destinations };
}

/** `name ON database.policy`. */
export function parseSubscription(cursor: Cursor) {
  const target = parseNameOn(cursor);
  const token = cursor.scan();
  if (token.kind !== ".") throw cursor.unexpected(token, ".");
  return { ...target, retentionPolicy: cursor.expectName() };
}
