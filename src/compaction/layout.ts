/** How the files of a table are laid out: by what a row of it takes, and by how many columns it has. */
import type { DataFile } from "#model/data-file.ts";

/** What readers fetch and cache as one, about. */
const FILE_SIZE_MAX = 128 * 2 ** 20;
/**
 * Files of long windows have so many times more rows: who asks for one series over years reads a row group of each, which is what
 * takes the time. An instant of all series takes as much longer, and no more rows than these fit in the memory of one merge
 * (docs/decisions/0013-compaction.md).
 */
const LONG_WINDOW_FACTOR = 4;
/** A table of wide rows still has files that are worth a request. */
const FILE_ROW_COUNT_MIN = 10_000;
/** Cells of a row group, of which a reader of some series may pass over most. */
const GROUP_CELL_COUNT = 2 ** 21;
const GROUP_ROW_COUNT_MIN = 4_096;
const GROUP_ROW_COUNT_MAX = 122_880;
/** Written once and read often: twice the time of the fast level for about a tenth less (docs/decisions/0013-compaction.md). */
export const COMPACTED_ZSTD_LEVEL = 9;

/** Rows of a file of the table whose files are `files`, and of one of a long window: about `rowLimit`, or fewer where that would be too many bytes. */
export function fileRowLimits(
  files: readonly Pick<DataFile, "sizeBytes" | "rowCount">[],
  rowLimit: number,
): { readonly rowLimit: number; readonly longRowLimit: number } {
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const rowCount = files.reduce((sum, file) => sum + file.rowCount, 0);
  const fitting = Math.floor(FILE_SIZE_MAX / (sizeBytes / Math.max(1, rowCount) || 1));
  const most = Math.max(FILE_ROW_COUNT_MIN, fitting);
  return {
    rowLimit: Math.min(rowLimit, most),
    longRowLimit: Math.min(LONG_WINDOW_FACTOR * rowLimit, most),
  };
}

/** Rows of a row group of a table with `columnCount` columns. */
export function rowGroupSize(columnCount: number): number {
  const rowCount = Math.floor(GROUP_CELL_COUNT / columnCount);
  return Math.min(GROUP_ROW_COUNT_MAX, Math.max(GROUP_ROW_COUNT_MIN, rowCount));
}
