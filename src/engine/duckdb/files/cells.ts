/** Cells of a column over the rows of many blocks, and those of some rows. */
import type { BatchColumn, ColumnData } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import type { ParquetCells, RowCells } from "#parquet/column.ts";
import { type Texts, textsOf } from "#parquet/texts.ts";
import type { StampedParts } from "./rows.ts";

/** Steps through the fields of blocks side by side: one column of all of them is decoded at a time. */
export class FieldReader {
  readonly #blocks: readonly {
    readonly rowCount: number;
    readonly fields: Iterator<BatchColumn>;
    next: IteratorResult<BatchColumn>;
  }[];
  readonly #rowCount: number;

  constructor(blocks: readonly StampedParts[]) {
    this.#blocks = blocks.map(({ parts }) => {
      const fields = parts.fields[Symbol.iterator]();
      return { rowCount: parts.header.rowCount, fields, next: fields.next() };
    });
    this.#rowCount = this.#blocks.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  /** The cells of column `id`; undefined when no block has it. Ids rise from call to call. */
  take(id: ColumnId): RowCells | undefined {
    const parts = this.#blocks.map((block): Part => {
      const { next, rowCount } = block;
      if (next.done === true || next.value.id !== id) return { rowCount, data: undefined };
      block.next = block.fields.next();
      return { rowCount, data: next.value.data };
    });
    const kind = parts.find(({ data }) => data !== undefined)?.data?.kind;
    return kind === undefined ? undefined : joined(parts, kind, this.#rowCount);
  }

  /** Whether all columns of all blocks were taken. */
  get finished(): boolean {
    return this.#blocks.every(({ next }) => next.done === true);
  }
}

interface Part {
  readonly rowCount: number;
  readonly data: ColumnData | undefined;
}

function joined(parts: readonly Part[], kind: ColumnData["kind"], rowCount: number): RowCells {
  switch (kind) {
    case "tag":
    case "string":
      return { kind: "texts", ...joinTexts(parts, rowCount) };
    case "float":
      return { kind: "doubles", ...joinValues(parts, new Float64Array(rowCount)) };
    case "integer":
    case "uinteger":
      return { kind: "wholes", ...joinValues(parts, new BigInt64Array(rowCount)) };
    case "boolean":
      return { kind: "booleans", ...joinValues(parts, new Uint8Array(rowCount)) };
  }
}

type Values = Float64Array | BigInt64Array | Uint8Array;

function joinValues<T extends Values>(
  parts: readonly Part[],
  values: T,
): { readonly values: T; readonly present?: Uint8Array } {
  const whole = parts.every(({ data }) => isWhole(data));
  const present = whole ? undefined : new Uint8Array(values.length);
  let start = 0;
  for (const { data, rowCount } of parts) {
    if (data !== undefined && "values" in data) {
      values.set(asSigned(data.values) as never, start);
      if (data.present === undefined) present?.fill(1, start, start + rowCount);
      else present?.set(data.present, start);
    }
    start += rowCount;
  }
  return present === undefined ? { values } : { values, present };
}

function isWhole(data: ColumnData | undefined): boolean {
  return data !== undefined && "values" in data && data.present === undefined;
}

function asSigned(values: Values | BigUint64Array): Values {
  if (!(values instanceof BigUint64Array)) return values;
  return new BigInt64Array(values.buffer, values.byteOffset, values.length);
}

function joinTexts(
  parts: readonly Part[],
  rowCount: number,
): { readonly codes: Uint32Array; readonly dictionary: Texts } {
  const codes = new Uint32Array(rowCount);
  const codeOf = new Map<string, number>();
  let start = 0;
  for (const { data, rowCount: count } of parts) {
    if (data !== undefined && "codes" in data) {
      const target = data.dictionary.map((text) => {
        const known = codeOf.get(text) ?? codeOf.size + 1;
        codeOf.set(text, known);
        return known;
      });
      for (let row = 0; row < count; row += 1) {
        const code = data.codes[row] as number;
        codes[start + row] = code === 0 ? 0 : (target[code - 1] as number);
      }
    }
    start += count;
  }
  return { codes, dictionary: textsOf([...codeOf.keys()]) };
}

/** The cells of `rows`, in that order. */
export function cellsOf(cells: RowCells, rows: Uint32Array): ParquetCells {
  switch (cells.kind) {
    case "texts":
      return { ...cells, codes: take(cells.codes, rows, new Uint32Array(rows.length)) };
    case "coded wholes":
      return { ...cells, codes: take(cells.codes, rows, new Uint32Array(rows.length)) };
    case "doubles": {
      const values = takeDoubles(cells.values, rows);
      return { kind: cells.kind, values, ...presentOf(cells.present, rows) };
    }
    case "wholes": {
      const values = takeWholes(cells.values, rows);
      return { kind: cells.kind, values, ...presentOf(cells.present, rows) };
    }
    case "booleans": {
      const values = take(cells.values, rows, new Uint8Array(rows.length));
      return { kind: cells.kind, values, ...presentOf(cells.present, rows) };
    }
  }
}

/** Whether some cell is not NULL. */
export function hasValue(cells: ParquetCells): boolean {
  if (cells.kind === "coded wholes") return true;
  const marks = "codes" in cells ? cells.codes : cells.present;
  return marks === undefined || marks.some((mark) => mark !== 0);
}

function presentOf(present: Uint8Array | undefined, rows: Uint32Array) {
  return present === undefined ? {} : { present: take(present, rows, new Uint8Array(rows.length)) };
}

function take<T extends Uint32Array | Uint8Array>(source: T, rows: Uint32Array, target: T): T {
  for (let i = 0; i < rows.length; i += 1) target[i] = source[rows[i] as number] as number;
  return target;
}

function takeDoubles(source: Float64Array, rows: Uint32Array): Float64Array {
  const target = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i += 1) target[i] = source[rows[i] as number] as number;
  return target;
}

/** By halves: no bigint is made. */
function takeWholes(source: BigInt64Array, rows: Uint32Array): BigInt64Array {
  const target = new BigInt64Array(rows.length);
  const sourceHalves = new Int32Array(source.buffer, source.byteOffset, 2 * source.length);
  const targetHalves = new Int32Array(target.buffer);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    targetHalves[2 * i] = sourceHalves[2 * row] as number;
    targetHalves[2 * i + 1] = sourceHalves[2 * row + 1] as number;
  }
  return target;
}
