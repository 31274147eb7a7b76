import { isUtf8 } from "node:buffer";
import { assert } from "#base/errors.ts";
import { LineReader } from "./line/line-reader.ts";
import { LineCursor, LinePlaces, type PlaceArrays } from "./lines.ts";
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
export interface ParsedParts extends Omit<ParsedBody, "describeLine"> {
  readonly places: PlaceArrays;
}

/** Does the work of `parseLines`. */
export function parseParts(body: Uint8Array, options: ParseOptions): ParsedParts {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const cursor = new LineCursor(bytes);
  const places = new LinePlaces();
  const reader = new LineReader(bytes, options);
  const rejected: RejectedLine[] = [];
  let rejectedCount = 0;
  const isText = isUtf8(bytes);
  while (cursor.advance()) {
    const line = places.count;
    places.add(cursor);
    const isLineText = isText || isUtf8(bytes.subarray(cursor.start, cursor.end));
    if (isLineText && reader.read(cursor.textStart, cursor.end, line)) continue;
    rejectedCount += 1;
    if (rejectedCount > options.limits.rejectedMax) continue;
    const message = isLineText ? reader.problemMessage() : "line is not valid UTF-8";
    rejected.push({ ...describe(bytes, places, line), message });
  }
  return {
    tables: reader.finish(),
    rejected,
    rejectedCount,
    lineCount: places.count,
    places: places.arrays(),
  };
}

/** What was parsed, with the body it was parsed from. */
export function describable(
  body: Uint8Array,
  { places: arrays, ...parsed }: ParsedParts,
): ParsedBody {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const places = new LinePlaces(arrays);
  return { ...parsed, describeLine: (index) => describe(bytes, places, index) };
}

function describe(bytes: Buffer, places: LinePlaces, index: number): Omit<RejectedLine, "message"> {
  assert(index >= 0 && index < places.count, `there is no line ${index}`);
  return {
    lineNumber: places.lineNumber(index),
    text: bytes.toString("utf8", places.start(index), places.end(index)),
  };
}
