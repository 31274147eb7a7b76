import type { ColumnId } from "#model/ids.ts";
import { compileTagCondition, coversStamp, type RowDelete } from "#model/row-delete.ts";
import type { StampedRow } from "./rows.ts";

/** Whether one of `deletes` covers a row, whose cells stand for `columnIds` in order; these name all tags that the deletes do. */
export function compileDeletes(
  deletes: readonly RowDelete[] = [],
  columnIds: readonly ColumnId[],
): (row: StampedRow) => boolean {
  const tests = deletes.map((one) => {
    const { condition, time } = one;
    const hasTags =
      condition === undefined
        ? () => true
        : compileTagCondition<StampedRow>(condition, (columnId, accepts) => {
            const index = columnIds.indexOf(columnId);
            return ({ cells }) => accepts((cells[index] ?? "") as string);
          });
    return (row: StampedRow) =>
      row.time >= time.start && row.time <= time.end && coversStamp(one, row.stamp) && hasTags(row);
  });
  return (row) => tests.some((covers) => covers(row));
}
