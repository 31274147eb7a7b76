import { assert } from "#base/errors.ts";
import type {
  ColumnId,
  DatabaseId,
  Epoch,
  NodeNumber,
  Position,
  TableId,
  TokenId,
} from "#model/ids.ts";
import {
  type ColumnKind,
  type ColumnSchema,
  type TableSchema,
  TIME_COLUMN_ID,
  TIME_COLUMN_NAME,
} from "#model/schema.ts";
import { NEEDS_NOTHING, type Needs } from "#objectlog/record.ts";
import type { CatalogChange } from "./changes.ts";
import {
  applyDeleteChange,
  type DeleteState,
  isDeleteChange,
  NO_DELETES,
  withoutDeletesOf,
} from "./deletes.ts";
import { applyTokenChange, isTokenChange, type TokenRecord, type TokenState } from "./tokens.ts";
import { applyV1Change, isV1Change, type V1State } from "./v1/changes.ts";
import { type PolicyRecord, setPolicy } from "./v1/policy.ts";

/** All that nodes agree on beside the rows, at one version. A value. */
export interface CatalogState extends TokenState, V1State, DeleteState {
  /** The version: the position of the last transaction. */
  readonly position: Position;
  /** Undefined in an empty store. */
  readonly cluster: ClusterRecord | undefined;
  readonly databases: ReadonlyMap<DatabaseId, DatabaseRecord>;
  /** Ids of the databases that are not dropped, by name. */
  readonly databaseIds: ReadonlyMap<string, DatabaseId>;
  readonly nodes: ReadonlyMap<NodeNumber, NodeRecord>;
  /** Nodes that were removed, as they were last: one that comes back goes on with its number and epochs. */
  readonly removed: ReadonlyMap<NodeNumber, NodeRecord>;
  /** Tables of the databases that are not dropped. */
  readonly tableCount: number;
  readonly nextDatabaseId: DatabaseId;
  readonly nextTableId: TableId;
  readonly nextNodeNumber: NodeNumber;
  readonly needs: Needs;
}

export interface ClusterRecord {
  readonly uuid: string;
  /** What internode calls carry. */
  readonly secret: string;
}

export interface DatabaseRecord {
  readonly id: DatabaseId;
  /** A dropped database's name has the time of the drop behind it. */
  readonly name: string;
  /** Undefined: rows are kept for ever. */
  readonly retentionNs: bigint | undefined;
  /** Whether its tables and columns are only those that somebody created; writes create none. */
  readonly schemaMode: SchemaMode;
  /** Undefined: what a retention policy of InfluxDB 1 is where nobody says more. */
  readonly policy: PolicyRecord | undefined;
  readonly dropped: DropRecord | undefined;
  readonly tables: ReadonlyMap<TableId, TableSchema>;
  readonly tableIds: ReadonlyMap<string, TableId>;
  /** Of tables that have one of their own; that of the others is the database's. */
  readonly tableRetentionNs: ReadonlyMap<TableId, bigint>;
  /** Tables that were dropped by themselves. */
  readonly droppedTables: ReadonlyMap<TableId, DroppedTable>;
}

export type SchemaMode = "implicit" | "explicit";

export interface DroppedTable {
  /** Its name has the time of the drop behind it. */
  readonly table: TableSchema;
  readonly dropped: DropRecord;
}

export interface DropRecord {
  readonly atNs: bigint;
  /** When its files may go; undefined: never. */
  readonly hardDeleteAtNs?: bigint | undefined;
}

export type NodeState = "running" | "stopping" | "stopped" | "removing";

export interface NodeRecord {
  readonly number: NodeNumber;
  readonly nodeId: string;
  /** Made when the node-id is registered first, kept over restarts. */
  readonly instanceId: string;
  readonly modes: readonly string[];
  readonly state: NodeState;
  /** Of its newest start, or of who has closed its log since. */
  readonly epoch: Epoch;
  /** `host:port` where other nodes find it, `https://` before it where they have to speak TLS. */
  readonly address: string;
  readonly coreCount: number;
  readonly formatLevel: number;
  /** Whether it has ever had a node log that others must read. */
  readonly hasLog: boolean;
  readonly updatedAtNs: bigint;
  /** The options its user gave, secret ones left out, as a JSON object. */
  readonly cliParams?: string | undefined;
}

export const EMPTY_CATALOG: CatalogState = {
  position: 0,
  cluster: undefined,
  databases: new Map(),
  databaseIds: new Map(),
  nodes: new Map(),
  removed: new Map(),
  tableCount: 0,
  nextDatabaseId: 1 as DatabaseId,
  nextTableId: 1 as TableId,
  nextNodeNumber: 1 as NodeNumber,
  tokens: new Map<TokenId, TokenRecord>(),
  nextTokenId: 0 as TokenId,
  users: new Map(),
  continuousQueries: new Map(),
  ...NO_DELETES,
  needs: NEEDS_NOTHING,
};

export function findDatabase(state: CatalogState, name: string): DatabaseRecord | undefined {
  const id = state.databaseIds.get(name);
  return id === undefined ? undefined : state.databases.get(id);
}

