import { isUtf8 } from "node:buffer";
import { SPACE } from "../ascii.ts";
import type { TableBuilder } from "../columns/table.ts";
import { LineReader } from "../line/line-reader.ts";
import { LineCursor } from "../lines.ts";
import { bufferOf, parseParts, RejectedLines } from "../parse.ts";
import type { ParseOptions } from "../parsed.ts";
import { unitNs } from "../precision.ts";
import { type SeriesParts, type SeriesTable, seriesTable } from "../series-table.ts";
import { DomainCounter, Domains } from "./domains.ts";
import { fillRows, type TableRows } from "./fill-rows.ts";
import { Layouts } from "./layouts.ts";
import { Machine } from "./machine.ts";
import { POWERS_OF_TEN } from "./powers.ts";
import { Texts } from "./texts.ts";

/** Larger bodies take the plain parser: this one would need too much memory at once. */
const BODY_SIZE_MAX = 12 * 2 ** 20;
/**
 * An instance that has grown beyond this, as only bodies of very many columns make it, is let go of. Others are kept: a new one for each
 * large body would take twice the time and memory, for the system clears its pages and V8 collects it late.
 */
const MACHINE_SIZE_MAX = 160 * 2 ** 20;
const SERIES_SIZE = 32;
const SERIES_COUNT_MAX = 2 ** 18 - 1;
/** Bytes of a body for each series that may be learnt: shorter lines than this would not be worth it. */
const SERIES_BODY_SIZE = 32;
/** The bytes that a tag takes at least, with its key. */
const TAG_BODY_SIZE = 4;
const TABLE_SIZE = 64;
/** Zeros behind the body, so that no load leaves it. */
const PAD_SIZE = 64;
/** Odd lines in a row after which the rest is left to the plain reader. */
const ODD_COUNT_MAX = 256;
const NEWLINE = 10;
const ENDED = 0;
const FULL = 2;
const TEXTS_FULL = 3;

/**
 * Parses as `parseParts` does, and several times as fast where lines look like lines before them. The others are read by the plain reader:
 * the first of each way a line is made up, bad ones, and numbers that are hard to read.
 */
export class FastParser {
  #machine = new Machine();

