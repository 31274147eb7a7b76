import type { ColumnData } from "#model/batch.ts";
import type { ParsedColumn, ParsedTable } from "../parsed.ts";
import { type SeriesTable, seriesTable } from "../series-table.ts";
import type { Machine } from "./machine.ts";

/** A way in which lines of a table are made up. */
export interface Layout {
  readonly at: number;
  /** Columns of its fields. */
  readonly columns: readonly number[];
}

/** What the machine knows of a table. */
export interface TableRows {
  readonly at: number;
  /** Rows that the plain reader made, rising. */
  readonly plainRows: number[];
  /** The number of each one's series, 0 where it has none. */
  readonly plainSeries: number[];
  readonly layouts: Map<string, Layout>;
}

interface Body {
  /** The rows that the plain reader made. */
  readonly parsed: readonly ParsedTable[];
  /** Of each table; undefined where the machine has none of its rows. */
  readonly rows: readonly (TableRows | undefined)[];
  readonly seriesCount: number;
}

/** Where the machine writes the rows of a table: one piece of its memory. */
interface Places {
  readonly start: number;
  readonly end: number;
  readonly times: number;
  readonly lines: number;
  readonly series: number;
  readonly layouts: number;
  /** By column; 0 where it has none. */
  readonly columns: readonly number[];
}

const TIMES = 16;
const LINES = 20;
const SERIES = 24;
const LAYOUTS = 28;
const COLUMNS = 32;

/** The tables, with the rows of the plain reader and those of the machine. */
export function fillRows(machine: Machine, log: number, body: Body): readonly SeriesTable[] {
  const places = body.parsed.map((table, index) => {
    const rows = body.rows[index];
    const hasRows = rows !== undefined && rows.plainRows.length < machine.word(rows.at);
    return hasRows ? makeRoom(machine, table, rows) : undefined;
  });
  machine.exports.scatter(log);
  // By number of series; used for one table after the other.
  const placeOf = new Uint32Array(body.seriesCount + 1);
  return body.parsed.map((table, index) => {
    const [rows, written] = [body.rows[index], places[index]];
    if (rows === undefined || written === undefined) return seriesTable(table);
    return new Filler({ machine, plain: table, rows, places: written, placeOf }).fill();
  });
}

function makeRoom(machine: Machine, table: ParsedTable, { at, layouts }: TableRows): Places {
  const rowCount = machine.word(at);
  const list = machine.take(4 * table.columns.length);
  const times = machine.take(8 * rowCount);
  const columns = table.columns.map(({ data }, index) => {
    const size = rowCount * (data.kind === "boolean" ? 1 : 8);
    const having = countHaving(layouts, index);
    if (having === 0) return 0;
    // Rows of the plain reader are put in behind.
    return having === layouts.size ? machine.take(size) : machine.takeZeros(size);
  });
  for (const [index, place] of columns.entries()) machine.setWord(list + 4 * index, place);
  const lines = machine.take(4 * rowCount);
  const series = machine.take(4 * rowCount);
  const layoutsAt = machine.take(4 * rowCount);
  machine.setWord(at + TIMES, times);
  machine.setWord(at + LINES, lines);
  machine.setWord(at + SERIES, series);
  machine.setWord(at + LAYOUTS, layoutsAt);
  machine.setWord(at + COLUMNS, list);
  const end = layoutsAt + 4 * rowCount;
  return { start: times, end, times, lines, series, layouts: layoutsAt, columns };
}

function countHaving(layouts: TableRows["layouts"], column: number): number {
  let count = 0;
  for (const { columns } of layouts.values()) if (columns.includes(column)) count += 1;
  return count;
}

interface FillerOptions {
  readonly machine: Machine;
  readonly plain: ParsedTable;
  readonly rows: TableRows;
  readonly places: Places;
  /** By number of series, all 0 before and after. */
  readonly placeOf: Uint32Array;
}

/** Joins the rows of one table that the machine made with those that the plain reader made. */
class Filler {
  readonly #machine: Machine;
  readonly #plain: ParsedTable;
  readonly #rows: TableRows;
  readonly #places: Places;
  readonly #placeOf: Uint32Array;
  readonly #rowCount: number;
  /** A copy of what the machine wrote, which the result keeps. */
  readonly #written: ArrayBuffer;
  /** For each row of the machine its layout, 0 for one of the plain reader. */
  readonly #layoutOf: Uint32Array;

  constructor({ machine, places, placeOf, plain, rows }: FillerOptions) {
    this.#machine = machine;
    this.#plain = plain;
    this.#rows = rows;
    this.#places = places;
    this.#placeOf = placeOf;
    this.#rowCount = machine.word(rows.at);
    this.#written = machine.bytes(places.start, places.end - places.start);
    this.#layoutOf = this.#words(places.layouts);
    for (const row of rows.plainRows) this.#layoutOf[row] = 0;
  }

