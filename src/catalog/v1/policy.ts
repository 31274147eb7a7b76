import { bigintText, v } from "#base/schema.ts";
import { v1NameOf } from "#model/database-name.ts";
import type { DatabaseId } from "#model/ids.ts";

/** What a database is beside that as a retention policy of InfluxDB 1. How long rows are kept is the database's own `retentionNs`. */
export interface PolicyRecord {
  /** As it was written; in the database's name it is in lower case. */
  readonly name: string;
  readonly replication: number;
  readonly shardDurationNs: bigint;
  /** Whether the database means it where no policy is named; of all of one name at most one. */
  readonly isDefault: boolean;
}

export const policySchema = v.object({
  name: v.string(),
  replication: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  shardDurationNs: bigintText,
  isDefault: v.boolean(),
});

export const policyChangeSchema = v.object({
  kind: v.literal("set_policy"),
  id: v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(0),
    v.transform((id) => id as DatabaseId),
  ),
  policy: policySchema,
});

/** Sets what `database`, which has the id, is; where it is the default, no other database of its name is. */
export function setPolicy<
  Database extends { readonly name: string; readonly policy: PolicyRecord | undefined },
>(
  databases: Map<DatabaseId, Database>,
  database: Database,
  { id, policy }: { readonly id: DatabaseId; readonly policy: PolicyRecord },
): void {
  if (policy.isDefault)
    for (const [otherId, other] of databases)
      if (other.policy?.isDefault === true && v1NameOf(other.name) === v1NameOf(database.name))
        databases.set(otherId, { ...other, policy: { ...other.policy, isDefault: false } });
  databases.set(id, { ...database, policy });
}
