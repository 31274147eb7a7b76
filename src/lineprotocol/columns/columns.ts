import type { ColumnData } from "#model/batch.ts";
import { STRING, TAG_VALUE, type Token } from "../token.ts";
import { Dictionary } from "./dictionary.ts";

/**
 * A column that grows. A line stages its value, and commits it once the whole line has proved good; what a bad
 * line staged is overwritten by the next one that has a value here.
 */
export interface ColumnBuilder {
  readonly name: string;
  /** Which column of its table; -1 until a row has a value here. */
  index: number;
  /** Whether any row has a value here. */
  readonly used: boolean;
  /** Puts the staged value into `row`, which is above all rows that have a value here. */
  commit(row: number): void;
  /** The cells of `rowCount` rows. The column is used up. */
  finish(rowCount: number): ColumnData;
}

export class FloatColumn implements ColumnBuilder {
  readonly name: string;
  index = -1;
  staged = 0;
  readonly #presence = new Presence();
  #values = new Float64Array(0);

  constructor(name: string) {
    this.name = name;
  }

  get used(): boolean {
    return this.#presence.count > 0;
  }

  commit(row: number): void {
    if (row >= this.#values.length) this.#resize(capacityFor(row));
    this.#values[row] = this.staged;
    this.#presence.mark(row);
  }

  finish(rowCount: number): ColumnData {
    this.#resize(rowCount);
    return { kind: "float", values: this.#values, ...this.#presence.finish(rowCount) };
  }

  #resize(count: number): void {
    this.#values = new Float64Array(this.#values.buffer.transfer(count * 8));
  }
}

export class WholeColumn implements ColumnBuilder {
  readonly name: string;
  index = -1;
  readonly kind: "integer" | "uinteger";
  staged = 0n;
  readonly #presence = new Presence();
  /** The bits of unsigned values as well. */
  #values = new BigInt64Array(0);

  constructor(name: string, kind: "integer" | "uinteger") {
    this.name = name;
    this.kind = kind;
  }

  get used(): boolean {
    return this.#presence.count > 0;
  }

  commit(row: number): void {
    if (row >= this.#values.length) this.#resize(capacityFor(row));
    this.#values[row] = this.staged;
    this.#presence.mark(row);
  }

  finish(rowCount: number): ColumnData {
    this.#resize(rowCount);
    const present = this.#presence.finish(rowCount);
    return this.kind === "integer"
      ? { kind: "integer", values: this.#values, ...present }
      : { kind: "uinteger", values: new BigUint64Array(this.#values.buffer), ...present };
  }

  #resize(count: number): void {
    this.#values = new BigInt64Array(this.#values.buffer.transfer(count * 8));
  }
}

export class BooleanColumn implements ColumnBuilder {
  readonly name: string;
  index = -1;
  staged = false;
  readonly #presence = new Presence();
  #values = new Uint8Array(0);

  constructor(name: string) {
    this.name = name;
  }

  get used(): boolean {
    return this.#presence.count > 0;
  }

  commit(row: number): void {
    if (row >= this.#values.length) this.#resize(capacityFor(row));
    this.#values[row] = this.staged ? 1 : 0;
    this.#presence.mark(row);
  }

  finish(rowCount: number): ColumnData {
    this.#resize(rowCount);
    return { kind: "boolean", values: this.#values, ...this.#presence.finish(rowCount) };
  }

  #resize(count: number): void {
    this.#values = new Uint8Array(this.#values.buffer.transfer(count));
  }
}

/** Tags and strings. Its staged value is where the token stands in the body. */
export class TextColumn implements ColumnBuilder {
  readonly name: string;
  index = -1;
  readonly kind: "tag" | "string";
  /** What the last committed value is in the dictionary. */
  lastCode = 0;
  readonly #staged = { start: 0, end: 0, hash: 0, escapeCount: 0 };
  #stagedCode = 0;
  readonly #dictionary: Dictionary;
  #codes = new Uint32Array(0);

  constructor(name: string, kind: "tag" | "string", bytes: Buffer) {
    this.name = name;
    this.kind = kind;
    this.#dictionary = new Dictionary(bytes, (kind === "tag" ? TAG_VALUE : STRING).escape);
  }

  get used(): boolean {
    return this.#dictionary.entries.length > 0;
  }

  stage(token: Token): void {
    const staged = this.#staged;
    staged.start = token.start;
    staged.end = token.end;
    staged.hash = token.hash;
    staged.escapeCount = token.escapeCount;
    this.#stagedCode = 0;
  }

  /** Stages a text that is in the dictionary already. */
  stageCode(code: number): void {
    this.#stagedCode = code;
  }

  commit(row: number): void {
    if (row >= this.#codes.length) this.#resize(capacityFor(row));
    const code = this.#stagedCode === 0 ? this.#dictionary.codeOf(this.#staged) : this.#stagedCode;
    this.#codes[row] = code;
    this.lastCode = code;
  }

  finish(rowCount: number): ColumnData {
    this.#resize(rowCount);
    return { kind: this.kind, codes: this.#codes, dictionary: this.#dictionary.entries };
  }

  #resize(count: number): void {
    this.#codes = new Uint32Array(this.#codes.buffer.transfer(count * 4));
  }
}

/** Which rows have a value. Nothing is written down until a row is left out, for most columns have a value in each. */
class Presence {
  /** Rows that have one. */
  count = 0;
  #flags: Uint8Array<ArrayBuffer> | undefined;

  mark(row: number): void {
    if (this.#flags !== undefined || row !== this.count) this.#note(row);
    this.count += 1;
  }

  /** Nothing when all of them have one. */
  finish(rowCount: number): { readonly present?: Uint8Array } {
    if (this.count === rowCount) return {};
    const flags = this.#flags ?? new Uint8Array(rowCount).fill(1, 0, this.count);
    return { present: new Uint8Array(flags.buffer.transfer(rowCount)) };
  }

  #note(row: number): void {
    this.#flags ??= new Uint8Array(capacityFor(row)).fill(1, 0, this.count);
    if (row >= this.#flags.length)
      this.#flags = new Uint8Array(this.#flags.buffer.transfer(capacityFor(row)));
    this.#flags[row] = 1;
  }
}

/** Cells to make room for when `row` is the first that does not fit. */
export function capacityFor(row: number): number {
  return Math.max(8, 2 * row);
}
