/** Deletes of rows as the catalog keeps them, until no row that they cover is in any file: docs/decisions/0022-row-deletes.md. */
import { assert, DbError } from "#base/errors.ts";
import { bigintText, toJson, v } from "#base/schema.ts";
import type { ColumnId, NodeNumber, RowDeleteId, TableId } from "#model/ids.ts";
import { cutOf, type RowDelete, type TagCondition } from "#model/row-delete.ts";
import type { TableSchema } from "#model/schema.ts";

/** Of one table. Each costs every read of the rows that it may cover. */
export const TABLE_DELETES_MAX = 1_000;
/** Of tags, that the deletes of one table name together: each node has them in memory. */
const TABLE_VALUES_MAX = 100_000;
/** Characters of these. */
export const TABLE_VALUES_LENGTH_MAX = 2 ** 24;
/** Characters of the deletes of one request: they are one entry of the catalog, which each node reads whole. */
export const REQUEST_LENGTH_MAX = 2 ** 25;

/** The deletes of a catalog. */
export interface DeleteState {
  /** Of tables that are not dropped, those with any; in order of ids. The same map as long as none changes. */
  readonly deletes: ReadonlyMap<TableId, readonly RowDelete[]>;
  readonly nextDeleteId: RowDeleteId;
}

export const NO_DELETES: DeleteState = { deletes: new Map(), nextDeleteId: 1 as RowDeleteId };

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const tableId = v.pipe(
  whole,
  v.transform((id) => id as TableId),
);
const deleteId = v.pipe(
  whole,
  v.transform((id) => id as RowDeleteId),
);
const nodeNumber = v.pipe(
  whole,
  v.transform((number) => number as NodeNumber),
);
const conditionSchema: v.GenericSchema<unknown, TagCondition> = v.variant("kind", [
  v.object({
    kind: v.literal("in"),
    columnId: v.pipe(
      whole,
      v.transform((id) => id as ColumnId),
    ),
    values: v.pipe(v.array(v.string()), v.readonly()),
    negated: v.boolean(),
  }),
  v.object({
    kind: v.picklist(["and", "or"]),
    conditions: v.pipe(v.array(v.lazy(() => conditionSchema)), v.readonly()),
  }),
]);

export const deleteSchema = v.object({
  id: deleteId,
  tableId,
  time: v.object({ start: bigintText, end: bigintText }),
  condition: v.optional(conditionSchema),
  cuts: v.pipe(v.array(v.object({ node: nodeNumber, stamp: bigintText })), v.readonly()),
  atNs: bigintText,
});

/** The changes of deletes, as they are stored. */
export const deleteChangeSchemas = [
  v.object({ kind: v.literal("delete_rows"), delete: deleteSchema }),
  v.object({
    kind: v.literal("forget_deletes"),
    tableId,
    ids: v.pipe(v.array(deleteId), v.readonly()),
  }),
] as const;

export type DeleteChange = v.InferOutput<(typeof deleteChangeSchemas)[number]>;

export function isDeleteChange<Change extends { readonly kind: string }>(
  change: Change,
): change is Extract<Change, DeleteChange> {
  return deleteChangeSchemas.some(({ entries }) => entries.kind.literal === change.kind);
}

/** What a delete must know of the catalog: which tables there are. */
interface Databases {
  readonly databases: ReadonlyMap<
    unknown,
    { readonly dropped: unknown; readonly tables: ReadonlyMap<TableId, unknown> }
  >;
}

/** The deletes of `state` after `change`. */
export function applyDeleteChange(
  state: DeleteState & Databases,
  change: DeleteChange,
): DeleteState {
  const deletes = new Map(state.deletes);
  if (change.kind === "delete_rows") {
    const { delete: added } = change;
    assert(added.id === state.nextDeleteId, "ids are given in order");
    assert(isTable(state, added.tableId), "the table is there");
    deletes.set(added.tableId, [...(deletes.get(added.tableId) ?? []), added]);
    return { deletes, nextDeleteId: (added.id + 1) as RowDeleteId };
  }
  const before = deletes.get(change.tableId) ?? [];
  const gone = new Set(change.ids);
  const after = before.filter(({ id }) => !gone.has(id));
  assert(after.length === before.length - gone.size, "the deletes are there");
  if (after.length > 0) deletes.set(change.tableId, after);
  else deletes.delete(change.tableId);
  return { deletes, nextDeleteId: state.nextDeleteId };
}

function isTable({ databases }: Databases, id: TableId): boolean {
  return [...databases.values()].some(
    ({ dropped, tables }) => dropped === undefined && tables.has(id),
  );
}

