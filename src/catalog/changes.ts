import { DbError } from "#base/errors.ts";
import { bigintText, decodeStored, v } from "#base/schema.ts";
import type { DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import type { LogEntry } from "#objectlog/record.ts";
import { deleteChangeSchemas } from "./deletes.ts";
import { tokenChangeSchemas } from "./tokens.ts";
import { v1ChangeSchemas } from "./v1/changes.ts";
import { policyChangeSchema, policySchema } from "./v1/policy.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const databaseId = v.pipe(
  whole,
  v.transform((id) => id as DatabaseId),
);
const tableId = v.pipe(
  whole,
  v.transform((id) => id as TableId),
);
const nodeNumber = v.pipe(
  whole,
  v.transform((number) => number as NodeNumber),
);
const optionalNs = v.optional(bigintText);
const nodeState = v.picklist(["running", "stopping", "stopped", "removing"]);
/** Left out: `implicit`. */
const schemaMode = v.optional(v.picklist(["implicit", "explicit"]));
const columnKind = v.picklist(["time", "tag", "float", "integer", "uinteger", "boolean", "string"]);

/** Columns without ids: these follow from their order. */
const newColumns = v.pipe(v.array(v.object({ name: v.string(), kind: columnKind })), v.readonly());

export const nodeSchema = v.object({
  number: nodeNumber,
  nodeId: v.string(),
  instanceId: v.string(),
  modes: v.pipe(v.array(v.string()), v.readonly()),
  state: nodeState,
  epoch: whole,
  address: v.string(),
  coreCount: whole,
  formatLevel: whole,
  hasLog: v.boolean(),
  updatedAtNs: bigintText,
  cliParams: v.optional(v.string()),
});

const dropSchema = v.object({ atNs: bigintText, hardDeleteAtNs: optionalNs });

const tableSchema = v.object({
  id: tableId,
  name: v.string(),
  columns: newColumns,
  retentionNs: optionalNs,
  dropped: v.optional(dropSchema),
});

export const databaseSchema = v.object({
  id: databaseId,
  name: v.string(),
  retentionNs: optionalNs,
  schemaMode,
  policy: v.optional(policySchema),
  dropped: v.optional(dropSchema),
  tables: v.array(tableSchema),
});

const changeSchema = v.variant("kind", [
  v.object({ kind: v.literal("create_cluster"), uuid: v.string(), secret: v.string() }),
  v.object({ kind: v.literal("register_node"), node: nodeSchema }),
  v.object({
    kind: v.literal("set_node_state"),
    number: nodeNumber,
    state: nodeState,
    updatedAtNs: bigintText,
  }),
  v.object({ kind: v.literal("remove_node"), number: nodeNumber }),
  v.object({
    kind: v.literal("create_database"),
    id: databaseId,
    name: v.string(),
    retentionNs: optionalNs,
    schemaMode,
  }),
  v.object({ kind: v.literal("set_retention"), id: databaseId, retentionNs: optionalNs }),
  v.object({
    kind: v.literal("drop_database"),
    id: databaseId,
    droppedName: v.string(),
    atNs: bigintText,
    hardDeleteAtNs: optionalNs,
  }),
  v.object({
    kind: v.literal("create_table"),
    databaseId,
    id: tableId,
    name: v.string(),
    columns: newColumns,
  }),
  v.object({ kind: v.literal("add_columns"), databaseId, tableId, columns: newColumns }),
  v.object({
    kind: v.literal("set_table_retention"),
    databaseId,
    tableId,
    retentionNs: optionalNs,
  }),
  v.object({
    kind: v.literal("drop_table"),
    databaseId,
    tableId,
    droppedName: v.string(),
    atNs: bigintText,
    hardDeleteAtNs: optionalNs,
  }),
  policyChangeSchema,
  ...tokenChangeSchemas,
  ...v1ChangeSchemas,
  ...deleteChangeSchemas,
]);

/** One step of a transaction: docs/formats/catalog.md. */
export type CatalogChange = v.InferOutput<typeof changeSchema>;

const transactionSchema = v.object({ changes: v.array(changeSchema) });
const kindsSchema = v.object({ changes: v.array(v.object({ kind: v.string() })) });
const KNOWN_KINDS: ReadonlySet<string> = new Set(
  changeSchema.options.map(({ entries }) => entries.kind.literal),
);

/**
 * Throws `unsupported` / `record_unknown` where a change is of a kind that this program does not know, and `corrupt` /
 * `record_malformed` where the entry is none of ours.
 */
export function decodeTransaction(entry: LogEntry): readonly CatalogChange[] {
  const what = `catalog entry ${entry.position}`;
  for (const { kind } of decodeStored(kindsSchema, entry.body, what).changes)
    if (!KNOWN_KINDS.has(kind)) throw unknownChange(entry, kind);
  return decodeStored(transactionSchema, entry.body, what).changes;
}

function unknownChange({ position }: LogEntry, kind: string): DbError {
  return new DbError(
    "unsupported",
    "record_unknown",
    `entry ${position} of the catalog makes a change "${kind}", which this program does not know: upgrade it`,
    { detail: { position, kind } },
  );
}