export function findTable(database: DatabaseRecord, name: string): TableSchema | undefined {
  const id = database.tableIds.get(name);
  return id === undefined ? undefined : database.tables.get(id);
}

/** How long rows of a table are kept; undefined: for ever. */
export function retentionOf(database: DatabaseRecord, tableId: TableId): bigint | undefined {
  return database.tableRetentionNs.get(tableId) ?? database.retentionNs;
}

export function findNode(state: CatalogState, nodeId: string): NodeRecord | undefined {
  return nodeCalled(state.nodes, nodeId);
}

/** What a node that was removed left behind under its name. */
export function findRemovedNode(state: CatalogState, nodeId: string): NodeRecord | undefined {
  return nodeCalled(state.removed, nodeId);
}

function nodeCalled(nodes: CatalogState["nodes"], nodeId: string): NodeRecord | undefined {
  return [...nodes.values()].find((node) => node.nodeId === nodeId);
}

/** `state` after `changes`, which were decided on it. Costs what the changes do, and one copy of each map they touch. */
export function applyChanges(state: CatalogState, changes: readonly CatalogChange[]): CatalogState {
  const draft: Draft = {
    state: {
      ...state,
      databases: new Map(state.databases),
      databaseIds: new Map(state.databaseIds),
      nodes: new Map(state.nodes),
      removed: new Map(state.removed),
    },
    own: new Map(),
  };
  for (const change of changes) applyChange(draft, change);
  return draft.state;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The state in the making: its maps are nobody else's yet. */
interface Draft {
  readonly state: Mutable<Omit<CatalogState, "databases" | "databaseIds" | "nodes" | "removed">> & {
    readonly databases: Map<DatabaseId, DatabaseRecord>;
    readonly databaseIds: Map<string, DatabaseId>;
    readonly nodes: Map<NodeNumber, NodeRecord>;
    readonly removed: Map<NodeNumber, NodeRecord>;
  };
  /** The tables of the databases whose maps have been copied. */
  readonly own: Map<DatabaseId, OwnTables>;
}

interface OwnTables {
  readonly tables: Map<TableId, TableSchema>;
  readonly tableIds: Map<string, TableId>;
  readonly tableRetentionNs: Map<TableId, bigint>;
  readonly droppedTables: Map<TableId, DroppedTable>;
}

function applyChange(draft: Draft, change: CatalogChange): void {
  const { state } = draft;
  if (isDeleteChange(change)) return void Object.assign(state, applyDeleteChange(state, change));
  if ("tableId" in change || change.kind === "create_table") return applyTableChange(draft, change);
  if (isTokenChange(change)) return void Object.assign(state, applyTokenChange(state, change));
  if (isV1Change(change)) return void Object.assign(state, applyV1Change(state, change));
  switch (change.kind) {
    case "create_cluster":
      assert(state.cluster === undefined, "a cluster is created once");
      state.cluster = { uuid: change.uuid, secret: change.secret };
      return;
    case "register_node":
      return registerNode(draft, change);
    case "set_node_state": {
      const node = state.nodes.get(change.number);
      assert(node !== undefined, "the node is registered");
      const { state: nodeState, updatedAtNs } = change;
      state.nodes.set(node.number, { ...node, state: nodeState, updatedAtNs });
      return;
    }
    case "remove_node":
      return removeNode(draft, change);
    case "create_database":
      return createDatabase(draft, change);
    case "set_retention": {
      const { id, retentionNs } = change;
      state.databases.set(id, { ...liveDatabase(draft, id), retentionNs });
      return;
    }
    case "set_policy":
      return setPolicy(state.databases, liveDatabase(draft, change.id), change);
    case "drop_database":
      return dropDatabase(draft, change);
  }
}

function applyTableChange(draft: Draft, change: TableChange): void {
  switch (change.kind) {
    case "create_table":
      return createTable(draft, change);
    case "add_columns":
      return addColumns(draft, change);
    case "set_table_retention":
      return setTableRetention(draft, change);
    case "drop_table":
      return dropTable(draft, change);
  }
}

type TableChange = Change<"create_table" | "add_columns" | "set_table_retention" | "drop_table">;
type Change<Kind extends CatalogChange["kind"]> = Extract<CatalogChange, { kind: Kind }>;

function registerNode({ state }: Draft, { node: record }: Change<"register_node">): void {
  const before = state.nodes.get(record.number) ?? state.removed.get(record.number);
  assert(
    before !== undefined || record.number === state.nextNodeNumber,
    "numbers are given in order",
  );
  assert(record.epoch === (before?.epoch ?? 0) + 1, "each start takes the next epoch");
  assert(record.nodeId === (before?.nodeId ?? record.nodeId), "a number is of one node-id");
  if (before === undefined) state.nextNodeNumber = (record.number + 1) as NodeNumber;
  state.removed.delete(record.number);
  state.nodes.set(record.number, record);
}

function removeNode({ state }: Draft, { number }: Change<"remove_node">): void {
  const node = state.nodes.get(number);
  assert(node?.state === "removing", "a node goes when it was asked to");
  state.nodes.delete(number);
  state.removed.set(number, node);
}

function createDatabase(
  draft: Draft,
  { id, name, retentionNs, schemaMode = "implicit" }: Change<"create_database">,
): void {
  const { state } = draft;
  assert(id === state.nextDatabaseId, "ids are given in order");
  assert(!state.databaseIds.has(name), "a name is used by one database at a time");
  const own: OwnTables = {
    tables: new Map(),
    tableIds: new Map(),
    tableRetentionNs: new Map(),
    droppedTables: new Map(),
  };
  draft.own.set(id, own);
  const kept = { retentionNs, schemaMode, policy: undefined };
  state.databases.set(id, { id, name, ...kept, dropped: undefined, ...own });
  state.databaseIds.set(name, id);
  state.nextDatabaseId = (id + 1) as DatabaseId;
}

function dropDatabase(
  draft: Draft,
  { id, droppedName, atNs, hardDeleteAtNs }: Change<"drop_database">,
): void {
  const { state } = draft;
  const database = liveDatabase(draft, id);
  state.databaseIds.delete(database.name);
  const dropped = { atNs, hardDeleteAtNs };
  state.databases.set(id, { ...database, name: droppedName, dropped });
  state.tableCount -= database.tables.size;
  Object.assign(state, withoutDeletesOf(state, database.tables.keys()));
}

function createTable(
  draft: Draft,
  { databaseId, id, name, columns }: Change<"create_table">,
): void {
  const { state } = draft;
  const database = liveDatabase(draft, databaseId);
  assert(!database.tableIds.has(name), "the table is new");
  assert(id === state.nextTableId, "ids are given in order");
  const own = ownTables(draft, database);
  own.tables.set(id, newTable({ id, databaseId, name }, columns));
  own.tableIds.set(name, id);
  state.tableCount += 1;
  state.nextTableId = (id + 1) as TableId;
}

function addColumns(draft: Draft, { databaseId, tableId, columns }: Change<"add_columns">): void {
  const database = draft.state.databases.get(databaseId);
  const table = database?.tables.get(tableId);
  assert(database !== undefined && table !== undefined, "the table is there");
  ownTables(draft, database).tables.set(tableId, withColumns(table, columns));
}

function setTableRetention(
  draft: Draft,
  { databaseId, tableId, retentionNs }: Change<"set_table_retention">,
): void {
  const database = liveDatabase(draft, databaseId);
  assert(database.tables.has(tableId), "the table is there");
  const { tableRetentionNs } = ownTables(draft, database);
  if (retentionNs === undefined) tableRetentionNs.delete(tableId);
  else tableRetentionNs.set(tableId, retentionNs);
}

function dropTable(
  draft: Draft,
  { databaseId, tableId, droppedName, atNs, hardDeleteAtNs }: Change<"drop_table">,
): void {
  const { state } = draft;
  const database = liveDatabase(draft, databaseId);
  const table = database.tables.get(tableId);
  assert(table !== undefined, "the table is there");
  const own = ownTables(draft, database);
  own.tables.delete(tableId);
  own.tableIds.delete(table.name);
  own.tableRetentionNs.delete(tableId);
  const dropped = { atNs, hardDeleteAtNs };
  own.droppedTables.set(tableId, { table: { ...table, name: droppedName }, dropped });
  state.tableCount -= 1;
  Object.assign(state, withoutDeletesOf(state, [tableId]));
}

function liveDatabase({ state }: Draft, id: DatabaseId): DatabaseRecord {
  const database = state.databases.get(id);
  assert(database !== undefined && database.dropped === undefined, "the database is there");
  return database;
}

/** The maps of a database, for changing: copied the first time. */
function ownTables({ state, own }: Draft, database: DatabaseRecord): OwnTables {
  const known = own.get(database.id);
  if (known !== undefined) return known;
  const copied = {
    tables: new Map(database.tables),
    tableIds: new Map(database.tableIds),
    tableRetentionNs: new Map(database.tableRetentionNs),
    droppedTables: new Map(database.droppedTables),
  };
  own.set(database.id, copied);
  state.databases.set(database.id, { ...database, ...copied });
  return copied;
}

/** A column before it has an id, which follows from its place. */
export interface NewColumn {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** A table of `time` and `columns`. */
export function newTable(
  table: Pick<TableSchema, "id" | "databaseId" | "name">,
  columns: readonly NewColumn[],
): TableSchema {
  const time: ColumnSchema = { id: TIME_COLUMN_ID, name: TIME_COLUMN_NAME, kind: "time" };
  return withColumns({ ...table, columns: [time] }, columns);
}

function withColumns(table: TableSchema, added: readonly NewColumn[]): TableSchema {
  const names = new Set(table.columns.map(({ name }) => name));
  const columns = [...table.columns];
  for (const { name, kind } of added) {
    assert(!names.has(name), "a column's name is used once in its table");
    names.add(name);
    columns.push({ id: columns.length as ColumnId, name, kind });
  }
  return { ...table, columns };
}
