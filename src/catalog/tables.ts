/** What is decided about tables when somebody asks for it: pure functions of a state, for `Catalog.change`. */
import { DbError } from "#base/errors.ts";
import type { TableId } from "#model/ids.ts";
import { type ColumnKind, kindText, type TableSchema } from "#model/schema.ts";
import { type DropTimes, nameOfDropped, requireDatabase } from "./catalog.ts";
import {
  type CatalogState,
  type DatabaseRecord,
  findTable,
  type NewColumn,
} from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";

type Changes = readonly CatalogChange[];

/** How many tables and columns there may be. */
export interface TableLimits {
  readonly tableCountMax: number;
  /** Of one table, `time` included. */
  readonly columnCountMax: number;
  /** Of one table. */
  readonly tagCountMax: number;
}

/** A table by its name and that of its database. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

/** What is dropped of tables: they themselves, or their rows alone. */
export type DropScope = "table" | "tables" | "rows";

/**
 * A table of `columns`; `retentionNs` undefined: its rows are kept as long as those of its database.
 * Throws `conflict` / `table_exists`, `exceeded` / `table_limit`, `column_limit`, or `database_not_found`.
 */
export function createTable(
  state: CatalogState,
  { database: databaseName, table: name }: TableName,
  { columns, retentionNs }: { columns: readonly NewColumn[]; retentionNs: bigint | undefined },
  limits: TableLimits,
): Changes {
  const database = requireDatabase(state, databaseName);
  if (findTable(database, name) !== undefined) {
    throw new DbError(
      "conflict",
      "table_exists",
      "attempted to create a resource that already exists",
      { detail: { database: databaseName, table: name } },
    );
  }
  if (state.tableCount >= limits.tableCountMax) throw tooManyTables(state, limits);
  requireRoom(name, columns, limits);
  return newTableChanges(database.id, { id: state.nextTableId, name, columns, retentionNs });
}

/**
 * Adds those of `columns` that the table does not have. Throws `invalid` / `column_exists` where it has one of that name and another
 * kind, `exceeded` / `column_limit`, `not_found` / `table_missing`, or `database_not_found`.
 */
export function addColumns(
  state: CatalogState,
  name: TableName,
  columns: readonly NewColumn[],
  limits: TableLimits,
): Changes {
  const { database, table } = requireTable(state, name);
  const kinds = new Map(table.columns.map((column) => [column.name, column.kind]));
  const added = columns.filter((column) => {
    const known = kinds.get(column.name);
    if (known === undefined || known === column.kind) return known === undefined;
    throw columnExists(column.name, known);
  });
  if (added.length === 0) return [];
  requireRoom(table.name, [...table.columns, ...added], limits);
  return [{ kind: "add_columns", databaseId: database.id, tableId: table.id, columns: added }];
}

/** How long the table's rows are kept; undefined: as long as those of its database. Throws `table_missing`, `database_not_found`. */
export function setTableRetention(
  state: CatalogState,
  name: TableName,
  retentionNs: bigint | undefined,
): Changes {
  const { database, table } = requireTable(state, name);
  if (database.tableRetentionNs.get(table.id) === retentionNs) return [];
  const [databaseId, tableId] = [database.id, table.id];
  return [{ kind: "set_table_retention", databaseId, tableId, retentionNs }];
}

/**
 * Drops the table: it is gone at once, its rows stay in the store until `hardDeleteAtNs`. With `rows` there is an empty one like it from
 * then on. Throws `table_missing`, `database_not_found`.
 */
export function dropTable(
  state: CatalogState,
  name: TableName,
  scope: DropScope,
  times: DropTimes,
): Changes {
  const { database, table } = requireTable(state, name);
  const dropped = dropChange(database, table, times);
  if (scope !== "rows") return [dropped];
  return [dropped, ...likeTable(database, table, state.nextTableId)];
}

/** Drops all tables of a database, which stays; with `rows` there are empty ones like them from then on. */
export function dropTables(
  state: CatalogState,
  databaseName: string,
  scope: DropScope,
  times: DropTimes,
): Changes {
  const database = requireDatabase(state, databaseName);
  let id = state.nextTableId;
  return [...database.tables.values()].flatMap((table) => {
    const dropped = dropChange(database, table, times);
    if (scope !== "rows") return [dropped];
    const made = likeTable(database, table, id);
    id = (id + 1) as TableId;
    return [dropped, ...made];
  });
}

function requireTable(
  state: CatalogState,
  name: TableName,
): { readonly database: DatabaseRecord; readonly table: TableSchema } {
  const database = requireDatabase(state, name.database);
  const table = findTable(database, name.table);
  if (table !== undefined) return { database, table };
  throw new DbError(
    "not_found",
    "table_missing",
    `table not found: ${name.table} in database ${name.database}`,
    { detail: { ...name } },
  );
}

function dropChange(
  database: DatabaseRecord,
  { id, name }: TableSchema,
  { hardDeleteAtNs, nowNs: atNs }: DropTimes,
): CatalogChange {
  const droppedName = nameOfDropped(name, id, atNs);
  const databaseId = database.id;
  return { kind: "drop_table", databaseId, tableId: id, droppedName, atNs, hardDeleteAtNs };
}

function likeTable(database: DatabaseRecord, table: TableSchema, id: TableId): Changes {
  const retentionNs = database.tableRetentionNs.get(table.id);
  const columns = table.columns.slice(1).map(({ name, kind }) => ({ name, kind }));
  return newTableChanges(database.id, { id, name: table.name, columns, retentionNs });
}

function newTableChanges(
  databaseId: DatabaseRecord["id"],
  {
    id,
    name,
    columns,
    retentionNs,
  }: Pick<TableSchema, "id" | "name"> & {
    readonly columns: readonly NewColumn[];
    readonly retentionNs: bigint | undefined;
  },
): Changes {
  const created = { kind: "create_table", databaseId, id, name, columns } as const;
  if (retentionNs === undefined) return [created];
  return [created, { kind: "set_table_retention", databaseId, tableId: id, retentionNs }];
}

/** `columns`, with or without `time`, are all that the table would have. */
function requireRoom(table: string, columns: readonly NewColumn[], limits: TableLimits): void {
  const { columnCountMax, tagCountMax } = limits;
  const tagCount = columns.filter(({ kind }) => kind === "tag").length;
  if (tagCount > tagCountMax)
    throw columnLimit(
      `Schema update for table '${table}' would exceed the tag column limit: proposed schema would have ${tagCount} tag columns, but the limit is ${tagCountMax}`,
      { tagCount, tagCountMax },
    );
  const columnCount = 1 + columns.filter(({ kind }) => kind !== "time").length;
  if (columnCount > columnCountMax)
    throw columnLimit(
      `Schema update for table '${table}' would exceed the column limit: proposed schema update would have ${columnCount} columns, but the limit is ${columnCountMax}`,
      { columnCount, columnCountMax },
    );
}

function columnLimit(message: string, detail: Readonly<Record<string, number>>): DbError {
  return new DbError("exceeded", "column_limit", message, { detail });
}

function columnExists(name: string, kind: ColumnKind): DbError {
  return new DbError(
    "invalid",
    "column_exists",
    `cannot add column ${name} because it already exists with type ${kindText(kind)}`,
    { detail: { column: name, kind } },
  );
}

function tooManyTables({ tableCount }: CatalogState, { tableCountMax }: TableLimits): DbError {
  return new DbError(
    "exceeded",
    "table_limit",
    `Update to schema would exceed number of tables limit: attempted to create table but already have ${tableCount} table(s) (limit: ${tableCountMax})`,
    { detail: { tableCount, tableCountMax } },
  );
}
