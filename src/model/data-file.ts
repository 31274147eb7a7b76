import type { ColumnId, DatabaseId, NodeNumber, RowDeleteId, TableId } from "./ids.ts";
import type { OrderStamp } from "./stamp.ts";
import type { TimeRange } from "./time-range.ts";

/** The column of a data file that keeps each row's order stamp. */
export const ORDER_COLUMN_NAME = "_order";

/**
 * One immutable Parquet file of rows of one table (docs/formats/data-file.md).
 *
 * The record in a log is the file's envelope: a reader checks `sizeBytes` and `checksum` before it believes a byte.
 */
export interface DataFile {
  /** The object's key; used once in the life of a bucket. */
  readonly key: string;
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  readonly sizeBytes: number;
  /** CRC-32 of all bytes. */
  readonly checksum: number;
  readonly rowCount: number;
  readonly time: TimeRange;
  /** Least and greatest order stamp of its rows. */
  readonly stampMin: OrderStamp;
  readonly stampMax: OrderStamp;
  /** Whether no two rows have the same series and time. */
  readonly unique: boolean;
  /** The columns it holds, `time` included; others of the table are NULL in every row. */
  readonly columnIds: readonly ColumnId[];
  /** The node that wrote it; 0 for a compacted file. */
  readonly node: NodeNumber;
  /** No row that a delete with a lower id covers is in it; absent: that is not known of any. */
  readonly deletesBelow?: RowDeleteId | undefined;
}
