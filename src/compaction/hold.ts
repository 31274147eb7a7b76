/** Whether a plan that was made with one version of the catalog is still right under a later one. */
import { type CatalogState, type DatabaseRecord, retentionOf } from "#catalog/catalog-state.ts";
import type { RowDeleteId, TableId } from "#model/ids.ts";
import type { RowDelete } from "#model/row-delete.ts";
import type { TableSchema } from "#model/schema.ts";
import type { CompactionPlan } from "./plan.ts";

/** What a plan took from the catalog. */
export interface PlannedWith {
  /** The columns that its files may have. */
  readonly table: TableSchema;
  readonly retentionNs: bigint | undefined;
  /** Rows that one of these covers are left out. */
  readonly deletes: readonly RowDelete[];
  /** No delete with a lower id covers any row that is left, whether it is in force or not any more. */
  readonly deletesBelow: RowDeleteId;
  /** Older rows are left out; undefined: none. */
  readonly keptFromNs: bigint | undefined;
}

/**
 * Whether what `plan` made may be published under `catalog`, which is as new as what it was made with or newer (rule 7). A merge takes
 * seconds, in which tables and columns come all the time: none of that makes it wrong. It is wrong where
 *
 * - the table is gone;
 * - it has left out rows that count again, for the retention is longer now;
 * - a column that it knew is another one. Columns that have come since are in none of its inputs.
 *
 * Deletes of rows do not make it wrong: those that have come since are not carried out by it, and its files say so; of those that are not in
 * force any more, no row was left before they went.
 *
 * What the catalog says else of which rows there are must be asked for here as well.
 */
export function holdsUnder(
  { plan, ...planned }: PlannedWith & { readonly plan: CompactionPlan },
  catalog: CatalogState,
): boolean {
  const found = findTable(catalog, planned.table.id);
  if (found === undefined) return false;
  const { database, table } = found;
  const hasColumns = planned.table.columns.every(({ id, kind, name }, index) => {
    const column = table.columns[index];
    return column?.id === id && column.kind === kind && column.name === name;
  });
  return (
    hasColumns &&
    (!leavesOut(plan, planned) || isKeptNoLonger(planned, retentionOf(database, table.id)))
  );
}

/** The table and its database; undefined where one of them is dropped. */
export function findTable(
  { databases }: CatalogState,
  id: TableId,
): { readonly database: DatabaseRecord; readonly table: TableSchema } | undefined {
  for (const database of databases.values()) {
    const table = database.dropped === undefined ? database.tables.get(id) : undefined;
    if (table !== undefined) return { database, table };
  }
  return undefined;
}

/** Whether `plan` may have left out rows for their age. */
function leavesOut({ inputs }: CompactionPlan, { keptFromNs }: PlannedWith): boolean {
  return keptFromNs !== undefined && inputs.some(({ file }) => file.time.start < keptFromNs);
}

function isKeptNoLonger(planned: PlannedWith, retentionNs: bigint | undefined): boolean {
  if (retentionNs === undefined) return planned.retentionNs === undefined;
  return planned.retentionNs === undefined || retentionNs <= planned.retentionNs;
}
