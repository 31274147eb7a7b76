/** Which rows of a row group deletes cover. */
import { fromUtf8 } from "#base/bytes.ts";
import { assert } from "#base/errors.ts";
import type { ColumnId } from "#model/ids.ts";
import { compileTagCondition, coversStamp, type RowDelete } from "#model/row-delete.ts";
import { overlaps, type TimeRange } from "#model/time-range.ts";
import type { StoredGroup } from "#parquet/read/footer.ts";
import { textAt } from "#parquet/texts.ts";
import type { OpenFile } from "./open-file.ts";

type RowTest = (row: number) => boolean;

/** A row group, with its rows' stamps, and how to tell which of its times are in a range. */
export interface GroupRows {
  readonly file: OpenFile;
  readonly group: StoredGroup;
  readonly stamps: { readonly codes: Uint32Array; readonly dictionary: BigInt64Array };
  readonly inRange: (time: TimeRange) => RowTest;
}

/** 1 for each row that one of `deletes` covers, 0 for others; undefined where all are others. */
export function deletedRows(
  { file, group, inRange, stamps }: GroupRows,
  deletes: readonly RowDelete[],
): Uint8Array | undefined {
  const rowCount = stamps.codes.length;
  let deleted: Uint8Array | undefined;
  for (const one of deletes) {
    const { condition, time } = one;
    if (!overlaps(time, file.timeOf(group))) continue;
    const covered = Uint8Array.from(stamps.dictionary, (stamp) => Number(coversStamp(one, stamp)));
    if (!covered.includes(1)) continue;
    const isIn = inRange(time);
    const hasTags =
      condition === undefined
        ? () => true
        : compileTagCondition(condition, (id, accepts) => tagTest(file, group, { id, accepts }));
    for (let row = 0; row < rowCount; row += 1) {
      if (covered[stamps.codes[row] as number] !== 1 || !isIn(row) || !hasTags(row)) continue;
      deleted ??= new Uint8Array(rowCount);
      deleted[row] = 1;
    }
  }
  return deleted;
}

function tagTest(
  file: OpenFile,
  group: StoredGroup,
  { accepts, id }: { readonly id: ColumnId; readonly accepts: (text: string) => boolean },
): RowTest {
  const cells = file.read(group, id);
  const forNull = accepts("");
  if (cells === undefined) return () => forNull;
  assert(cells.kind === "texts", "tags are texts");
  const { codes, dictionary } = cells;
  const accepted = new Uint8Array(dictionary.count + 1);
  accepted[0] = Number(forNull);
  for (let index = 0; index < dictionary.count; index += 1)
    accepted[index + 1] = Number(accepts(fromUtf8(textAt(dictionary, index))));
  return (row) => accepted[codes[row] as number] === 1;
}
