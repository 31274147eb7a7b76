/** Rows of a scan as they are, in batches of a result. */
import type { ScanColumn, ScanPlan } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { type Numbers, putTime, putWhole } from "./chunk.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { isNumber } from "./condition.ts";
import { numbersOf, type Piece } from "./pieces.ts";

export const BATCH_ROW_COUNT_MAX = 8192;

/** Rows of a piece that go into one batch; `runs` has the run of each. */
interface Chosen {
  readonly rows: Uint32Array;
  readonly runs: Uint32Array;
}

/** How many rows of a piece are wanted. */
export function rowCountOf({ mask, ranges }: Piece): number {
  let count = 0;
  for (const { end, start } of ranges) {
    if (mask === undefined) count += end - start;
    else for (let row = start; row < end; row += 1) count += mask[row] as number;
  }
  return count;
}

/** Whether the cells of `scan` in `piece` can be had from decoded columns. */
export async function canGather(scan: ScanPlan, piece: Piece, cache: ChunkCache): Promise<boolean> {
  for (const column of scan.columns) {
    if (!isNumber(column)) continue;
    if ((await numbersOf(cache, piece, column)) === "inexact") return false;
  }
  return true;
}

/** Whether `scan` has columns of kinds that are decoded alone. */
export function isGathered({ columns }: ScanPlan): boolean {
  return columns.every(
    (column) => column.kind === "time" || column.kind === "tag" || isNumber(column),
  );
}

/** `columns` of the wanted rows of `piece`; they are as in `canGather`. */
export async function* gather(
  columns: readonly ScanColumn[],
  piece: Piece,
  cache: ChunkCache,
): AsyncGenerator<ResultBatch> {
  const numbers: (Numbers | undefined)[] = [];
  for (const column of columns) {
    const found = isNumber(column) ? await numbersOf(cache, piece, column) : undefined;
    numbers.push(found === "inexact" ? undefined : found);
  }
  for (const chosen of chunksOf(piece)) {
    yield {
      rowCount: chosen.rows.length,
      columns: columns.map((column, index) => columnOf(column, numbers[index], piece, chosen)),
    };
  }
}

function* chunksOf({ mask, ranges }: Piece): Generator<Chosen> {
  let rows = new Uint32Array(BATCH_ROW_COUNT_MAX);
  let runs = new Uint32Array(BATCH_ROW_COUNT_MAX);
  let count = 0;
  for (const range of ranges) {
    for (let row = range.start; row < range.end; row += 1) {
      if (mask?.[row] === 0) continue;
      rows[count] = row;
      runs[count] = range.run;
      count += 1;
      if (count < BATCH_ROW_COUNT_MAX) continue;
      yield { rows, runs };
      rows = new Uint32Array(BATCH_ROW_COUNT_MAX);
      runs = new Uint32Array(BATCH_ROW_COUNT_MAX);
      count = 0;
    }
  }
  if (count > 0) yield { rows: rows.subarray(0, count), runs: runs.subarray(0, count) };
}

function columnOf(
  { id, kind }: ScanColumn,
  numbers: Numbers | undefined,
  piece: Piece,
  { rows, runs }: Chosen,
): ResultColumn {
  switch (kind) {
    case "time": {
      const values = new BigInt64Array(rows.length);
      const halves = new Uint32Array(values.buffer);
      const { base, offsets } = piece.times;
      for (let i = 0; i < rows.length; i += 1)
        putTime(halves, i, base, offsets[rows[i] as number] as number);
      return { type: "timestamp", values };
    }
    case "tag": {
      const tag = piece.runs.tags.get(id);
      const values = Array.from(runs, (run) => tag?.texts[tag.codes[run] as number] ?? null);
      return { type: "string", values };
    }
    case "float":
      return { type: "float64", ...floats(numbers, rows) };
    case "integer":
      return { type: "int64", ...wholes(numbers, rows, new BigInt64Array(rows.length)) };
    default:
      return { type: "uint64", ...wholes(numbers, rows, new BigUint64Array(rows.length)) };
  }
}

function floats(numbers: Numbers | undefined, rows: Uint32Array) {
  const values = new Float64Array(rows.length);
  if (numbers === undefined) return { values, present: new Uint8Array(rows.length) };
  for (let i = 0; i < rows.length; i += 1) values[i] = numbers.values[rows[i] as number] as number;
  return { values, ...presence(numbers, rows) };
}

function wholes<Values extends BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>>(
  numbers: Numbers | undefined,
  rows: Uint32Array,
  values: Values,
) {
  if (numbers === undefined) return { values, present: new Uint8Array(rows.length) };
  const halves = new Uint32Array(values.buffer);
  for (let i = 0; i < rows.length; i += 1)
    putWhole(halves, i, numbers.values[rows[i] as number] as number);
  return { values, ...presence(numbers, rows) };
}

function presence({ present }: Numbers, rows: Uint32Array): { readonly present?: Uint8Array } {
  if (present === undefined) return {};
  const some = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i += 1) some[i] = present[rows[i] as number] as number;
  return some.includes(0) ? { present: some } : {};
}
