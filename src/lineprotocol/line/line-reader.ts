import { COMMA, EQUALS, NUL, SPACE, sameBytes } from "../ascii.ts";
import { Budget } from "../columns/budget.ts";
import type { ColumnBuilder, TextColumn } from "../columns/columns.ts";
import type { Series } from "../columns/series-chain.ts";
import {
  type FieldKey,
  type Key,
  type KeySet,
  TableBuilder,
  type TagKey,
} from "../columns/table.ts";
import type { ParsedTable, ParseOptions } from "../parsed.ts";
import { FAILED, Fault, type Problem } from "../problems.ts";
import {
  decodeToken,
  KEY,
  MEASUREMENT,
  TABBED_MEASUREMENT,
  TAG_VALUE,
  Token,
  type TokenGrammar,
} from "../token.ts";
import { skipSpaces, TimeReader } from "./time-reader.ts";
import { NO_VALUE, ValueReader } from "./value-reader.ts";

/** How a line is made up. */
export interface LineShape {
  /** Where the tags end, and a space stands. */
  tagsEnd: number;
  tagCount: number;
  /** Whether the tags were read one by one, so that where they stand is known. */
  tagsRead: boolean;
  /** Where the key of each tag begins, and behind its equals sign the value. */
  readonly tagStarts: number[];
  readonly tagValueStarts: number[];
  /** The first `columnCount`: those of its tags, then those of its fields. */
  readonly columns: ColumnBuilder[];
  columnCount: number;
  /** Where the key of each field begins, and behind its equals sign the value. */
  readonly fieldStarts: number[];
  readonly valueStarts: number[];
}

/**
 * Reads line by line into columns of tables.
 *
 * Most lines look like the line before, so names are first compared, as bytes, with those that the last line of
 * the table had at the same place; only where they differ are they read and looked up.
 */
