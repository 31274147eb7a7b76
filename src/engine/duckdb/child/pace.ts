/** When rows are worth inserting before anybody asks for them. */
import type { TableId } from "#model/ids.ts";

/** Rows a second that are inserted in case somebody asks: about 5 % of a core. */
const USUAL_ROWS_PER_MS = 50;
/** This many rows at once are still usual. */
const BURST_ROW_COUNT_MAX = 250_000;
/** A table that was read within this time is read again. */
const READ_MS_MAX = 10_000;

/**
 * Rows that come at a usual rate are inserted in the background, so that a first query finds them; those of a bulk load are not: they
 * would take a large part of the machine, and are in files before long. A table that is being read has its rows inserted at any rate.
 */
export class Pace {
  readonly #nowMs: () => number;
  /** By tables that were read: the catalog bounds them. */
  readonly #readMs = new Map<TableId, number>();
  /** Rows that came beyond the usual rate, up to twice the bound, so that it is met soon after a load has ended. */
  #excessCount = 0;
  #lastMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#lastMs = nowMs();
  }

  came(rowCount: number): void {
    this.#forget();
    this.#excessCount = Math.min(this.#excessCount + rowCount, 2 * BURST_ROW_COUNT_MAX);
  }

  read(tableId: TableId): void {
    this.#readMs.set(tableId, this.#nowMs());
  }

  /** Whether rows of `tableId` are to be inserted although nobody waits for them. */
  allows(tableId: TableId): boolean {
    const readMs = this.#readMs.get(tableId);
    if (readMs !== undefined && this.#nowMs() - readMs <= READ_MS_MAX) return true;
    this.#forget();
    return this.#excessCount <= BURST_ROW_COUNT_MAX;
  }

  #forget(): void {
    const nowMs = this.#nowMs();
    const usualCount = (nowMs - this.#lastMs) * USUAL_ROWS_PER_MS;
    this.#excessCount = Math.max(0, this.#excessCount - usualCount);
    this.#lastMs = nowMs;
  }
}
