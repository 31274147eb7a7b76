/** Answers of InfluxQL, to be encoded. */
import { concatBytes, fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";
import type { SeriesChunk, StatementAnswer, StatementResult } from "#query/influxql/answer.ts";
import {
  type AnswerFormat,
  type AnswerStyle,
  encodeAnswers,
} from "#query/influxql/result/result.ts";

export const PLAIN: AnswerStyle = { pretty: false, epochUnitNs: undefined, chunkRows: undefined };

export function times(...values: bigint[]): ResultColumn {
  return { type: "timestamp", values: BigInt64Array.from(values) };
}

export function floats(...values: (number | null)[]): ResultColumn {
  return {
    type: "float64",
    values: Float64Array.from(values, (value) => value ?? 0),
    present: Uint8Array.from(values, (value) => (value === null ? 0 : 1)),
  };
}

export function texts(...values: (string | null)[]): ResultColumn {
  return { type: "string", values };
}

type Cells = Readonly<Record<string, ResultColumn>>;

export function chunkOf(name: string, cells: Cells, more: Partial<SeriesChunk> = {}): SeriesChunk {
  const columns = Object.values(cells);
  const [first] = columns;
  const rowCount = first === undefined || first.type === "null" ? 0 : countOf(first);
  return {
    name,
    tags: [],
    columns: Object.keys(cells),
    rowCount,
    cells: columns,
    partial: false,
    ...more,
  };
}

function countOf(column: ResultColumn): number {
  return "values" in column && "length" in column.values ? column.values.length : 0;
}

export function answerOf(
  id: number,
  chunks: readonly (SeriesChunk | DbError)[],
  more: Partial<StatementAnswer> = {},
): StatementResult {
  const answer = { series: given(chunks), messages: [], zone: undefined, ...more };
  return { kind: "answer", id, answer };
}

async function* given(chunks: readonly (SeriesChunk | DbError)[]): AsyncGenerator<SeriesChunk> {
  for (const chunk of chunks) {
    if (chunk instanceof DbError) throw chunk;
    yield chunk;
  }
}

export async function* listed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export async function bytesOf(
  format: AnswerFormat,
  results: readonly StatementResult[],
  style: Partial<AnswerStyle> = {},
): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(
    encodeAnswers(format, listed(results), { ...PLAIN, ...style }),
  );
  return concatBytes(chunks);
}

export async function textOf(...parameters: Parameters<typeof bytesOf>): Promise<string> {
  return fromUtf8(await bytesOf(...parameters));
}