export class LineReader {
  readonly #bytes: Buffer;
  readonly #options: ParseOptions;
  readonly #fault = new Fault();
  readonly #token = new Token();
  readonly #values: ValueReader;
  readonly #times: TimeReader;
  readonly #budget: Budget;
  readonly #onRow: ((table: TableBuilder) => void) | undefined;
  /** Tables that have rows, in order of their first. */
  readonly #tables = new Map<string, TableBuilder>();
  /** The table of the last line, and where its name stands. */
  #table: TableBuilder | undefined;
  #tableStart = 0;
  #tableEnd = 0;
  /** The line: where it ends, its index, and its shape. */
  #end = 0;
  #line = 0;
  readonly #shape: LineShape = {
    tagsEnd: 0,
    tagCount: 0,
    tagsRead: false,
    tagStarts: [],
    tagValueStarts: [],
    columns: [],
    columnCount: 0,
    fieldStarts: [],
    valueStarts: [],
  };

  /** `onRow` is called before a table gets a row. */
  readonly #measurement: TokenGrammar;

  constructor(bytes: Buffer, options: ParseOptions, onRow?: (table: TableBuilder) => void) {
    this.#bytes = bytes;
    this.#options = options;
    this.#onRow = onRow;
    this.#measurement = options.escapedTabs ? TABBED_MEASUREMENT : MEASUREMENT;
    this.#values = new ValueReader(bytes, this.#fault, options.limits.stringSizeMax);
    this.#times = new TimeReader(bytes, options, this.#fault);
    this.#budget = new Budget(bytes.length);
  }

  /**
   * Reads line `line` of the body, UTF-8 in [`start`, `end`) without blanks in front: makes a row of it, or
   * answers false and leaves no trace but `problemMessage`. Throws DbError `exceeded` / `write_too_sparse`.
   */
  read(start: number, end: number, line: number): boolean {
    this.#end = end;
    this.#line = line;
    const shape = this.#shape;
    shape.columnCount = 0;
    const nameEnd = this.#readMeasurement(start);
    const table = this.#table;
    if (nameEnd === FAILED || table === undefined) return false;
    const series = table.series.find(nameEnd, end);
    const tagsEnd =
      series === undefined ? this.#readTags(table, nameEnd) : this.#takeTags(series, nameEnd);
    if (tagsEnd === FAILED) return false;
    shape.tagsEnd = tagsEnd;
    shape.tagsRead = series === undefined;
    shape.tagCount = shape.columnCount;
    const fieldsEnd = this.#readFields(table, tagsEnd);
    if (fieldsEnd === FAILED) return false;
    if (this.#times.read(fieldsEnd, end) === FAILED) return false;
    // A table that only bad lines name is forgotten.
    if (table.rowCount === 0) this.#tables.set(table.name, table);
    this.#onRow?.(table);
    table.commit(shape.columns, shape.columnCount, this.#times.timeNs, line);
    if (series !== undefined) table.series.follow(series);
    else table.series.learn(nameEnd, tagsEnd, shape.columns, shape.tagCount);
    return true;
  }

  /** Of the line that was just read, and good. */
  get table(): TableBuilder | undefined {
    return this.#table;
  }

  /** Of the line that was just read, and good; the next one overwrites it. */
  get shape(): LineShape {
    return this.#shape;
  }

  /** What was wrong with the line that was just parsed. */
  problemMessage(): string {
    return this.#fault.message(this.#bytes, this.#options);
  }

  /** The tables that have rows. The reader is used up. */
  finish(): readonly ParsedTable[] {
    return Array.from(this.#tables.values(), (table) => table.finish());
  }

  /** The tables that have rows, in the order of `finish`. */
  tables(): readonly TableBuilder[] {
    return [...this.#tables.values()];
  }

  #readMeasurement(start: number): number {
    const bytes = this.#bytes;
    const size = this.#tableEnd - this.#tableStart;
    const after = start + size;
    if (
      size > 0 &&
      after < this.#end &&
      (bytes[after] === COMMA || bytes[after] === SPACE) &&
      sameBytes(bytes, this.#tableStart, start, size)
    ) {
      return after;
    }
    const token = this.#token;
    token.scan(bytes, start, this.#end, this.#measurement.meanings);
    // A NUL ends the name, unless a backslash stands in front of it.
    const hasNul = bytes.subarray(token.start, token.end).includes(NUL);
    const isMissing = token.end === start || hasNul;
    const problem = isMissing ? "measurement" : this.#findNameProblem(token);
    if (problem !== undefined) return this.#fault.note(problem, start, token.end);
    // A line that ends here is bad, and needs no table to find that out.
    if (token.end === this.#end) return this.#fault.note("space", token.end, token.end);
    const name = decodeToken(bytes, token, this.#measurement.escape);
    this.#table = this.#tables.get(name) ?? new TableBuilder(name, bytes, this.#budget);
    this.#tableStart = token.start;
    this.#tableEnd = token.end;
    return token.end;
  }

  /** Stages tags that a good line had before. */
  #takeTags({ codes, columns, end, start }: Series, at: number): number {
    for (let index = 0; index < columns.length; index += 1) {
      const column = columns[index] as TextColumn;
      column.stageCode(codes[index] as number);
      this.#shape.columns[index] = column;
    }
    this.#shape.columnCount = columns.length;
    return at + end - start;
  }

  #readTags(table: TableBuilder, start: number): number {
    let at = start;
    for (let index = 0; at < this.#end && this.#bytes[at] === COMMA; index += 1) {
      const keyStart = at + 1;
      const key = this.#readKey(table.tagKeys, keyStart, index);
      if (key === undefined) {
        // The message for a missing equals sign quotes the tags from their start.
        return this.#fault.problem === "tag_equals"
          ? this.#fault.note("tag_equals", start + 1, this.#end)
          : FAILED;
      }
      const valueStart = keyStart + key.end - key.start + 1;
      at = this.#readTagValue(key, valueStart);
      if (at === FAILED) return FAILED;
      this.#shape.tagStarts[index] = keyStart;
      this.#shape.tagValueStarts[index] = valueStart;
    }
    return at;
  }

  #readTagValue(key: TagKey, start: number): number {
    if (key.line === this.#line) return this.#fault.note("tag_twice", key.start, key.end);
    key.line = this.#line;
    const token = this.#token;
    token.scan(this.#bytes, start, this.#end, TAG_VALUE.meanings);
    if (token.end === start) return this.#fault.note("tag_value", start, this.#end);
    const problem = this.#findNameProblem(token);
    if (problem !== undefined) return this.#fault.note(problem, start, token.end);
    key.column.stage(token);
    this.#addColumn(key.column);
    return token.end;
  }

  #readFields(table: TableBuilder, start: number): number {
    const first = skipSpaces(this.#bytes, start, this.#end);
    if (first === start) return this.#fault.note("space", start, this.#end);
    let at = first;
    for (let index = 0; ; index += 1) {
      const fieldEnd = this.#readField(table.fieldKeys, at, index);
      if (fieldEnd === NO_VALUE) return this.#noteNoField(at, index);
      if (fieldEnd === FAILED) return FAILED;
      if (fieldEnd === this.#end || this.#bytes[fieldEnd] !== COMMA) return fieldEnd;
      at = fieldEnd + 1;
    }
  }

  /** Returns the offset after the field at `start`, NO_VALUE when there is no field, or FAILED. */
  #readField(keys: KeySet<FieldKey>, start: number, index: number): number {
    const key = this.#readKey(keys, start, index);
    if (key === undefined) {
      const { problem } = this.#fault;
      return problem === "tag_key" || problem === "tag_equals" ? NO_VALUE : FAILED;
    }
    const valueStart = start + key.end - key.start + 1;
    const valueEnd = this.#values.read(key, valueStart, this.#end);
    if (valueEnd < 0) return valueEnd;
    if (key.line === this.#line) return this.#fault.note("field_twice", key.start, key.end);
    key.line = this.#line;
    this.#addColumn(this.#values.column as ColumnBuilder);
    this.#shape.fieldStarts[index] = start;
    this.#shape.valueStarts[index] = valueStart;
    return valueEnd;
  }

  #addColumn(column: ColumnBuilder): void {
    const shape = this.#shape;
    shape.columns[shape.columnCount] = column;
    shape.columnCount += 1;
  }

  #noteNoField(start: number, index: number): number {
    if (index === 0) return this.#fault.note("no_fields", start, this.#end);
    // A comma with nothing behind it is quoted itself.
    return this.#fault.note("trailing", start === this.#end ? start - 1 : start, this.#end);
  }

  /**
   * The key at `start`, followed by an equals sign. Undefined when the name is not allowed, or when there is none,
   * which is noted as a tag's problem.
   */
  #readKey<K extends Key>(keys: KeySet<K>, start: number, index: number): K | undefined {
    const bytes = this.#bytes;
    const expected = keys.order[index];
    if (expected !== undefined) {
      const size = expected.end - expected.start;
      const after = start + size;
      if (after < this.#end && bytes[after] === EQUALS) {
        if (sameBytes(bytes, expected.start, start, size)) return expected;
      }
    }
    const token = this.#token;
    token.scan(bytes, start, this.#end, KEY.meanings);
    const problem = this.#findKeyProblem(token);
    if (problem !== undefined) {
      this.#fault.note(problem, start, this.#end);
      return undefined;
    }
    const key = keys.find(decodeToken(bytes, token, KEY.escape));
    key.start = token.start;
    key.end = token.end;
    keys.order[index] = key;
    return key;
  }

  #findKeyProblem(token: Token): Problem | undefined {
    if (token.end === token.start) return "tag_key";
    const problem = this.#findNameProblem(token);
    if (problem !== undefined) return problem;
    const isFollowed = token.end < this.#end && this.#bytes[token.end] === EQUALS;
    return isFollowed ? undefined : "tag_equals";
  }

  #findNameProblem(token: Token): Problem | undefined {
    if (token.endsInBackslash) return "backslash";
    return token.sizeBytes > this.#options.limits.nameSizeMax ? "name_size" : undefined;
  }
}
