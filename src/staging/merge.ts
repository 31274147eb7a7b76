import { assert } from "#base/errors.ts";
import type { BatchColumn, ColumnBatch, ColumnData } from "#model/batch.ts";
import { takeCells, takeRows } from "./batches.ts";
import { findRepeats, foldColumn } from "./fold.ts";

/**
 * One batch of all rows of `batches`, which are of one table, in order of arrival; of rows with the same series and
 * time one stays, with the last value of each field. Dictionaries hold what is used, and nothing else.
 */
export function mergeBatches(batches: readonly ColumnBatch[]): ColumnBatch {
  const [first] = batches;
  assert(first !== undefined, "there is something to merge");
  // Often there is one request with nothing to fold: its cells stay where they are.
  if (batches.length === 1 && findRepeats(first) === undefined)
    return { ...first, columns: first.columns.map(recoded) };
  const { databaseId, tableId } = first;
  const times = concatTimes(batches);
  const ids = [...new Set(batches.flatMap(({ columns }) => columns.map(({ id }) => id)))];
  const columns = ids
    .toSorted((a, b) => a - b)
    .map((id): BatchColumn => {
      const parts = batches.map((batch) => ({
        rowCount: batch.times.length,
        data: batch.columns.find((column) => column.id === id)?.data,
      }));
      return { id, data: concatColumn(parts, times.length) };
    });
  return foldRows({ databaseId, tableId, times, columns });
}

function foldRows(batch: ColumnBatch): ColumnBatch {
  const repeats = findRepeats(batch);
  if (repeats === undefined) return batch;
  const columns = batch.columns.map(({ id, data }): BatchColumn => {
    foldColumn(data, repeats.keptRow);
    return { id, data: takeRows(data, repeats.kept) };
  });
  return { ...batch, times: takeCells(batch.times, repeats.kept), columns: columns.map(recoded) };
}

export function concatTimes(batches: readonly Pick<ColumnBatch, "times">[]): BigInt64Array {
  const rowCount = batches.reduce((sum, { times }) => sum + times.length, 0);
  const all = new BigInt64Array(rowCount);
  let row = 0;
  for (const { times } of batches) {
    all.set(times, row);
    row += times.length;
  }
  return all;
}

/**
 * The cells of all parts of a column, of which one has some; NULL where a part does not have the column. Dictionaries hold what is used.
 * The arrays are new.
 */
export function concatColumn(parts: Parts, rowCount: number): ColumnData {
  const kind = parts.find(({ data }) => data !== undefined)?.data?.kind;
  assert(kind !== undefined, "some batch has the column");
  switch (kind) {
    case "tag":
    case "string":
      return concatText(parts, kind, rowCount);
    case "float":
      return { kind, ...concatValues(parts, new Float64Array(rowCount)) };
    case "integer":
      return { kind, ...concatValues(parts, new BigInt64Array(rowCount)) };
    case "uinteger":
      return { kind, ...concatValues(parts, new BigUint64Array(rowCount)) };
    case "boolean":
      return { kind, ...concatValues(parts, new Uint8Array(rowCount)) };
  }
}

/** Pieces of a column, one behind the other; undefined is NULL in every row. */
type Parts = readonly { readonly rowCount: number; readonly data: ColumnData | undefined }[];

function concatText(parts: Parts, kind: "tag" | "string", rowCount: number): ColumnData {
  const codes = new Uint32Array(rowCount);
  const codeOf = new Map<string, number>();
  let row = 0;
  for (const { rowCount: count, data } of parts) {
    if (data !== undefined && "codes" in data)
      recode(data, codes.subarray(row, row + count), codeOf);
    row += count;
  }
  return { kind, codes, dictionary: [...codeOf.keys()] };
}

/** Writes the codes of `data` into `target`, in terms of a dictionary that grows by what is used. */
function recode(
  data: { readonly codes: Uint32Array; readonly dictionary: readonly string[] },
  target: Uint32Array,
  codeOf: Map<string, number>,
): void {
  const newCodes = new Uint32Array(data.dictionary.length + 1);
  for (let row = 0; row < target.length; row++) {
    const code = data.codes[row] as number;
    if (code !== 0 && newCodes[code] === 0) {
      const text = data.dictionary[code - 1] as string;
      const known = codeOf.get(text) ?? codeOf.size + 1;
      codeOf.set(text, known);
      newCodes[code] = known;
    }
    target[row] = newCodes[code] as number;
  }
}

/** Drops what is unused in a dictionary, as selecting rows and folding leave it. */
export function recoded({ id, data }: BatchColumn): BatchColumn {
  if (!("codes" in data)) return { id, data };
  return {
    id,
    data: concatText([{ rowCount: data.codes.length, data }], data.kind, data.codes.length),
  };
}

type Values = Float64Array | BigInt64Array | BigUint64Array | Uint8Array;

function concatValues<Target extends Values>(parts: Parts, values: Target) {
  const present = new Uint8Array(values.length);
  let row = 0;
  for (const { rowCount, data } of parts) {
    if (data !== undefined && "values" in data) {
      values.set(data.values as never, row);
      if (data.present === undefined) present.fill(1, row, row + rowCount);
      else present.set(data.present, row);
    }
    row += rowCount;
  }
  return present.includes(0) ? { values, present } : { values };
}
