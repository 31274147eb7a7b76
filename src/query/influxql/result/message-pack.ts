import { concatBytes } from "#base/bytes.ts";
import { assert, DbError } from "#base/errors.ts";
import { cellAt, type ResultColumn } from "#model/query/result.ts";
import type { Message, SeriesChunk, StatementAnswer, StatementResult } from "../answer.ts";
import { MessagePackWriter } from "./message-pack-writer.ts";
import {
  GuardedSeries,
  type Rows,
  seriesParts,
  sortedTags,
  statementError,
  withLast,
} from "./parts.ts";
import type { AnswerStyle } from "./result.ts";

/** Of an answer in one document, whose lists say first how long they are. */
const MESSAGE_PACK_SIZE_MAX = 64 * 1024 * 1024;

/**
 * The documents of JSON as MessagePack; times are its instants, or whole numbers with an epoch.
 * Rejects with `exceeded` / `message_pack_too_large` where one document would be too large.
 */
export function encodeMessagePack(
  results: AsyncIterable<StatementResult>,
  style: AnswerStyle,
): AsyncGenerator<Uint8Array> {
  const { chunkRows, epochUnitNs } = style;
  return chunkRows === undefined
    ? oneDocument(results, epochUnitNs)
    : documents(results, chunkRows, epochUnitNs);
}

/** The document that says why a whole request was refused. */
export function messagePackError(message: string): Uint8Array {
  return new MessagePackWriter().map(1).text("error").text(message).take();
}

/** All in one document. */
async function* oneDocument(
  results: AsyncIterable<StatementResult>,
  epochUnitNs: bigint | undefined,
): AsyncGenerator<Uint8Array> {
  const statements: Uint8Array[] = [];
  let sizeLeft = MESSAGE_PACK_SIZE_MAX;
  for await (const result of results) {
    const statement =
      result.kind === "answer"
        ? await wholeStatement(result, epochUnitNs, sizeLeft)
        : statementBytes({ id: result.id, error: statementError(result.error) });
    statements.push(statement);
    sizeLeft -= statement.length;
  }
  yield documentBytes(statements);
}

async function wholeStatement(
  { answer, id }: { readonly answer: StatementAnswer; readonly id: number },
  epochUnitNs: bigint | undefined,
  sizeMax: number,
): Promise<Uint8Array> {
  const chunks = new GuardedSeries(answer.series);
  const series: Uint8Array[] = [];
  let sizeBytes = 0;
  let rows = new MessagePackWriter();
  let rowCount = 0;
  for await (const chunk of chunks) {
    writeRows(rows, { chunk, start: 0, end: chunk.rowCount }, epochUnitNs);
    rowCount += chunk.rowCount;
    if (sizeBytes + rows.sizeBytes > sizeMax) throw tooLarge();
    // Where it fails in the midst of a series, the error says that rows are missing.
    if (chunk.partial) continue;
    const bytes = seriesBytes(chunk, rows, { rowCount, partial: false });
    series.push(bytes);
    sizeBytes += bytes.length;
    rows = new MessagePackWriter();
    rowCount = 0;
  }
  return statementBytes({ id, series, messages: answer.messages, error: chunks.failure });
}

/** A document for each part of a series, each statement without any, and each error. */
async function* documents(
  results: AsyncIterable<StatementResult>,
  chunkRows: number,
  epochUnitNs: bigint | undefined,
): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const { id, ...result } of results) {
    isEmpty = false;
    if (result.kind === "error") {
      yield documentBytes([statementBytes({ id, error: statementError(result.error) })]);
      continue;
    }
    const { answer } = result;
    const chunks = new GuardedSeries(answer.series);
    let hasSeries = false;
    for await (const { item, isLast } of withLast(seriesParts(chunks, chunkRows))) {
      const rows = new MessagePackWriter();
      for (const some of item.rows) writeRows(rows, some, epochUnitNs);
      const series = [seriesBytes(item.head, rows, item)];
      const messages = hasSeries ? [] : answer.messages;
      const partial = !isLast || chunks.failure !== undefined;
      yield documentBytes([statementBytes({ id, series, messages, partial })]);
      hasSeries = true;
    }
    const { failure: error } = chunks;
    if (error !== undefined) yield documentBytes([statementBytes({ id, error })]);
    else if (!hasSeries)
      yield documentBytes([statementBytes({ id, series: [], messages: answer.messages })]);
  }
  if (isEmpty) yield documentBytes([]);
}