  parse(body: Uint8Array, options: ParseOptions): SeriesParts {
    const bytes = bufferOf(body);
    if (bytes.length > BODY_SIZE_MAX || !isUtf8(bytes)) {
      const parts = parseParts(body, options);
      return { ...parts, tables: parts.tables.map(seriesTable) };
    }
    try {
      return new BodyRun(this.#machine, bytes, options).run();
    } finally {
      if (this.#machine.sizeBytes > MACHINE_SIZE_MAX) this.#machine = new Machine();
      this.#machine.clear();
    }
  }
}

/** One body on its way through the machine. */
class BodyRun {
  readonly #machine: Machine;
  readonly #bytes: Buffer;
  readonly #bodyAt: number;
  readonly #logAt: number;
  readonly #cursor: LineCursor;
  readonly #reader: LineReader;
  readonly #rejected: RejectedLines;
  readonly #tables = new Map<TableBuilder, TableRows>();
  readonly #domains = new DomainCounter();
  readonly #layouts: Layouts;
  readonly #texts: Texts;
  readonly #seriesAt: number;

  constructor(machine: Machine, bytes: Buffer, options: ParseOptions) {
    this.#machine = machine;
    this.#bytes = bytes;
    const size = bytes.length;
    const seriesCountMax = Math.min(SERIES_COUNT_MAX, Math.ceil(size / SERIES_BODY_SIZE));
    const slotCount = 2 ** Math.ceil(Math.log2(2 * seriesCountMax + 2));
    this.#seriesAt = machine.take((seriesCountMax + 1) * SERIES_SIZE);
    const slotsAt = machine.takeZeros(4 * slotCount);
    this.#bodyAt = machine.take(size + 1 + PAD_SIZE);
    machine.write(this.#bodyAt, bytes);
    machine.fill(this.#bodyAt + size, NEWLINE, 1);
    machine.fill(this.#bodyAt + size + 1, 0, PAD_SIZE);
    const logSize = 4 * size + PAD_SIZE;
    this.#logAt = machine.take(logSize);
    machine.exports.begin(
      this.#bodyAt,
      this.#bodyAt + size,
      options.precision === "auto" ? 0n : unitNs(options.precision),
      options.defaultTimeNs,
      this.#seriesAt,
      seriesCountMax,
      slotsAt,
      slotCount,
      this.#logAt,
      logSize,
    );
    const powersAt = machine.take(POWERS_OF_TEN.byteLength);
    machine.write(powersAt, POWERS_OF_TEN);
    machine.exports.beginTexts(
      machine.take(size),
      machine.take(size + PAD_SIZE),
      options.limits.nameSizeMax,
      options.limits.stringSizeMax,
      powersAt,
    );
    this.#texts = new Texts(machine, Math.ceil(size / TAG_BODY_SIZE) + 1);
    this.#layouts = new Layouts(machine, this.#bodyAt);
    this.#cursor = new LineCursor(bytes);
    this.#reader = new LineReader(bytes, options, (table) => this.#skipRows(table));
    this.#rejected = new RejectedLines(bytes, options.limits.rejectedMax);
  }

  run(): SeriesParts {
    const { exports } = this.#machine;
    let lineCount = 0;
    let oddCount = 0;
    for (;;) {
      const status = exports.parse();
      const seen = exports.lineCount.value;
      oddCount = seen === lineCount ? oddCount + 1 : 0;
      lineCount = seen;
      if (status === ENDED) break;
      if (status === TEXTS_FULL && this.#texts.grow()) continue;
      this.#cursor.seek(exports.at.value - this.#bodyAt);
      if (status === FULL || oddCount > ODD_COUNT_MAX) {
        lineCount = this.#readRest(lineCount);
        break;
      }
      if (!this.#cursor.advance()) break;
      if (this.#readLine(lineCount)) this.#learn();
      exports.goOn(this.#bodyAt + this.#cursor.end + 1);
      lineCount += 1;
    }
    return { tables: this.#finish(), ...this.#rejected.all(), lineCount };
  }

  /** Has the plain reader read the line at the cursor; answers whether it is good. */
  #readLine(line: number): boolean {
    const { end, textStart } = this.#cursor;
    if (this.#reader.read(textStart, end, line)) return true;
    this.#rejected.add(this.#cursor, this.#reader.problemMessage());
    return false;
  }

  #readRest(first: number): number {
    let line = first;
    while (this.#cursor.advance()) {
      if (this.#readLine(line)) this.#noteRow(this.#tableRows());
      line += 1;
    }
    return line;
  }

  /** The rows that the machine made of this table come before the one that the plain reader makes now. */
  #skipRows(table: TableBuilder): void {
    const rows = this.#tables.get(table);
    if (rows !== undefined) table.skipTo(this.#machine.word(rows.at));
  }

  /** Of the table of the line that was just read. */
  #tableRows(): TableRows {
    const table = this.#reader.table as TableBuilder;
    const known = this.#tables.get(table);
    if (known !== undefined) return known;
    const rows: TableRows = {
      at: this.#machine.takeZeros(TABLE_SIZE),
      number: this.#tables.size + 1,
      plainRows: [],
      plainSeries: [],
      layouts: new Map(),
      domains: new Domains(this.#domains),
    };
    this.#tables.set(table, rows);
    return rows;
  }

  /** Writes down that the row was made that the plain reader has just made. */
  #noteRow(rows: TableRows): boolean {
    const row = this.#machine.word(rows.at);
    rows.plainRows.push(row);
    rows.plainSeries.push(0);
    if (this.#machine.exports.leaveGap(rows.at) !== 0) return true;
    // The log is full: nothing comes behind it.
    this.#machine.setWord(rows.at, row + 1);
    return false;
  }

  /** Teaches the machine what the line that was just read looks like. */
  #learn(): void {
    const rows = this.#tableRows();
    if (!this.#noteRow(rows)) return;
    const { shape } = this.#reader;
    const { fieldStarts, tagsEnd } = shape;
    // More than one space is for the plain reader.
    if (this.#bytes[tagsEnd] !== SPACE || fieldStarts[0] !== tagsEnd + 1) return;
    const start = this.#cursor.textStart;
    const series = this.#machine.exports.learnSeries(
      this.#bodyAt + start,
      tagsEnd - start,
      rows.at,
    );
    rows.plainSeries[rows.plainSeries.length - 1] = series;
    this.#layouts.learnTags(rows, shape, start);
    this.#layouts.learnFields(rows, shape);
  }

  #finish(): readonly SeriesTable[] {
    const tables = this.#reader.tables();
    for (const table of tables) this.#skipRows(table);
    const parsed = this.#reader.finish();
    const rows = tables.map((table) => this.#tables.get(table));
    return fillRows(this.#machine, {
      parsed,
      rows,
      seriesAt: this.#seriesAt,
      logAt: this.#logAt,
      texts: this.#texts,
      tagColumns: this.#layouts.tagColumns,
    });
  }
}
