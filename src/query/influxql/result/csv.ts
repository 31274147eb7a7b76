import { utf8 } from "#base/bytes.ts";
import type { DbError } from "#base/errors.ts";
import { CHUNK_LENGTH } from "../../result/text.ts";
import type { SeriesChunk, StatementResult } from "../answer.ts";
import { plainNumber } from "../print/numbers.ts";
import { type CellStyle, cellTexts, epochTexts } from "./cells.ts";
import { GuardedSeries, sortedTags, statementError } from "./parts.ts";
import type { AnswerStyle } from "./result.ts";

/** Rows whose cells are made at once. */
const BLOCK_ROWS = 1024;
const NEEDS_QUOTES = /^\s|[",\r\n]|^\\\.$/;
const ESCAPED_IN_TAGS = /[,= ]/g;

/**
 * A table for each statement that has series, with lines of `name,tags,…`, an empty line between two; times are numbers, of nanoseconds unless
 * said. A statement that fails has a table of one line under `error`.
 */
export async function* encodeCsv(
  results: AsyncIterable<StatementResult>,
  { epochUnitNs = 1n }: AnswerStyle,
): AsyncGenerator<Uint8Array> {
  const cells: CellStyle = {
    missing: "",
    text: quoted,
    float: csvFloat,
    times: (values, range) => epochTexts(values, range, epochUnitNs),
  };
  let chunk = "";
  for await (const text of tables(results, cells)) {
    chunk += text;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield utf8(chunk);
    chunk = "";
  }
  if (chunk !== "") yield utf8(chunk);
}

/** What says why a whole request was refused. */
export function csvError(message: string): string {
  return `error\n${quoted(message)}\n`;
}

async function* tables(
  results: AsyncIterable<StatementResult>,
  cells: CellStyle,
): AsyncGenerator<string> {
  let isFirst = true;
  const table = (text: string) => {
    const between = isFirst ? "" : "\n";
    isFirst = false;
    return between + text;
  };
  for await (const result of results) {
    let failure: DbError | undefined;
    if (result.kind === "answer") {
      const series = new GuardedSeries(result.answer.series);
      let header = "";
      for await (const chunk of series) {
        const its = headerOf(chunk);
        // Series of one statement have the same columns, but for what a node tells of itself.
        if (its !== header) yield table(its);
        header = its;
        yield* lines(chunk, cells);
      }
      ({ failure } = series);
    } else failure = statementError(result.error);
    if (failure !== undefined) yield table(csvError(failure.message));
  }
}

function headerOf({ columns }: SeriesChunk): string {
  return `${["name", "tags", ...columns].map(quoted).join(",")}\n`;
}

function* lines(chunk: SeriesChunk, cells: CellStyle): Generator<string> {
  const start = `${quoted(chunk.name)},${quoted(tagsText(chunk))}`;
  for (let from = 0; from < chunk.rowCount; from += BLOCK_ROWS) {
    const to = Math.min(chunk.rowCount, from + BLOCK_ROWS);
    const columns = chunk.cells.map((column) => cellTexts(column, [from, to], cells));
    let text = "";
    for (let row = 0; row < to - from; row++) {
      text += start;
      for (const column of columns) text += `,${column[row]}`;
      text += "\n";
      if (text.length < CHUNK_LENGTH) continue;
      yield text;
      text = "";
    }
    yield text;
  }
}

/** As in line protocol; without those that the series has not. */
function tagsText({ tags }: SeriesChunk): string {
  return sortedTags(tags)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${escapedTag(key)}=${escapedTag(value)}`)
    .join(",");
}

function escapedTag(text: string): string {
  return text.replace(ESCAPED_IN_TAGS, "\\$&");
}

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** All digits of a float, without an exponent. */
function csvFloat(value: number): string {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return plainNumber(value);
}
