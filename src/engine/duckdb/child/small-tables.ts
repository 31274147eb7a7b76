/** Which buffered tables are taken out of the engine again: it gives each column far more room than the few rows of most need. */
import type { Table } from "./table.ts";

/** What the engine takes for a column of a table with a row in it, or of a dictionary. */
const COLUMN_SIZE = 32 * 1024;
/** There is room for so many rows. */
const ROW_COUNT_MAX = 2_048;
/** Columns that each table has: position, order stamp and time. */
const OWN_COLUMN_COUNT = 3;

/** Tables in the engine. Of those whose room is mostly empty, the ones that were read last stay, as many as fit. */
export class SmallTables {
  readonly #sizeMax: number;
  /** Those that were read or filled last are last. */
  readonly #made = new Set<Table>();

  /** Small ones may take `sizeMax` bytes, and more where queries read them all at once. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** Rows of `table` are in the engine. */
  add(table: Table): void {
    this.#made.delete(table);
    this.#made.add(table);
  }

  /** `table` is being read. */
  use(table: Table): void {
    if (this.#made.has(table)) this.add(table);
  }

  /** The engine has no rows of `table` any more. */
  delete(table: Table): void {
    this.#made.delete(table);
  }

  /** Those that no query reads, as far as small ones take more than they may together; the ones read longest ago first. */
  cold(): readonly Table[] {
    const small = [...this.#made].filter(
      ({ insertedRowCount }) => insertedRowCount <= ROW_COUNT_MAX,
    );
    let sizeBytes = small.reduce((sum, table) => sum + roomOf(table), 0);
    const cold: Table[] = [];
    for (const table of small) {
      if (sizeBytes <= this.#sizeMax) break;
      if (table.readerCount > 0) continue;
      cold.push(table);
      sizeBytes -= roomOf(table);
    }
    return cold;
  }
}

function roomOf({ columns, dictionaries }: Table): number {
  return COLUMN_SIZE * (OWN_COLUMN_COUNT + columns.size + 2 * dictionaries.size);
}
