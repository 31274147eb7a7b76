import type { ColumnData, ColumnDataKind } from "#model/batch.ts";
import type { ParsedColumn, ParsedTable } from "../parsed.ts";
import { type SeriesTable, seriesTable } from "../series-table.ts";
import type { Domains } from "./domains.ts";
import type { Machine } from "./machine.ts";
import { TextCodes, type Texts } from "./texts.ts";

/** A way in which lines of a table are made up. */
export interface Layout {
  readonly at: number;
  /** Columns of its fields. */
  readonly columns: readonly number[];
}

/** What the machine knows of a table. */
export interface TableRows {
  readonly at: number;
  /** Counts from 1. */
  readonly number: number;
  /** Rows that the plain reader made, rising. */
  readonly plainRows: number[];
  /** The number of each one's series, 0 where it has none. */
  readonly plainSeries: number[];
  readonly layouts: Map<string, Layout>;
  readonly domains: Domains;
}

interface Body {
  /** The rows that the plain reader made. */
  readonly parsed: readonly ParsedTable[];
  /** Of each table; undefined where the machine has none of its rows. */
  readonly rows: readonly (TableRows | undefined)[];
  readonly seriesAt: number;
  readonly logAt: number;
  readonly texts: Texts;
  /** The columns of each layout of tags, by its place. */
  readonly tagColumns: ReadonlyMap<number, readonly number[]>;
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

const SERIES_SIZE = 32;
const SERIES_TAGS = 16;
const SERIES_TEXTS = 20;
const TIMES = 16;
const LINES = 20;
const SERIES = 24;
const LAYOUTS = 28;
const COLUMNS = 32;

/** The tables, with the rows of the plain reader and those of the machine. */
export function fillRows(machine: Machine, body: Body): readonly SeriesTable[] {
  const places = body.parsed.map((table, index) => {
    const rows = body.rows[index];
    const hasRows = rows !== undefined && rows.plainRows.length < machine.word(rows.at);
    return hasRows ? makeRoom(machine, table, rows) : undefined;
  });
  machine.exports.scatter(body.logAt);
  const fillers = body.parsed.map((table, index) => {
    const [rows, written] = [body.rows[index], places[index]];
    if (rows === undefined || written === undefined) return undefined;
    return new Filler({ machine, plain: table, rows, places: written, body });
  });
  // All texts have their numbers now. By number of series, and of text; used for one table after the other.
  const placeOf = new Uint32Array(machine.exports.seriesCount.value + 1);
  const codes = new TextCodes(machine);
  return body.parsed.map((table, index) => {
    return fillers[index]?.fill(placeOf, codes) ?? seriesTable(table);
  });
}

function makeRoom(machine: Machine, table: ParsedTable, { at, layouts }: TableRows): Places {
  const rowCount = machine.word(at);
  const list = machine.take(4 * table.columns.length);
  const times = machine.take(8 * rowCount);
  const columns = table.columns.map(({ data }, index) => {
    const size = rowCount * cellSize(data.kind);
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

function cellSize(kind: ColumnDataKind): number {
  if (kind === "boolean") return 1;
  return kind === "string" ? 4 : 8;
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
  readonly body: Body;
}

/** Joins the rows of one table that the machine made with those that the plain reader made. */
class Filler {
  readonly #machine: Machine;
  readonly #plain: ParsedTable;
  readonly #rows: TableRows;
  readonly #places: Places;
  readonly #body: Body;
  /** Of the columns of texts, the numbers of the plain reader's texts, by its codes. */
  readonly #numbers: readonly (Uint32Array | undefined)[];
  readonly #rowCount: number;
  /** A copy of what the machine wrote, which the result keeps. */
  readonly #written: ArrayBuffer;
  /** For each row of the machine its layout, 0 for one of the plain reader. */
  readonly #layoutOf: Uint32Array;

  constructor({ body, machine, places, plain, rows }: FillerOptions) {
    this.#machine = machine;
    this.#plain = plain;
    this.#rows = rows;
    this.#places = places;
    this.#body = body;
    this.#rowCount = machine.word(rows.at);
    this.#written = machine.bytes(places.start, places.end - places.start);
    this.#layoutOf = this.#words(places.layouts);
    for (const row of rows.plainRows) this.#layoutOf[row] = 0;
    this.#numbers = plain.columns.map(({ data }, index) => {
      // Of tags it may have none either; few are here then.
      if (!("codes" in data) || (data.kind === "string" && places.columns[index] === 0))
        return undefined;
      return body.texts.numbersOf(rows.domains.of(index), data.dictionary);
    });
  }

  /** `placeOf` and `codes` are as for other tables before and after. */
  fill(placeOf: Uint32Array, codes: TextCodes): SeriesTable {
    const { name, columns } = this.#plain;
    const times = new BigInt64Array(
      this.#written,
      this.#offset(this.#places.times),
      this.#rowCount,
    );
    putIn(times, this.#plain.times, this.#rows.plainRows);
    const lines = this.#words(this.#places.lines);
    putIn(lines, this.#plain.lines, this.#rows.plainRows);
    const { series, sources } = this.#series(placeOf);
    const tags = this.#tags(sources);
    const cells = columns.map(({ data, name: column }, index): ParsedColumn => {
      if (!("codes" in data)) return { name: column, data: this.#column(data, index) };
      const numbers = tags[index] ?? this.#strings(data.codes, index);
      const isPlain = this.#numbers[index] === undefined;
      const dictionary = isPlain
        ? { dictionary: data.dictionary }
        : this.#body.texts.dictionaryOf(codes.encode(numbers));
      return { name: column, data: { kind: data.kind, codes: numbers, ...dictionary } };
    });
    return { name, times, lines, series, seriesCount: sources.length, cells };
  }

  /**
   * Numbers the series from 0, in order of appearance. Sources: for each, the first row among those of the plain reader, or else the
   * machine's number of the series, negative.
   */
  #series(placeOf: Uint32Array): { readonly sources: number[]; readonly series: Uint32Array } {
    const { plainRows, plainSeries } = this.#rows;
    const series = this.#words(this.#places.series);
    putIn(series, Uint32Array.from(plainSeries), plainRows);
    const sources: number[] = [];
    const seen: number[] = [];
    let plainCount = 0;
    for (let row = 0; row < series.length; row += 1) {
      const isPlain = plainRows[plainCount] === row;
      const number = series[row] as number;
      let place = number === 0 ? 0 : (placeOf[number] as number);
      if (place === 0) {
        place = sources.push(isPlain ? plainCount : -number);
        placeOf[number] = place;
        seen.push(number);
      }
      series[row] = place - 1;
      if (isPlain) plainCount += 1;
    }
    for (const number of seen) placeOf[number] = 0;
    return { sources, series };
  }

  /** By column, the numbers of the tags of each series. */
  #tags(sources: readonly number[]): readonly (Uint32Array | undefined)[] {
    const { seriesAt, tagColumns } = this.#body;
    const machine = this.#machine;
    const tags = this.#plain.columns.map(({ data }) => {
      return data.kind === "tag" ? new Uint32Array(sources.length) : undefined;
    });
    for (let index = 0; index < sources.length; index += 1) {
      const source = sources[index] as number;
      if (source >= 0) {
        this.#putPlainTags(tags, index, source);
        continue;
      }
      const entry = seriesAt - source * SERIES_SIZE;
      const columns = tagColumns.get(machine.word(entry + SERIES_TAGS)) as readonly number[];
      const texts = machine.word(entry + SERIES_TEXTS);
      for (let place = 0; place < columns.length; place += 1) {
        const numbers = tags[columns[place] as number] as Uint32Array;
        numbers[index] = machine.word(texts + 4 * place);
      }
    }
    return tags;
  }

  #putPlainTags(tags: readonly (Uint32Array | undefined)[], index: number, row: number): void {
    for (const [column, numbers] of tags.entries()) {
      const data = this.#plain.columns[column]?.data;
      if (numbers === undefined || data === undefined || !("codes" in data)) continue;
      numbers[index] = (this.#numbers[column] as Uint32Array)[data.codes[row] as number] as number;
    }
  }

  /** The numbers of the strings of a column, or their codes where the machine has none. */
  #strings(plain: Uint32Array, index: number): Uint32Array {
    const at = this.#places.columns[index] as number;
    const numbers = this.#numbers[index];
    if (numbers === undefined) {
      const codes = new Uint32Array(this.#rowCount);
      putIn(codes, plain, this.#rows.plainRows);
      return codes;
    }
    const cells = this.#words(at);
    putIn(
      cells,
      plain.map((code) => numbers[code] as number),
      this.#rows.plainRows,
    );
    return cells;
  }

  #column(data: Exclude<ColumnData, { codes: unknown }>, index: number): ColumnData {
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