/** `state` without the deletes of tables that are dropped: nobody reads their rows any more. */
export function withoutDeletesOf(state: DeleteState, ids: Iterable<TableId>): DeleteState {
  const deletes = new Map(state.deletes);
  for (const id of ids) deletes.delete(id);
  return { deletes, nextDeleteId: state.nextDeleteId };
}

/** Deletes in order, as a checkpoint has them. */
export function restoreDeletes(deletes: readonly RowDelete[], nextDeleteId: number): DeleteState {
  return {
    deletes: Map.groupBy(deletes, (one) => one.tableId),
    nextDeleteId: nextDeleteId as RowDeleteId,
  };
}

/** What a delete says of one table. */
export interface TableDelete {
  readonly table: TableSchema;
  readonly condition: TagCondition | undefined;
}

/**
 * The changes that make deletes of rows, one for each of `tables`; earlier ones that they cover whole are forgotten with that.
 * Throws `exceeded` / `delete_limit`, and then takes no more of `tables`.
 */
export function addDeletes(
  state: DeleteState,
  tables: Iterable<TableDelete>,
  shared: Pick<RowDelete, "time" | "cuts" | "atNs">,
): readonly DeleteChange[] {
  const changes: DeleteChange[] = [];
  let id = state.nextDeleteId;
  let length = 0;
  for (const { condition, table } of tables) {
    const added: RowDelete = { ...shared, id, tableId: table.id, condition };
    const before = state.deletes.get(table.id) ?? [];
    const ids = before.filter((one) => isWithin(one, added)).map((one) => one.id);
    requireRoom([...before.filter((one) => !ids.includes(one.id)), added], table.name);
    length += toJson(added).length;
    if (length > REQUEST_LENGTH_MAX) throw requestTooLong();
    if (ids.length > 0) changes.push({ kind: "forget_deletes", tableId: table.id, ids });
    changes.push({ kind: "delete_rows", delete: added });
    id = (id + 1) as RowDeleteId;
  }
  return changes;
}

/** Whether `newer` covers all rows that `older` does. */
function isWithin(older: RowDelete, newer: RowDelete): boolean {
  const { end, start } = newer.time;
  return (
    start <= older.time.start &&
    older.time.end <= end &&
    older.cuts.every(({ node, stamp }) => stamp <= cutOf(newer, node)) &&
    (newer.condition === undefined || isSame(newer.condition, older.condition))
  );
}

/** Whether the two are the same word for word. */
function isSame(left: TagCondition, right: TagCondition | undefined): boolean {
  return (
    right !== undefined && valueCount(left) === valueCount(right) && toJson(left) === toJson(right)
  );
}

function requireRoom(deletes: readonly RowDelete[], table: string): void {
  const values = deletes.flatMap(({ condition }) => [...valuesOf(condition)]);
  const length = values.reduce((sum, value) => sum + value.length, 0);
  const isFew = deletes.length <= TABLE_DELETES_MAX && values.length <= TABLE_VALUES_MAX;
  if (!isFew || length > TABLE_VALUES_LENGTH_MAX) throw tableFull(table);
}

/** More of one table than may wait. */
export function tableFull(table: string): DbError {
  return new DbError(
    "exceeded",
    "delete_limit",
    `deletes of rows of ${table} that wait to be carried out in its files are ${TABLE_DELETES_MAX} at most, and name ${TABLE_VALUES_MAX} values of tags, of ${TABLE_VALUES_LENGTH_MAX} characters together: delete again when a node with mode compact has caught up, and more at once`,
    {
      detail: {
        table,
        deleteCountMax: TABLE_DELETES_MAX,
        valueCountMax: TABLE_VALUES_MAX,
        valuesLengthMax: TABLE_VALUES_LENGTH_MAX,
      },
    },
  );
}

/** More than one request may ask for. */
export function requestTooLong(): DbError {
  return new DbError(
    "exceeded",
    "delete_limit",
    `one delete of rows has ${REQUEST_LENGTH_MAX} characters at most, those of its condition counted for each table that it is for: name the tables (FROM), or fewer values, and delete in parts`,
    { detail: { requestLengthMax: REQUEST_LENGTH_MAX } },
  );
}

function valueCount(condition: TagCondition | undefined): number {
  return [...valuesOf(condition)].length;
}

function* valuesOf(condition: TagCondition | undefined): Generator<string> {
  if (condition === undefined) return;
  if (condition.kind === "in") yield* condition.values;
  else for (const part of condition.conditions) yield* valuesOf(part);
}