function documentBytes(statements: readonly Uint8Array[]): Uint8Array {
  if (statements.length === 0) return new MessagePackWriter().map(0).take();
  const head = new MessagePackWriter().map(1).text("results").array(statements.length);
  return concatBytes([head.take(), ...statements]);
}

interface StatementParts {
  readonly id: number;
  readonly messages?: readonly Message[];
  readonly series?: readonly Uint8Array[];
  readonly partial?: boolean;
  readonly error?: DbError | undefined;
}

function statementBytes({ error, id, messages = [], partial = false, series }: StatementParts) {
  const optional = [messages.length > 0, series !== undefined, partial, error !== undefined];
  const head = new MessagePackWriter().map(1 + optional.filter(Boolean).length);
  head.text("statement_id").integer(BigInt(id));
  if (messages.length > 0) {
    head.text("messages").array(messages.length);
    for (const { level, text } of messages)
      head.map(2).text("level").text(level).text("text").text(text);
  }
  if (series !== undefined) head.text("series").array(series.length);
  const tail = new MessagePackWriter();
  if (partial) tail.text("partial").boolean(true);
  if (error !== undefined) tail.text("error").text(error.message);
  return concatBytes([head.take(), ...(series ?? []), tail.take()]);
}

function seriesBytes(
  { columns, name, ...chunk }: SeriesChunk,
  rows: MessagePackWriter,
  { partial, rowCount }: { readonly partial: boolean; readonly rowCount: number },
): Uint8Array {
  const tags = sortedTags(chunk.tags);
  const optional = [name !== "", tags.length > 0, rowCount > 0, partial];
  const head = new MessagePackWriter().map(1 + optional.filter(Boolean).length);
  if (name !== "") head.text("name").text(name);
  if (tags.length > 0) {
    head.text("tags").map(tags.length);
    for (const [key, value] of tags) head.text(key).text(value);
  }
  head.text("columns").array(columns.length);
  for (const column of columns) head.text(column);
  if (rowCount > 0) head.text("values").array(rowCount);
  const tail = new MessagePackWriter();
  if (partial) tail.text("partial").boolean(true);
  return concatBytes([head.take(), rows.take(), tail.take()]);
}

function writeRows(
  writer: MessagePackWriter,
  { chunk, end, start }: Rows,
  epochUnitNs: bigint | undefined,
): void {
  for (let row = start; row < end; row++) {
    writer.array(chunk.cells.length);
    for (const column of chunk.cells) writeCell(writer, column, row, epochUnitNs);
  }
}

function writeCell(
  writer: MessagePackWriter,
  column: ResultColumn,
  row: number,
  epochUnitNs: bigint | undefined,
): void {
  const cell = cellAt(column, row);
  if (cell === null) writer.nil();
  else if (typeof cell === "boolean") writer.boolean(cell);
  else if (typeof cell === "string") writer.text(cell);
  else if (typeof cell === "number") writer.float(cell);
  else {
    assert(typeof cell === "bigint", `InfluxQL has no columns of type ${column.type}`);
    if (column.type !== "timestamp") writer.integer(cell);
    else if (epochUnitNs === undefined) writer.time(cell);
    else writer.integer(cell / epochUnitNs);
  }
}

function tooLarge(): DbError {
  return new DbError(
    "exceeded",
    "message_pack_too_large",
    `the answer is too large for one document of MessagePack (at most ${MESSAGE_PACK_SIZE_MAX} bytes): ask for less, or with chunked=true`,
    { detail: { sizeMax: MESSAGE_PACK_SIZE_MAX } },
  );
}