  fill(): SeriesTable {
    const { name, columns } = this.#plain;
    const times = new BigInt64Array(
      this.#written,
      this.#offset(this.#places.times),
      this.#rowCount,
    );
    putIn(times, this.#plain.times, this.#rows.plainRows);
    const lines = this.#words(this.#places.lines);
    putIn(lines, this.#plain.lines, this.#rows.plainRows);
    const { firstRows, series } = this.#series();
    const cells = columns.map(({ data, name: column }, index): ParsedColumn => {
      return { name: column, data: this.#column(data, index, firstRows) };
    });
    return { name, times, lines, series, seriesCount: firstRows.length, cells };
  }

  /** Numbers the series from 0, in order of appearance; of each, the first row among those of the plain reader. */
  #series(): { readonly firstRows: readonly number[]; readonly series: Uint32Array } {
    const { plainRows, plainSeries } = this.#rows;
    const series = this.#words(this.#places.series);
    putIn(series, Uint32Array.from(plainSeries), plainRows);
    const firstRows: number[] = [];
    const seen: number[] = [];
    const placeOf = this.#placeOf;
    let plainCount = 0;
    for (let row = 0; row < series.length; row += 1) {
      const isPlain = plainRows[plainCount] === row;
      const number = series[row] as number;
      let place = number === 0 ? 0 : (placeOf[number] as number);
      if (place === 0) {
        place = firstRows.push(plainCount);
        if (number !== 0) {
          placeOf[number] = place;
          seen.push(number);
        }
      }
      series[row] = place - 1;
      if (isPlain) plainCount += 1;
    }
    for (const number of seen) placeOf[number] = 0;
    return { firstRows, series };
  }

  #column(data: ColumnData, index: number, firstRows: readonly number[]): ColumnData {
    if (data.kind === "tag" && "codes" in data) {
      const codes = Uint32Array.from(firstRows, (row) => data.codes[row] as number);
      return { kind: data.kind, codes, dictionary: data.dictionary };
    }
    if ("codes" in data) {
      const codes = new Uint32Array(this.#rowCount);
      putIn(codes, data.codes, this.#rows.plainRows);
      return { kind: data.kind, codes, dictionary: data.dictionary };
    }
    const presence = this.#presence(data.present, index);
    switch (data.kind) {
      case "float":
        return { kind: data.kind, values: this.#values(data.values, index), ...presence };
      case "integer":
        return { kind: data.kind, values: this.#values(data.values, index), ...presence };
      case "uinteger":
        return { kind: data.kind, values: this.#values(data.values, index), ...presence };
      case "boolean":
        return { kind: data.kind, values: this.#values(data.values, index), ...presence };
    }
  }

  /** The machine's cells, with those of the plain reader put in. */
  #values<Values extends Float64Array | BigInt64Array | BigUint64Array | Uint8Array>(
    plain: Values,
    index: number,
  ): Values {
    const at = this.#places.columns[index] as number;
    const Type = plain.constructor as new (
      buffer: ArrayBuffer | number,
      offset?: number,
      length?: number,
    ) => Values;
    const values =
      at === 0
        ? new Type(this.#rowCount)
        : new Type(this.#written, this.#offset(at), this.#rowCount);
    putIn(values, plain, this.#rows.plainRows);
    return values;
  }

  #presence(plain: Uint8Array | undefined, index: number): { readonly present?: Uint8Array } {
    const { layouts, plainRows } = this.#rows;
    const having = [...layouts.values()].filter(({ columns }) => columns.includes(index));
    let count = 0;
    for (const { at } of having) count += this.#machine.word(at + 12);
    if (plain === undefined) count += plainRows.length;
    else for (const flag of plain) count += flag;
    if (count === this.#rowCount) return {};
    const present = new Uint8Array(this.#rowCount);
    const has = new Set(having.map(({ at }) => at));
    const layoutOf = this.#layoutOf;
    for (let row = 0; row < present.length; row += 1)
      present[row] = has.has(layoutOf[row] as number) ? 1 : 0;
    for (const [index_, row] of plainRows.entries())
      present[row] = plain === undefined ? 1 : (plain[index_] as number);
    return { present };
  }

  #words(at: number): Uint32Array {
    return new Uint32Array(this.#written, this.#offset(at), this.#rowCount);
  }

  #offset(at: number): number {
    return at - this.#places.start;
  }
}

type Cells = Uint32Array | Uint8Array | Float64Array | BigInt64Array | BigUint64Array;

/** Puts the cells of `source`, one behind the other, into `rows` of `target`. */
function putIn<Array_ extends Cells>(
  target: Array_,
  source: Array_,
  rows: readonly number[],
): void {
  for (let index = 0; index < rows.length; index += 1)
    target[rows[index] as number] = source[index] as never;
}
