/** The rows of a ScanPlan: read, filtered, merged. */
import type { ColumnId } from "#model/ids.ts";
import type { ScanPlan, ScanSource, SourceGroup } from "#model/query/plan.ts";
import { compileDeletes } from "./deletes.ts";
import { compilePredicate } from "./expression/evaluate.ts";
import { keyOf, type Row, type Value } from "./expression/value.ts";
import { rowsOf, type StampedBatch, type StampedRow } from "./rows.ts";

/** Gives what a source holds of the scanned table; `stampAbove` is not applied. */
export type LoadSource = (source: ScanSource) => Promise<readonly StampedBatch[]>;

export async function scan(plan: ScanPlan, load: LoadSource): Promise<Row[]> {
  const result: Row[] = [];
  for (const group of plan.groups) {
    for (const row of await scanGroup(plan, group, load)) result.push(row);
  }
  return result;
}

async function scanGroup(plan: ScanPlan, group: SourceGroup, load: LoadSource): Promise<Row[]> {
  const columnIds = plan.columns.map(({ id }) => id);
  const tagIds = plan.tags.map(({ id }) => id);
  const accepts = compilePredicate(plan.predicate);
  const isDeleted = compileDeletes(group.deletes, [...columnIds, ...tagIds]);
  const rows: StampedRow[] = [];
  for (const source of group.sources) {
    for (const batch of await load(source)) {
      // The columns first, so that the predicate finds them; then the key.
      for (const row of rowsOf(batch, [...columnIds, ...tagIds])) {
        if (!inTimes(group, row) || !inRange(plan, source, row) || !accepts(row.cells)) continue;
        if (!isDeleted(row)) rows.push(row);
      }
    }
  }
  return group.merge
    ? mergeRows(rows, columnIds)
    : rows.map(({ cells }) => cells.slice(0, columnIds.length));
}

function inTimes({ times }: SourceGroup, { time }: StampedRow): boolean {
  return times === undefined || times.some(({ start, end }) => start <= time && time <= end);
}

function inRange({ time }: ScanPlan, source: ScanSource, row: StampedRow): boolean {
  if (row.time < time.start || row.time > time.end) return false;
  if (source.kind === "buffer" || source.stampAbove === undefined) return true;
  return row.stamp > source.stampAbove;
}

/** Of rows with one series and time: per field the value with the highest order stamp. */
function mergeRows(rows: readonly StampedRow[], columnIds: readonly ColumnId[]): Row[] {
  const merged = new Map<string, Value[]>();
  // In order of stamps, so that a later value replaces an earlier one, and NULL replaces nothing.
  for (const { time, cells } of rows.toSorted(byStamp)) {
    const key = keyOf([time, ...cells.slice(columnIds.length)]);
    const values = merged.get(key);
    if (values === undefined) {
      merged.set(key, cells.slice(0, columnIds.length));
      continue;
    }
    for (let i = 0; i < values.length; i += 1) values[i] = cells[i] ?? values[i] ?? null;
  }
  return [...merged.values()];
}

function byStamp(left: StampedRow, right: StampedRow): number {
  return Number(left.stamp > right.stamp) - Number(left.stamp < right.stamp);
}
