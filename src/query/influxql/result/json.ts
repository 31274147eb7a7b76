import { utf8 } from "#base/bytes.ts";
import { CHUNK_LENGTH } from "../../result/text.ts";
import type { StatementAnswer, StatementResult } from "../answer.ts";
import { infinityText, isInfinity, JsonPieces } from "./json-pieces.ts";
import { GuardedSeries, seriesParts, statementError, withLast } from "./parts.ts";
import type { AnswerStyle } from "./result.ts";

/** In one document, influxd 1.6 calls longer series partial, though they are whole. */
const PARTIAL_ABOVE = 10_000;

/**
 * One document, or one for each part of a series; a line break ends each. JSON has no infinite numbers: where one comes, the sentence that
 * InfluxDB 1.6 says of it is the answer, or the answer is broken off where something was given already.
 */
export async function* encodeJson(
  results: AsyncIterable<StatementResult>,
  style: AnswerStyle,
): AsyncGenerator<Uint8Array> {
  const pieces = new JsonPieces(style);
  const { chunkRows } = style;
  const texts =
    chunkRows === undefined ? oneDocument(results, pieces) : documents(results, pieces, chunkRows);
  let chunk = "";
  let hasGiven = false;
  try {
    for await (const text of texts) {
      chunk += text;
      if (chunk.length < CHUNK_LENGTH) continue;
      yield utf8(chunk);
      chunk = "";
      hasGiven = true;
    }
  } catch (error) {
    if (hasGiven || !isInfinity(error)) throw error;
    chunk = infinityText(error);
  }
  if (chunk !== "") yield utf8(chunk);
}

async function* oneDocument(
  results: AsyncIterable<StatementResult>,
  pieces: JsonPieces,
): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const result of results) {
    yield (isEmpty ? pieces.documentStart() : ",") + pieces.statementStart(result.id);
    isEmpty = false;
    if (result.kind === "answer") yield* statementTexts(result.answer, pieces);
    else yield pieces.error(statementError(result.error));
    yield pieces.statementEnd();
  }
  yield isEmpty ? "{}\n" : pieces.documentEnd();
}

async function* statementTexts(
  answer: StatementAnswer,
  pieces: JsonPieces,
): AsyncGenerator<string> {
  const cells = pieces.cells(answer.zone);
  const series = new GuardedSeries(answer.series);
  let seriesCount = 0;
  /** Those of the series that is open; undefined where none is. */
  let rowCount: number | undefined;
  for await (const chunk of series) {
    if (rowCount === undefined) {
      yield (seriesCount === 0 ? pieces.seriesListStart() : ",") + pieces.seriesStart(chunk);
      seriesCount += 1;
      rowCount = 0;
    }
    yield* pieces.rows({ chunk, start: 0, end: chunk.rowCount }, rowCount === 0, cells);
    rowCount += chunk.rowCount;
    if (chunk.partial) continue;
    yield pieces.seriesEnd(rowCount > 0, rowCount > PARTIAL_ABOVE);
    rowCount = undefined;
  }
  const { failure } = series;
  if (rowCount !== undefined) yield pieces.seriesEnd(rowCount > 0, true);
  if (seriesCount > 0) yield pieces.seriesListEnd();
  yield pieces.messages(answer.messages);
  if (failure !== undefined) yield pieces.error(failure);
}

/** A document for each part of a series, each statement without any, and each error. */
async function* documents(
  results: AsyncIterable<StatementResult>,
  pieces: JsonPieces,
  chunkRows: number,
): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const result of results) {
    isEmpty = false;
    if (result.kind === "answer") yield* statementDocuments(result, pieces, chunkRows);
    else yield pieces.document(result.id, pieces.error(statementError(result.error)));
  }
  if (isEmpty) yield "{}\n";
}

async function* statementDocuments(
  { answer, id }: { readonly answer: StatementAnswer; readonly id: number },
  pieces: JsonPieces,
  chunkRows: number,
): AsyncGenerator<string> {
  const cells = pieces.cells(answer.zone);
  const series = new GuardedSeries(answer.series);
  let messages = pieces.messages(answer.messages);
  let hasSeries = false;
  for await (const { item, isLast } of withLast(seriesParts(series, chunkRows))) {
    hasSeries = true;
    yield pieces.documentStart() + pieces.statementStart(id);
    yield pieces.seriesListStart() + pieces.seriesStart(item.head);
    let isFirst = true;
    for (const rows of item.rows) {
      yield* pieces.rows(rows, isFirst, cells);
      isFirst = false;
    }
    const partial = !isLast || series.failure !== undefined;
    yield pieces.seriesEnd(item.rowCount > 0, item.partial) + pieces.seriesListEnd() + messages;
    yield (partial ? pieces.partial() : "") + pieces.statementEnd() + pieces.documentEnd();
    messages = "";
  }
  const { failure } = series;
  if (failure !== undefined) yield pieces.document(id, messages + pieces.error(failure));
  else if (!hasSeries) yield pieces.document(id, messages);
}
