import { decodeStored, v } from "#base/schema.ts";
import type { DatabaseId, NodeNumber, TableId, TokenId } from "#model/ids.ts";
import type { TableSchema } from "#model/schema.ts";
import { foreignRecord, type LogEntry, needsOfBoth, requireKind } from "#objectlog/record.ts";
import type { SharedMachine } from "#objectlog/shared-log.ts";
import {
  applyChanges,
  type CatalogState,
  type DatabaseRecord,
  type DroppedTable,
  EMPTY_CATALOG,
  newTable,
} from "./catalog-state.ts";
import { databaseSchema, decodeTransaction, nodeSchema } from "./changes.ts";
import { deleteSchema, restoreDeletes } from "./deletes.ts";
import { tokenSchema } from "./tokens.ts";
import { continuousQueryKey, continuousQuerySchema } from "./v1/continuous-queries.ts";
import { userSchema } from "./v1/users.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const checkpointSchema = v.object({
  cluster: v.optional(v.object({ uuid: v.string(), secret: v.string() })),
  databases: v.array(databaseSchema),
  nodes: v.array(nodeSchema),
  removed: v.optional(v.array(nodeSchema), []),
  nextDatabaseId: whole,
  nextTableId: whole,
  nextNodeNumber: whole,
  tokens: v.optional(v.array(tokenSchema), []),
  nextTokenId: v.optional(whole, 0),
  users: v.optional(v.array(userSchema), []),
  continuousQueries: v.optional(v.array(continuousQuerySchema), []),
  deletes: v.optional(v.array(deleteSchema), []),
  nextDeleteId: v.optional(whole, 1),
});

export const catalogMachine = {
  empty: EMPTY_CATALOG,
  apply: applyEntry,
  restore: restoreCheckpoint,
  writerEpoch: (state, node) => state.nodes.get(node)?.epoch ?? 0,
  checkpoint: (state, writer) => ({
    kind: "catalog_checkpoint",
    ...writer,
    needs: state.needs,
    body: checkpointBody(state),
    payload: new Uint8Array(0),
  }),
} satisfies SharedMachine<CatalogState>;

function applyEntry(state: CatalogState, entry: LogEntry): CatalogState {
  if (entry.kind !== "transaction") throw foreignRecord(entry, "the catalog");
  const next = applyChanges(state, decodeTransaction(entry));
  return { ...next, position: entry.position, needs: needsOfBoth(state.needs, entry.needs) };
}

function checkpointBody(state: CatalogState) {
  const { cluster, nextDatabaseId, nextTableId, nextNodeNumber, removed, tokens, nextTokenId } =
    state;
  const { users, continuousQueries } = state;
  const { deletes, nextDeleteId } = state;
  return {
    ...(cluster && { cluster }),
    databases: [...state.databases.values()].map(databaseBody),
    nodes: [...state.nodes.values()],
    ...(removed.size > 0 && { removed: [...removed.values()] }),
    nextDatabaseId,
    nextTableId,
    nextNodeNumber,
    ...(nextTokenId > 0 && { tokens: [...tokens.values()], nextTokenId }),
    ...(users.size > 0 && { users: [...users.values()] }),
    ...(continuousQueries.size > 0 && { continuousQueries: [...continuousQueries.values()] }),
    ...(nextDeleteId > 1 && { deletes: [...deletes.values()].flat(), nextDeleteId }),
  };
}

function databaseBody(database: DatabaseRecord) {
  const { id, name, retentionNs, schemaMode, policy, dropped, tables, tableRetentionNs } = database;
  return {
    id,
    name,
    retentionNs,
    ...(schemaMode === "explicit" && { schemaMode }),
    policy,
    dropped,
    tables: [
      ...[...tables.values()].map((table) => ({
        ...tableBody(table),
        retentionNs: tableRetentionNs.get(table.id),
      })),
      ...[...database.droppedTables.values()].map(({ table, dropped: drop }) => ({
        ...tableBody(table),
        dropped: drop,
      })),
    ],
  };
}

function tableBody({ id, name, columns }: TableSchema) {
  return {
    id,
    name,
    columns: columns.slice(1).map(({ name: column, kind }) => ({ name: column, kind })),
  };
}

function restoreCheckpoint(checkpoint: LogEntry): CatalogState {
  requireKind(checkpoint, "catalog_checkpoint");
  const what = `catalog checkpoint ${checkpoint.position}`;
  const stored = decodeStored(checkpointSchema, checkpoint.body, what);
  let tableCount = 0;
  const databases = new Map<DatabaseId, DatabaseRecord>();
  const databaseIds = new Map<string, DatabaseId>();
  for (const body of stored.databases) {
    const database = restoreDatabase(body);
    databases.set(database.id, database);
    if (database.dropped !== undefined) continue;
    databaseIds.set(database.name, database.id);
    tableCount += database.tables.size;
  }
  return {
    position: checkpoint.position,
    cluster: stored.cluster,
    databases,
    databaseIds,
    nodes: new Map(stored.nodes.map((node) => [node.number, node])),
    removed: new Map(stored.removed.map((node) => [node.number, node])),
    tableCount,
    nextDatabaseId: stored.nextDatabaseId as DatabaseId,
    nextTableId: stored.nextTableId as TableId,
    nextNodeNumber: stored.nextNodeNumber as NodeNumber,
    tokens: new Map(stored.tokens.map((token) => [token.id, token])),
    nextTokenId: stored.nextTokenId as TokenId,
    users: new Map(stored.users.map((user) => [user.name, user])),
    continuousQueries: new Map(
      stored.continuousQueries.map((query) => [continuousQueryKey(query), query]),
    ),
    ...restoreDeletes(stored.deletes, stored.nextDeleteId),
    needs: checkpoint.needs,
  };
}

function restoreDatabase(stored: v.InferOutput<typeof databaseSchema>): DatabaseRecord {
  const { id: databaseId, name, retentionNs, schemaMode = "implicit", policy, dropped } = stored;
  const tables = new Map<TableId, TableSchema>();
  const tableRetentionNs = new Map<TableId, bigint>();
  const droppedTables = new Map<TableId, DroppedTable>();
  for (const { columns, dropped: drop, ...body } of stored.tables) {
    const { id } = body;
    const table = newTable({ id, databaseId, name: body.name }, columns);
    if (drop === undefined) tables.set(id, table);
    else droppedTables.set(id, { table, dropped: drop });
    if (body.retentionNs !== undefined) tableRetentionNs.set(id, body.retentionNs);
  }
  const tableIds = new Map([...tables.values()].map((table) => [table.name, table.id]));
  const record = { id: databaseId, name, retentionNs, schemaMode, policy, dropped };
  return { ...record, tables, tableIds, tableRetentionNs, droppedTables };
}
