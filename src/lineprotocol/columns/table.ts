import type { ParsedTable } from "../parsed.ts";
import { type Budget, COLUMN_CELLS, TABLE_CELLS } from "./budget.ts";
import {
  BooleanColumn,
  type ColumnBuilder,
  capacityFor,
  FloatColumn,
  TextColumn,
  WholeColumn,
} from "./columns.ts";
import { SeriesChain } from "./series-chain.ts";

/** A measurement of the body: the names its lines used, and the rows of its good lines. */
export class TableBuilder {
  readonly name: string;
  readonly tagKeys: KeySet<TagKey>;
  readonly fieldKeys: KeySet<FieldKey>;
  readonly series: SeriesChain;
  rowCount = 0;
  readonly #budget: Budget;
  readonly #columns: ColumnBuilder[] = [];
  /** Rows that somebody else has: they have no cells here. */
  #skippedCount = 0;
  #times = new BigInt64Array(0);
  #lines = new Uint32Array(0);

  constructor(name: string, bytes: Buffer, budget: Budget) {
    this.name = name;
    this.#budget = budget;
    this.series = new SeriesChain(bytes);
    this.tagKeys = new KeySet((key) => new TagKey(key, bytes, budget));
    this.fieldKeys = new KeySet((key) => new FieldKey(key, bytes, budget));
  }

  /** Makes a row of what the first `count` of `columns` have staged, each of them another one. */
  commit(columns: readonly ColumnBuilder[], count: number, timeNs: bigint, line: number): void {
    const row = this.rowCount - this.#skippedCount;
    if (this.rowCount === 0) this.#budget.spend(TABLE_CELLS);
    if (row >= this.#lines.length) this.#resize(capacityFor(row));
    this.#times[row] = timeNs;
    this.#lines[row] = line;
    for (let index = 0; index < count; index += 1) {
      const column = columns[index] as ColumnBuilder;
      if (!column.used) this.#addColumn(column);
      column.commit(row);
    }
    this.rowCount += 1;
    this.#budget.spend(this.#columns.length + 2);
  }

  /** The rows before `row` are somebody else's, and cost as much as if they were here. */
  skipTo(row: number): void {
    this.#budget.spend((row - this.rowCount) * (this.#columns.length + 2));
    this.#skippedCount += row - this.rowCount;
    this.rowCount = row;
  }

  /** The rows that are here. The table is used up. */
  finish(): ParsedTable {
    const rowCount = this.rowCount - this.#skippedCount;
    this.#resize(rowCount);
    const columns = this.#columns.map((column) => ({
      name: column.name,
      data: column.finish(rowCount),
    }));
    return { name: this.name, times: this.#times, lines: this.#lines, columns };
  }

  #addColumn(column: ColumnBuilder): void {
    // All rows before this one get a cell, too.
    this.#budget.spend(this.rowCount);
    column.index = this.#columns.push(column) - 1;
  }

  #resize(count: number): void {
    this.#times = new BigInt64Array(this.#times.buffer.transfer(count * 8));
    this.#lines = new Uint32Array(this.#lines.buffer.transfer(count * 4));
  }
}

/** A name that stood in front of an equals sign. */
export abstract class Key {
  readonly name: string;
  /** Where the body spells it: the last place that had to be read byte by byte. */
  start = 0;
  end = 0;
  /** The last line that used it, to find what stands twice in a line. */
  line = -1;

  constructor(name: string) {
    this.name = name;
  }
}

/** The keys that lines of one table used, and the order in which the last line had them. */
export class KeySet<K extends Key> {
  /** By place in the line. */
  readonly order: K[] = [];
  readonly #keys = new Map<string, K>();
  readonly #create: (name: string) => K;

  constructor(create: (name: string) => K) {
    this.#create = create;
  }

  find(name: string): K {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = this.#create(name);
    this.#keys.set(name, key);
    return key;
  }
}

export class TagKey extends Key {
  readonly column: TextColumn;

  constructor(name: string, bytes: Buffer, budget: Budget) {
    super(name);
    budget.spend(COLUMN_CELLS);
    this.column = new TextColumn(name, "tag", bytes);
  }
}

/** A field key has a column for each kind of value it was given. */
export class FieldKey extends Key {
  readonly #bytes: Buffer;
  readonly #budget: Budget;
  #float: FloatColumn | undefined;
  #integer: WholeColumn | undefined;
  #uinteger: WholeColumn | undefined;
  #boolean: BooleanColumn | undefined;
  #string: TextColumn | undefined;

  constructor(name: string, bytes: Buffer, budget: Budget) {
    super(name);
    budget.spend(COLUMN_CELLS);
    this.#bytes = bytes;
    this.#budget = budget;
  }

  get float(): FloatColumn {
    this.#float ??= this.#paid(new FloatColumn(this.name));
    return this.#float;
  }

  get integer(): WholeColumn {
    this.#integer ??= this.#paid(new WholeColumn(this.name, "integer"));
    return this.#integer;
  }

  get uinteger(): WholeColumn {
    this.#uinteger ??= this.#paid(new WholeColumn(this.name, "uinteger"));
    return this.#uinteger;
  }

  get boolean(): BooleanColumn {
    this.#boolean ??= this.#paid(new BooleanColumn(this.name));
    return this.#boolean;
  }

  get string(): TextColumn {
    this.#string ??= this.#paid(new TextColumn(this.name, "string", this.#bytes));
    return this.#string;
  }

  #paid<C extends ColumnBuilder>(column: C): C {
    this.#budget.spend(COLUMN_CELLS);
    return column;
  }
}
