/** Which buffered tables are taken out of the engine again: it gives each column far more room than the few rows of most need. */
import type { Table } from "./table.ts";

/** What the engine takes for a column of a table with a row in it, or of a dictionary. */
const COLUMN_SIZE = 32 * 1024;
/** Columns that each table has: position, order stamp and time. */
const OWN_COLUMN_COUNT = 3;

/** Tables in the engine whose room is mostly empty: those read last stay, as many as fit. */
export class SmallTables {
  readonly #sizeMax: number;
  /** Those read last are last. */
  readonly #tables = new Set<Table>();

  /** They may take `sizeMax` bytes, and more where queries read them all at once. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** `table` is being read. */
  use(table: Table): void {
    this.#tables.delete(table);
    this.#tables.add(table);
  }

  /** Those that are to be taken out, as no query reads them; they are forgotten here. */
  takeCold(): readonly Table[] {
    const small: (readonly [Table, number])[] = [];
    let sizeBytes = 0;
    for (const table of this.#tables) {
      const roomBytes = roomOf(table);
      // What was dropped, or has filled its room, is no matter of ours.
      if (!table.made || table.sizeBytes > roomBytes) this.#tables.delete(table);
      else {
        small.push([table, roomBytes]);
        sizeBytes += roomBytes;
      }
    }
    const cold: Table[] = [];
    for (const [table, roomBytes] of small) {
      if (sizeBytes <= this.#sizeMax) break;
      if (table.readerCount > 0) continue;
      this.#tables.delete(table);
      cold.push(table);
      sizeBytes -= roomBytes;
    }
    return cold;
  }
}

function roomOf({ columns, dictionaries }: Table): number {
  return COLUMN_SIZE * (OWN_COLUMN_COUNT + columns.size + 2 * dictionaries.size);
}
