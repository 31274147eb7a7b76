import { DbError } from "#base/errors.ts";

/**
 * Cells that a body may fill, about nine bytes each: some however small it is, more for each of its bytes, up to a most. This bounds what
 * a body of few bytes can do with many names on many lines. A dense body has fewer cells than bytes, whatever its size.
 */
const CELL_COUNT_FREE = 2 ** 18;
const CELLS_PER_BYTE = 24;
const SPARSE_CELL_COUNT_MAX = 2 ** 24;
/** What a table and a column cost before they hold anything, in cells. */
export const TABLE_CELLS = 128;
export const COLUMN_CELLS = 32;

/** Bounds the memory of a parsed body: the cells of its columns, those without a value included. */
export class Budget {
  readonly #cellCountMax: number;
  #left: number;

  constructor(bodySizeBytes: number) {
    const sparse = CELL_COUNT_FREE + CELLS_PER_BYTE * bodySizeBytes;
    this.#cellCountMax = Math.min(sparse, SPARSE_CELL_COUNT_MAX) + bodySizeBytes;
    this.#left = this.#cellCountMax;
  }

  /** Throws DbError `exceeded` / `write_too_sparse`. */
  spend(cellCount: number): void {
    this.#left -= cellCount;
    if (this.#left >= 0) return;
    throw new DbError(
      "exceeded",
      "write_too_sparse",
      "the body names too many tables and columns for its size; send it in smaller parts",
      { detail: { cellCountMax: this.#cellCountMax } },
    );
  }
}
