import {
  DIGIT_0,
  DIGIT_9,
  LOWER_F,
  LOWER_I,
  LOWER_T,
  LOWER_U,
  MINUS,
  QUOTE,
  UPPER_F,
  UPPER_T,
} from "../ascii.ts";
import type { ColumnBuilder } from "../columns/columns.ts";
import type { FieldKey } from "../columns/table.ts";
import type { Fault } from "../problems.ts";
import { STRING, Token } from "../token.ts";
import { findDigitsEnd, findFloatEnd, readFloat, readWhole } from "./numbers.ts";

/** What `read` returns in place of an offset where no value begins. */
export const NO_VALUE = -2;

const INTEGER_MAX = 2n ** 63n - 1n;
const UINTEGER_MAX = 2n ** 64n - 1n;
/** Longer words first: a word is not taken for a shorter one it begins with. */
const BOOLEANS = ["true", "True", "TRUE", "t", "T", "false", "False", "FALSE", "f", "F"].map(
  (word) => ({ bytes: Buffer.from(word), value: word[0] === "t" || word[0] === "T" }),
);

/** Reads the values of fields and stages them in the columns of their keys. */
export class ValueReader {
  /** The column in which the last value was staged. */
  column: ColumnBuilder | undefined;
  readonly #bytes: Buffer;
  readonly #fault: Fault;
  readonly #stringSizeMax: number;
  readonly #token = new Token();

  constructor(bytes: Buffer, fault: Fault, stringSizeMax: number) {
    this.#bytes = bytes;
    this.#fault = fault;
    this.#stringSizeMax = stringSizeMax;
  }

  /**
   * Reads the value at `start` in a line that ends at `end`. Returns the offset after the longest value that stands
   * there, NO_VALUE, or FAILED. Of `true` it reads all, of `tru` the `t`.
   */
  read(key: FieldKey, start: number, end: number): number {
    if (start >= end) return NO_VALUE;
    const first = this.#bytes[start] as number;
    if (first === MINUS || (first >= DIGIT_0 && first <= DIGIT_9)) {
      return this.#readNumber(key, start, end);
    }
    switch (first) {
      case QUOTE:
        return this.#readString(key, start, end);
      case LOWER_T:
      case UPPER_T:
      case LOWER_F:
      case UPPER_F:
        return this.#readBoolean(key, start, end);
      default:
        return NO_VALUE;
    }
  }

  #readNumber(key: FieldKey, start: number, end: number): number {
    const bytes = this.#bytes;
    const digitsStart = bytes[start] === MINUS ? start + 1 : start;
    const digitsEnd = findDigitsEnd(bytes, digitsStart, end);
    if (digitsEnd === digitsStart) return NO_VALUE;
    const suffix = digitsEnd < end ? bytes[digitsEnd] : undefined;
    if (suffix === LOWER_I) return this.#readInteger(key, start, digitsEnd);
    // An unsigned number has no sign; with one, it is a float and a stray letter.
    if (suffix === LOWER_U && digitsStart === start) {
      return this.#readUinteger(key, start, digitsEnd);
    }
    const floatEnd = findFloatEnd(bytes, digitsEnd, end);
    const value = readFloat(bytes, start, floatEnd);
    if (!Number.isFinite(value)) return this.#fault.note("float", start, floatEnd);
    const column = key.float;
    column.staged = value;
    this.column = column;
    return floatEnd;
  }

  #readInteger(key: FieldKey, start: number, digitsEnd: number): number {
    const negative = this.#bytes[start] === MINUS;
    const magnitude = readWhole(this.#bytes, negative ? start + 1 : start, digitsEnd);
    if (magnitude > (negative ? INTEGER_MAX + 1n : INTEGER_MAX)) {
      return this.#fault.note("integer", start, digitsEnd);
    }
    const column = key.integer;
    column.staged = negative ? -magnitude : magnitude;
    this.column = column;
    return digitsEnd + 1;
  }

  #readUinteger(key: FieldKey, start: number, digitsEnd: number): number {
    const value = readWhole(this.#bytes, start, digitsEnd);
    if (value > UINTEGER_MAX) return this.#fault.note("uinteger", start, digitsEnd);
    const column = key.uinteger;
    column.staged = value;
    this.column = column;
    return digitsEnd + 1;
  }

  #readString(key: FieldKey, start: number, end: number): number {
    const token = this.#token;
    token.scan(this.#bytes, start + 1, end, STRING.meanings);
    if (token.end === end) return NO_VALUE;
    if (token.sizeBytes > this.#stringSizeMax) {
      return this.#fault.note("string_size", start, token.end);
    }
    const column = key.string;
    column.stage(token);
    this.column = column;
    return token.end + 1;
  }

  #readBoolean(key: FieldKey, start: number, end: number): number {
    for (const word of BOOLEANS) {
      const wordEnd = start + word.bytes.length;
      if (wordEnd > end || !this.#spells(word.bytes, start)) continue;
      const column = key.boolean;
      column.staged = word.value;
      this.column = column;
      return wordEnd;
    }
    return NO_VALUE;
  }

  #spells(word: Uint8Array, start: number): boolean {
    for (let offset = 0; offset < word.length; offset += 1) {
      if (this.#bytes[start + offset] !== word[offset]) return false;
    }
    return true;
  }
}
