import { BACKSLASH, EQUALS, HASH, NEWLINE, QUOTE, SPACE, TAB } from "./ascii.ts";

/**
 * Walks the lines of a body, blank ones and comments passed over.
 *
 * A line ends at a newline that no backslash escapes and that is not inside a string. A quote opens a string where a
 * value stands: in the fields, which the first space begins, after an equals sign. A quote at any other place is a
 * character like others, so that a line which is wrong there does not take the next ones with it.
 */
export class LineCursor {
  /** The line, without its newline. */
  start = 0;
  end = 0;
  /** Its first byte that is not blank. */
  textStart = 0;
  /** Counts from 1, as an editor does. */
  number = 0;
  readonly #bytes: Buffer;
  #next = 0;
  #nextNumber = 1;
  /** The first quote and the first backslash at or after the current line; the body's end when there is none. */
  #quote = -1;
  #backslash = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Goes to the next line that says something; false when there is none. */
  advance(): boolean {
    const bytes = this.#bytes;
    while (this.#next < bytes.length) {
      this.start = this.#next;
      this.number = this.#nextNumber;
      this.textStart = this.#skipBlanks(this.start);
      const first = bytes[this.textStart];
      if (first === HASH || first === NEWLINE || first === undefined) {
        this.end = this.#find(NEWLINE, this.textStart);
      } else {
        this.end = this.#findLineEnd(this.textStart);
      }
      this.#next = this.end + 1;
      this.#nextNumber += 1;
      if (first !== HASH && first !== NEWLINE && first !== undefined) return true;
    }
    return false;
  }

  #skipBlanks(start: number): number {
    let at = start;
    while (this.#bytes[at] === SPACE || this.#bytes[at] === TAB) at += 1;
    return at;
  }

  #findLineEnd(start: number): number {
    if (this.#quote < start) this.#quote = this.#find(QUOTE, start);
    if (this.#backslash < start) this.#backslash = this.#find(BACKSLASH, start);
    const newline = this.#find(NEWLINE, start);
    // Without quotes and backslashes every newline ends a line.
    if (this.#quote > newline && this.#backslash > newline) return newline;
    return this.#scanLine(start);
  }

  #scanLine(start: number): number {
    const bytes = this.#bytes;
    let inFields = false;
    let inString = false;
    let previous = 0;
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) {
        at += 1;
        if (bytes[at] === NEWLINE) this.#nextNumber += 1;
      } else if (byte === QUOTE) {
        inString = !inString && inFields && previous === EQUALS;
      } else if (byte === NEWLINE) {
        if (!inString) return at;
        this.#nextNumber += 1;
      } else if (byte === SPACE) {
        inFields = true;
      }
      previous = byte;
    }
    return bytes.length;
  }

  #find(byte: number, start: number): number {
    const found = this.#bytes.indexOf(byte, start);
    return found < 0 ? this.#bytes.length : found;
  }
}

/** Places of lines as arrays of `count` or more, for another thread. */
export interface PlaceArrays {
  readonly count: number;
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly numbers: Uint32Array<ArrayBuffer>;
}

/** Where the lines of a body stand, by index. */
export class LinePlaces {
  count: number;
  #starts: Uint32Array<ArrayBuffer>;
  #ends: Uint32Array<ArrayBuffer>;
  #numbers: Uint32Array<ArrayBuffer>;

  /** Takes over what `arrays` gave; without it, there are no lines yet. */
  constructor(given?: PlaceArrays) {
    this.count = given?.count ?? 0;
    this.#starts = given?.starts ?? new Uint32Array(0);
    this.#ends = given?.ends ?? new Uint32Array(0);
    this.#numbers = given?.numbers ?? new Uint32Array(0);
  }

  /** The places themselves: whoever gives them away uses this no more. */
  arrays(): PlaceArrays {
    return { count: this.count, starts: this.#starts, ends: this.#ends, numbers: this.#numbers };
  }

  /** Adds the line at which `cursor` is. */
  add(cursor: LineCursor): void {
    const index = this.count;
    if (index === this.#starts.length) this.#resize(Math.max(64, 2 * index));
    this.#starts[index] = cursor.start;
    this.#ends[index] = cursor.end;
    this.#numbers[index] = cursor.number;
    this.count = index + 1;
  }

  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  end(index: number): number {
    return this.#ends[index] ?? 0;
  }

  lineNumber(index: number): number {
    return this.#numbers[index] ?? 0;
  }

  #resize(count: number): void {
    this.#starts = new Uint32Array(this.#starts.buffer.transfer(count * 4));
    this.#ends = new Uint32Array(this.#ends.buffer.transfer(count * 4));
    this.#numbers = new Uint32Array(this.#numbers.buffer.transfer(count * 4));
  }
}
