import { isUtf8 } from "node:buffer";
import { LineReader } from "./line/line-reader.ts";
import { LineCursor, type LinePlace, LinePlaces } from "./lines.ts";
import type { ParsedBody, ParseOptions, RejectedLine } from "./parsed.ts";

/** The limits of InfluxDB 3: names up to 64 KiB, strings up to 1 MiB. */
export const DEFAULT_LIMITS = {
  nameSizeMax: 64 * 1024,
  stringSizeMax: 1024 * 1024,
  rejectedMax: 100,
} as const;

/**
 * Parses a body of line protocol into columns. Every line stands alone: a bad one is named and leaves nothing
 * behind, neither a table nor a column nor a dictionary entry.
 *
 * Keeps `body`, which nobody may change, as long as the result is kept: `describeLine` quotes it.
 *
 * Throws DbError `exceeded` / `write_too_sparse` for a body that would take far more memory in columns than it
 * has bytes: very many names, each on few of very many lines.
 */
export function parseLines(body: Uint8Array, options: ParseOptions): ParsedBody {
  return describable(body, parseParts(body, options));
}

/** What parsing gives, as values that another thread can be given. */
export type ParsedParts = Omit<ParsedBody, "describeLine">;

/** Does the work of `parseLines`. */
export function parseParts(body: Uint8Array, options: ParseOptions): ParsedParts {
  const bytes = bufferOf(body);
  const cursor = new LineCursor(bytes);
  const reader = new LineReader(bytes, options);
  const rejected = new RejectedLines(bytes, options.limits.rejectedMax);
  const isText = isUtf8(bytes);
  let lineCount = 0;
  while (cursor.advance()) {
    const isLineText = isText || isUtf8(bytes.subarray(cursor.start, cursor.end));
    if (!isLineText) rejected.add(cursor, "line is not valid UTF-8");
    else if (!reader.read(cursor.textStart, cursor.end, lineCount))
      rejected.add(cursor, reader.problemMessage());
    lineCount += 1;
  }
  return { tables: reader.finish(), ...rejected.all(), lineCount };
}

/** What was parsed, with the body it was parsed from. */
export function describable(body: Uint8Array, parsed: ParsedParts): ParsedBody {
  const bytes = bufferOf(body);
  const places = new LinePlaces(bytes);
  return {
    ...parsed,
    describeLine(index) {
      const { end, number, start } = places.at(index);
      return { lineNumber: number, text: textOf(bytes, start, end) };
    },
  };
}

/** The bad lines of a body, the first of them described. */
export class RejectedLines {
  readonly #bytes: Buffer;
  readonly #countMax: number;
  readonly #lines: RejectedLine[] = [];
  #count = 0;

  constructor(bytes: Buffer, countMax: number) {
    this.#bytes = bytes;
    this.#countMax = countMax;
  }

  add({ end, number, start }: LinePlace, message: string): void {
    this.#count += 1;
    if (this.#count > this.#countMax) return;
    this.#lines.push({ lineNumber: number, text: textOf(this.#bytes, start, end), message });
  }

  all(): Pick<ParsedBody, "rejected" | "rejectedCount"> {
    return { rejected: this.#lines, rejectedCount: this.#count };
  }
}

/** Bytes that are not UTF-8 are replaced. */
function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("utf8", start, end);
}

export function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
