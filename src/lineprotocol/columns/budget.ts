import { DbError } from "#base/errors.ts";

/**
 * Cells that every body may fill, about nine bytes each. A dense body has fewer cells than bytes and never gets
 * here; this bounds what a body of few bytes can do with many names on many lines.
 */
export const CELL_COUNT_FREE = 2 ** 24;
/** What a table and a column cost before they hold anything, in cells. */
export const TABLE_CELLS = 128;
export const COLUMN_CELLS = 32;

/** Bounds the memory of a parsed body: the cells of its columns, those without a value included. */
export class Budget {
  readonly #cellCountMax: number;
  #left: number;

  constructor(bodySizeBytes: number) {
    this.#cellCountMax = CELL_COUNT_FREE + bodySizeBytes;
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
