import type { ColumnData } from "#model/batch.ts";
import type { TextColumn } from "../columns/columns.ts";
import type { ParsedColumn, ParsedTable } from "../parsed.ts";
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
  /** Numbers of its series. */
  readonly series: number[];
  readonly layouts: Map<string, Layout>;
}

interface Body {
  readonly parsed: readonly ParsedTable[];
  /** Of each table; undefined where the machine has none of its rows. */
  readonly rows: readonly (TableRows | undefined)[];
  /** From number 1 on. */
  readonly series: readonly Series[];
}

interface Series {
  readonly columns: readonly TextColumn[];
  readonly codes: readonly number[];
}

/** Where the machine has written what it knows of a table's rows. */
interface Written {
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

/** The tables with the rows that the machine made, which are empty in `parsed`. */
export function fillRows(machine: Machine, log: number, body: Body): readonly ParsedTable[] {
  const written = body.parsed.map((table, index) => {
    const rows = body.rows[index];
    return rows !== undefined && hasRows(table, rows) ? makeRoom(machine, table, rows) : undefined;
  });
  machine.exports.scatter(log);
  // By number of series; used for one column after the other.
  const codeOf = new Uint32Array(body.series.length + 1);
  return body.parsed.map((table, index) => {
    const [rows, places] = [body.rows[index], written[index]];
    if (rows === undefined || places === undefined) return table;
    return new Filler(machine, {
      table,
      rows,
      written: places,
      series: body.series,
      codeOf,
    }).fill();
  });
}

/** Whether the machine made rows of the table. */
function hasRows({ times }: ParsedTable, { plainRows }: TableRows): boolean {
  return plainRows.length < times.length;
}

function makeRoom(machine: Machine, table: ParsedTable, { at, layouts }: TableRows): Written {
  const rowCount = table.times.length;
  const used = new Set([...layouts.values()].flatMap(({ columns }) => columns));
  const columns = table.columns.map(({ data }, index) => {
    if (!used.has(index)) return 0;
    return machine.takeZeros(rowCount * (data.kind === "boolean" ? 1 : 8));
  });
  const list = machine.take(4 * columns.length);
  for (const [index, place] of columns.entries()) machine.setWord(list + 4 * index, place);
  const written: Written = {
    times: machine.take(8 * rowCount),
    lines: machine.take(4 * rowCount),
    series: machine.takeZeros(4 * rowCount),
    layouts: machine.takeZeros(4 * rowCount),
    columns,
  };
  machine.setWord(at + TIMES, written.times);
  machine.setWord(at + LINES, written.lines);
  machine.setWord(at + SERIES, written.series);
  machine.setWord(at + LAYOUTS, written.layouts);
  machine.setWord(at + COLUMNS, list);
  return written;
}

interface FillerOptions {
  readonly table: ParsedTable;
  readonly rows: TableRows;
  readonly written: Written;
  readonly series: readonly Series[];
  readonly codeOf: Uint32Array;
}

/** Joins the rows of one table that the machine made with those that the plain reader made. */
class Filler {
  readonly #machine: Machine;
  readonly #options: FillerOptions;
  readonly #rowCount: number;
  readonly #seriesOf: Uint32Array;

  constructor(machine: Machine, options: FillerOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#rowCount = options.table.times.length;
    this.#seriesOf = machine.words(options.written.series, this.#rowCount);
  }

  fill(): ParsedTable {
    const { rows, table, written } = this.#options;
    const times = new BigInt64Array(this.#machine.bytes(written.times, 8 * this.#rowCount));
    const lines = this.#machine.words(written.lines, this.#rowCount);
    for (const row of rows.plainRows) {
      times[row] = table.times[row] as bigint;
      lines[row] = table.lines[row] as number;
    }
    const columns = table.columns.map(({ data, name }, index): ParsedColumn => {
      return { name, data: this.#column(data, index) };
    });
    return { name: table.name, times, lines, columns };
  }

  #column(data: ColumnData, index: number): ColumnData {
    if ("codes" in data) {
      return data.kind === "tag" ? { ...data, codes: this.#codes(data.codes, index) } : data;
    }
    if (this.#options.written.columns[index] === 0) return data;
    const presence = this.#presence(data.present, index);
    switch (data.kind) {
      case "float":
        return { kind: "float", values: this.#values(data.values, index), ...presence };
      case "integer":
        return { kind: "integer", values: this.#values(data.values, index), ...presence };
      case "uinteger":
        return { kind: "uinteger", values: this.#values(data.values, index), ...presence };
      case "boolean":
        return { kind: "boolean", values: this.#values(data.values, index), ...presence };
    }
  }

  /** The machine's cells, with those of the plain reader put in. */
  #values<Values extends Float64Array | BigInt64Array | BigUint64Array | Uint8Array>(
    plain: Values,
    index: number,
  ): Values {
    const at = this.#options.written.columns[index] as number;
    const buffer = this.#machine.bytes(at, this.#rowCount * plain.BYTES_PER_ELEMENT);
    const values = new (plain.constructor as new (buffer: ArrayBuffer) => Values)(buffer);
    for (const row of this.#options.rows.plainRows) values[row] = plain[row] as never;
    return values;
  }

  #presence(plain: Uint8Array | undefined, index: number): { readonly present?: Uint8Array } {
    const { layouts, plainRows } = this.#options.rows;
    const having = [...layouts.values()].filter(({ columns }) => columns.includes(index));
    let count = 0;
    for (const { at } of having) count += this.#machine.word(at + 12);
    for (const row of plainRows) count += plain === undefined ? 1 : (plain[row] as number);
    if (count === this.#rowCount) return {};
    const present = plain?.slice() ?? new Uint8Array(this.#rowCount).fill(1);
    const layoutOf = this.#machine.words(this.#options.written.layouts, this.#rowCount);
    const has = new Set(having.map(({ at }) => at));
    for (let row = 0; row < this.#rowCount; row += 1) {
      const layout = layoutOf[row] as number;
      if (layout !== 0) present[row] = has.has(layout) ? 1 : 0;
    }
    return { present };
  }

  #codes(codes: Uint32Array, index: number): Uint32Array {
    const { codeOf, rows, series } = this.#options;
    for (const number of rows.series) {
      const one = series[number - 1] as Series;
      const place = one.columns.findIndex((column) => column.index === index);
      codeOf[number] = place < 0 ? 0 : (one.codes[place] as number);
    }
    const seriesOf = this.#seriesOf;
    for (let row = 0; row < seriesOf.length; row += 1) {
      const number = seriesOf[row] as number;
      if (number !== 0) codes[row] = codeOf[number] as number;
    }
    return codes;
  }
}
