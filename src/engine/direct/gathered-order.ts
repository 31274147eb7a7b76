/** Rows of a scan in an order, of many pieces, in batches of a result. */
import type { ScanColumn } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { type Numbers, putTime, putWhole } from "./chunk.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { isNumber } from "./condition.ts";
import { BATCH_ROW_COUNT_MAX } from "./gathered.ts";
import type { Places } from "./ordered.ts";
import { numbersOf, type Piece } from "./pieces.ts";

/** `columns` of the rows at `places`; they are as in `canGather`. */
export async function* gatherInOrder(
  columns: readonly ScanColumn[],
  pieces: readonly Piece[],
  places: Places,
  cache: ChunkCache,
): AsyncGenerator<ResultBatch> {
  const numbers = new Map<ScanColumn, readonly (Numbers | undefined)[]>();
  for (const column of columns)
    if (isNumber(column)) numbers.set(column, await numbersIn(column, pieces, cache));
  const rowCount = places.rows.length;
  for (let start = 0; start < rowCount; start += BATCH_ROW_COUNT_MAX) {
    const end = Math.min(start + BATCH_ROW_COUNT_MAX, rowCount);
    const some: Places = {
      pieces: places.pieces.subarray(start, end),
      rows: places.rows.subarray(start, end),
      runs: places.runs.subarray(start, end),
    };
    yield {
      rowCount: end - start,
      columns: columns.map((column) => columnOf(column, numbers.get(column) ?? [], pieces, some)),
    };
  }
}

async function numbersIn(
  column: ScanColumn,
  pieces: readonly Piece[],
  cache: ChunkCache,
): Promise<readonly (Numbers | undefined)[]> {
  const found: (Numbers | undefined)[] = [];
  for (const piece of pieces) {
    const numbers = await numbersOf(cache, piece, column);
    found.push(numbers === "inexact" ? undefined : numbers);
  }
  return found;
}

function columnOf(
  { id, kind }: ScanColumn,
  numbers: readonly (Numbers | undefined)[],
  pieces: readonly Piece[],
  places: Places,
): ResultColumn {
  const rowCount = places.rows.length;
  switch (kind) {
    case "time":
      return { type: "timestamp", values: timesAt(pieces, places) };
    case "tag": {
      const tags = pieces.map(({ runs }) => runs.tags.get(id));
      const values = Array.from(places.runs, (run, at) => {
        const tag = tags[places.pieces[at] as number];
        return tag?.texts[tag.codes[run] as number] ?? null;
      });
      return { type: "string", values };
    }
    case "float": {
      const values = new Float64Array(rowCount);
      const present = eachNumber(numbers, places, (at, value) => {
        values[at] = value;
      });
      return { type: "float64", values, ...present };
    }
    default: {
      const values = new BigInt64Array(rowCount);
      const halves = new Uint32Array(values.buffer);
      const present = eachNumber(numbers, places, (at, value) => putWhole(halves, at, value));
      if (kind === "integer") return { type: "int64", values, ...present };
      return { type: "uint64", values: new BigUint64Array(values.buffer), ...present };
    }
  }
}

function timesAt(pieces: readonly Piece[], places: Places): BigInt64Array<ArrayBuffer> {
  const values = new BigInt64Array(places.rows.length);
  const halves = new Uint32Array(values.buffer);
  for (let at = 0; at < values.length; at += 1) {
    const { base, offsets } = (pieces[places.pieces[at] as number] as Piece).times;
    putTime(halves, at, base, offsets[places.rows[at] as number] as number);
  }
  return values;
}

/** Gives the numbers of the rows that have one to `put`; answers which have one, unless all do. */
function eachNumber(
  numbers: readonly (Numbers | undefined)[],
  { pieces, rows }: Places,
  put: (at: number, value: number) => void,
): { readonly present?: Uint8Array } {
  const present = new Uint8Array(rows.length);
  for (let at = 0; at < rows.length; at += 1) {
    const found = numbers[pieces[at] as number];
    const row = rows[at] as number;
    if (found === undefined || found.present?.[row] === 0) continue;
    present[at] = 1;
    put(at, found.values[row] as number);
  }
  return present.includes(0) ? { present } : {};
}
