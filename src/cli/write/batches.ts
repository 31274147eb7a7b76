import { DbError } from "#base/errors.ts";
import { LineCursor } from "#lineprotocol/lines.ts";

/** Whole lines of an input, to be sent in one request. */
export interface Batch {
  readonly bytes: Uint8Array;
  /** Where its first line stands in the input; lines count from 1, as an editor counts them. */
  readonly start: Place;
  /** Where the line after its last one stands. */
  readonly end: Place;
  /** Lines that say something: no comments, no blank ones. */
  readonly rowCount: number;
  /** Nothing follows. */
  readonly final: boolean;
}

export interface Place {
  readonly byte: number;
  readonly line: number;
}

export interface BatchOptions {
  /** Bytes of a batch; one line that is longer is a batch of its own. */
  readonly sizeMax: number;
  /** The line to begin with; those before it are read and passed over. */
  readonly firstLine: number;
}

/** Bytes of one line, where batches are not larger: a whole request, as nodes take it unless told otherwise. */
export const LINE_SIZE_MAX = 10 * 2 ** 20;

const NEWLINE = 0x0a;

/**
 * Cuts `chunks` where lines end, as the server sees them: a newline in a string or behind a backslash ends none. All
 * batches joined are the input from `firstLine` on. Holds one buffer of `sizeMax` at a time, and of LINE_SIZE_MAX at most
 * for a longer line.
 *
 * Rejects with `invalid` / `line_missing` when the input ends before `firstLine`, and with `exceeded` / `line_size`.
 */
export async function* cutBatches(
  chunks: AsyncIterable<Uint8Array>,
  { sizeMax, firstLine }: BatchOptions,
): AsyncGenerator<Batch> {
  const input = new Input(chunks);
  try {
    let start = await input.skipTo(firstLine);
    let torn: Uint8Array = new Uint8Array(0);
    while (torn.length > 0 || (await input.hasMore())) {
      const { bytes, whole } = await fillBuffer(input, torn, { sizeMax, start });
      const final = !(await input.hasMore());
      torn = bytes.subarray(whole.at(-1)?.end ?? 0);
      for (const [index, { start: from, end: to, rowCount }] of whole.entries()) {
        const part = bytes.subarray(from, to);
        const end = { byte: start.byte + part.length, line: start.line + newlineCount(part) };
        yield { bytes: part, start, end, rowCount, final: final && index === whole.length - 1 };
        start = end;
      }
    }
  } finally {
    await input.close();
  }
}

interface Cut {
  readonly start: number;
  readonly end: number;
  readonly rowCount: number;
}

/** Fills a new buffer, which begins with `torn`, until it has a whole line. */
async function fillBuffer(
  input: Input,
  torn: Uint8Array,
  { sizeMax, start }: { sizeMax: number; start: Place },
): Promise<{ bytes: Buffer; whole: readonly Cut[] }> {
  const lineSizeMax = Math.max(sizeMax, LINE_SIZE_MAX);
  let buffer = Buffer.allocUnsafeSlow(Math.max(sizeMax, torn.length));
  buffer.set(torn);
  let length = torn.length;
  while (true) {
    while (length < buffer.length && (await input.hasMore())) {
      length += input.take(buffer.subarray(length));
    }
    const bytes = buffer.subarray(0, length);
    const whole = cutLines(bytes, sizeMax, !(await input.hasMore()));
    if (whole.length > 0) return { bytes, whole };
    if (buffer.length >= lineSizeMax) {
      throw new DbError(
        "exceeded",
        "line_size",
        `line ${start.line} has over ${lineSizeMax} bytes: is one of its quotes never closed? Longer lines need a larger --batch-size`,
        { detail: { line: start.line, lineSizeMax } },
      );
    }
    const larger = Buffer.allocUnsafeSlow(Math.min(2 * buffer.length, lineSizeMax));
    larger.set(bytes);
    buffer = larger;
  }
}

/**
 * Cuts the whole lines of `bytes` into parts of at most `sizeMax`, or of one line that is longer. What is left at the end
 * is a torn line; none is when `final`.
 */
function cutLines(bytes: Buffer, sizeMax: number, final: boolean): readonly Cut[] {
  const cursor = new LineCursor(bytes);
  const cutter = new Cutter(bytes, sizeMax);
  while (cursor.advance()) {
    cutter.addQuiet(cursor.start);
    if (cursor.end === bytes.length && !final) return cutter.finish();
    cutter.addRow(Math.min(cursor.end + 1, bytes.length));
  }
  // Behind the last line stand blank ones and comments; the last of them may be torn.
  cutter.addQuiet(cursor.end === bytes.length && !final ? cursor.start : bytes.length);
  return cutter.finish();
}

class Cutter {
  readonly #bytes: Buffer;
  readonly #sizeMax: number;
  readonly #cuts: Cut[] = [];
  /** Of the part that is being made. */
  #start = 0;
  #end = 0;
  #rowCount = 0;

  constructor(bytes: Buffer, sizeMax: number) {
    this.#bytes = bytes;
    this.#sizeMax = sizeMax;
  }

  /** Adds blank lines and comments up to `end`: each of their newlines may end a part. */
  addQuiet(end: number): void {
    while (end - this.#start > this.#sizeMax) {
      const newline = this.#bytes.lastIndexOf(NEWLINE, this.#start + this.#sizeMax - 1);
      if (newline >= this.#end) this.#cut(newline + 1);
      else if (this.#end > this.#start) this.#cut(this.#end);
      else this.#cut(endOfLine(this.#bytes, this.#start));
    }
    this.#end = end;
  }

  /** Adds the line that says something and ends at `end`. */
  addRow(end: number): void {
    if (end - this.#start > this.#sizeMax && this.#end > this.#start) this.#cut(this.#end);
    this.#end = end;
    this.#rowCount += 1;
  }

  finish(): readonly Cut[] {
    if (this.#end > this.#start) this.#cut(this.#end);
    return this.#cuts;
  }

  #cut(end: number): void {
    this.#cuts.push({ start: this.#start, end, rowCount: this.#rowCount });
    this.#start = end;
    this.#end = end;
    this.#rowCount = 0;
  }
}

function endOfLine(bytes: Buffer, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline < 0 ? bytes.length : newline + 1;
}

function newlineCount(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** Bytes taken from chunks, in pieces as they are wanted. */
class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether a byte is left; reads on to find out. */
  async hasMore(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const step = await this.#chunks.next();
      if (step.done === true) return false;
      this.#rest = step.value;
    }
    return true;
  }

  /** Moves as many bytes into `target` as are there and fit; tells how many. */
  take(target: Uint8Array): number {
    const taken = this.#rest.subarray(0, target.length);
    target.set(taken);
    this.#rest = this.#rest.subarray(taken.length);
    return taken.length;
  }

  /** Passes over all that stands before `line`. */
  async skipTo(line: number): Promise<Place> {
    let byte = 0;
    let number = 1;
    while (number < line) {
      if (!(await this.hasMore())) {
        throw new DbError(
          "invalid",
          "line_missing",
          `there is no line ${line} to begin with: the input ends in line ${number}`,
          { detail: { line, lineCount: number } },
        );
      }
      const newline = this.#rest.indexOf(NEWLINE);
      const size = newline < 0 ? this.#rest.length : newline + 1;
      if (newline >= 0) number += 1;
      this.#rest = this.#rest.subarray(size);
      byte += size;
    }
    return { byte, line: number };
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
