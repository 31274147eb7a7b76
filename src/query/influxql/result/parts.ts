/** What the encoders share: errors in their place, tags in order, series cut into parts. */

import { compareText } from "#base/bytes.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { SeriesChunk } from "../answer.ts";

/** The chunks of a statement, which end where it fails. */
export class GuardedSeries implements AsyncIterable<SeriesChunk> {
  readonly #series: AsyncIterable<SeriesChunk>;
  #failure: DbError | undefined;

  constructor(series: AsyncIterable<SeriesChunk>) {
    this.#series = series;
  }

  /** What ended it before its end, where that is the user's to know. Anything else is thrown out of the chunks. */
  get failure(): DbError | undefined {
    return this.#failure;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SeriesChunk> {
    try {
      for await (const chunk of this.#series) yield chunk;
    } catch (error) {
      this.#failure = statementError(error);
    }
  }
}

/** `error` where it is the user's to know; anything else ends the whole answer, and is thrown. */
export function statementError(error: unknown): DbError {
  const isOurs =
    isKind(error, "internal") || isKind(error, "corrupt") || isKind(error, "unavailable");
  if (error instanceof DbError && !isOurs) return error;
  throw error;
}

/** Tags by key, as InfluxDB 1 writes them. */
export function sortedTags(tags: SeriesChunk["tags"]): SeriesChunk["tags"] {
  return tags.toSorted(([left], [right]) => compareText(left, right));
}

/** Rows `start` to before `end` of `chunk`. */
export interface Rows {
  readonly chunk: SeriesChunk;
  readonly start: number;
  readonly end: number;
}

/** Cells of one document at most, however many rows are asked for. */
const PART_CELLS_MAX = 1_000_000;

/** Rows of one series that stand in one document. */
export interface SeriesPart {
  /** Any chunk of the series: its name, tags and columns. */
  readonly head: SeriesChunk;
  readonly rows: readonly Rows[];
  readonly rowCount: number;
  /** Whether more of the series come. */
  readonly partial: boolean;
}

/** `series` in parts of `chunkRows` rows, or PART_CELLS_MAX cells; only the last part of a series has fewer. */
export async function* seriesParts(
  series: AsyncIterable<SeriesChunk>,
  chunkRows: number,
): AsyncGenerator<SeriesPart> {
  let head: SeriesChunk | undefined;
  let rows: Rows[] = [];
  let rowCount = 0;
  for await (const chunk of series) {
    head = chunk;
    const rowsMax = Math.min(chunkRows, Math.ceil(PART_CELLS_MAX / chunk.columns.length));
    for (let start = 0; start < chunk.rowCount; ) {
      if (rowCount === rowsMax) {
        // Not before it is known that more rows come.
        yield { head, rows, rowCount, partial: true };
        rows = [];
        rowCount = 0;
      }
      const end = Math.min(chunk.rowCount, start + rowsMax - rowCount);
      rows.push({ chunk, start, end });
      rowCount += end - start;
      start = end;
    }
    if (chunk.partial) continue;
    yield { head, rows, rowCount, partial: false };
    rows = [];
    rowCount = 0;
  }
  // A series that ends without its last chunk was cut by a failure.
  if (head !== undefined && rowCount > 0) yield { head, rows, rowCount, partial: true };
}

/** Each of `items`, with whether it is the last. */
export async function* withLast<T>(
  items: AsyncIterable<T>,
): AsyncGenerator<{ readonly item: T; readonly isLast: boolean }> {
  let held: { readonly item: T } | undefined;
  for await (const item of items) {
    if (held !== undefined) yield { ...held, isLast: false };
    held = { item };
  }
  if (held !== undefined) yield { ...held, isLast: true };
}
