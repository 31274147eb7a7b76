import { bigintText, v } from "#base/schema.ts";
import type { DataFile } from "#model/data-file.ts";
import type { ColumnId, DatabaseId, NodeNumber, RowDeleteId, TableId } from "#model/ids.ts";

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A data file as the records of logs name it. */
export const dataFileSchema = v.pipe(
  v.object({
    key: v.string(),
    databaseId: whole,
    tableId: whole,
    sizeBytes: whole,
    checksum: whole,
    rowCount: whole,
    time: v.object({ start: bigintText, end: bigintText }),
    stampMin: bigintText,
    stampMax: bigintText,
    unique: v.boolean(),
    columnIds: v.array(whole),
    node: whole,
    deletesBelow: v.optional(whole),
  }),
  v.transform(
    ({ deletesBelow, ...file }): DataFile => ({
      ...file,
      ...(deletesBelow !== undefined && { deletesBelow: deletesBelow as RowDeleteId }),
      databaseId: file.databaseId as DatabaseId,
      tableId: file.tableId as TableId,
      columnIds: file.columnIds as ColumnId[],
      node: file.node as NodeNumber,
    }),
  ),
);
