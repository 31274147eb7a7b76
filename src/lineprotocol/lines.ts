import { assert } from "#base/errors.ts";
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
  readonly #bytes: Buffer;
  #next = 0;
  /** Newlines before `#countedTo`, which is not behind the line. */
  #newlineCount = 0;
  #countedTo = 0;
  /** The first quote and the first backslash at or after the current line; the body's end when there is none. */
  #quote = -1;
  #backslash = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The number of the line. Counts from 1, every newline of the body, as an editor does. */
  get number(): number {
    for (;;) {
      const newline = this.#find(NEWLINE, this.#countedTo);
      if (newline >= this.start) return this.#newlineCount + 1;
      this.#newlineCount += 1;
      this.#countedTo = newline + 1;
    }
  }

  /** Goes on at `offset`, where a line begins that is behind this one. */
  seek(offset: number): void {
    this.#next = offset;
  }

  /** Goes to the next line that says something; false when there is none. */
  advance(): boolean {
    const bytes = this.#bytes;
    while (this.#next < bytes.length) {
      this.start = this.#next;
      this.textStart = this.#skipBlanks(this.start);
      const first = bytes[this.textStart];
      if (first === HASH || first === NEWLINE || first === undefined) {
        this.end = this.#find(NEWLINE, this.textStart);
      } else {
        this.end = this.#findLineEnd(this.textStart);
      }
      this.#next = this.end + 1;
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
      } else if (byte === QUOTE) {
        inString = !inString && inFields && previous === EQUALS;
      } else if (byte === NEWLINE) {
        if (!inString) return at;
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

/** Where a line stands, without its newline; lines are counted from 1, as an editor does. */
export type LinePlace = Pick<LineCursor, "start" | "end" | "number">;

/** Where the lines of a body stand, by index: those that say something. Found out when somebody asks. */
export class LinePlaces {
  readonly #bytes: Buffer;
  #lines: readonly LinePlace[] | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  at(index: number): LinePlace {
    this.#lines ??= this.#walk();
    const line = this.#lines[index];
    assert(line !== undefined, "the body has such a line");
    return line;
  }

  #walk(): readonly LinePlace[] {
    const cursor = new LineCursor(this.#bytes);
    const lines: LinePlace[] = [];
    while (cursor.advance()) {
      const { end, number, start } = cursor;
      lines.push({ start, end, number });
    }
    return lines;
  }
}
