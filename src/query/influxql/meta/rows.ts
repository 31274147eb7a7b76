import type { ResultColumn } from "#model/query/result.ts";
import type { SeriesChunk, StatementAnswer } from "../answer.ts";

/** Rows of one list of an answer, whole. */
export interface List {
  /** Empty where it has none. */
  readonly name: string;
  readonly tags?: SeriesChunk["tags"];
  readonly columns: readonly ListColumn[];
  /** Cells in the order of `columns`, each of the column's type. */
  readonly rows: readonly (readonly Cell[])[];
  /** Whether the next one goes on with this. */
  readonly partial?: boolean;
}

export interface ListColumn {
  readonly name: string;
  readonly type: "string" | "int64" | "float64" | "boolean";
}

export type Cell = string | bigint | number | boolean;

/** Rows of one chunk: of longer lists each is given when it is asked for. */
const CHUNK_ROWS_MAX = 10_000;

/** The answer of statements that change something, and of those that find nothing. */
export const NO_ROWS: StatementAnswer = answerOf([]);

/** `lists` one after the other; those without rows are shown as well. */
export function answerOf(lists: Iterable<List> | AsyncIterable<List>): StatementAnswer {
  const series = { [Symbol.asyncIterator]: () => chunksOf(lists) };
  return { series, messages: [], zone: undefined };
}

export function texts(...names: readonly string[]): readonly ListColumn[] {
  return names.map((name) => ({ name, type: "string" }));
}

export function numbers(...names: readonly string[]): readonly ListColumn[] {
  return names.map((name) => ({ name, type: "int64" }));
}

/** Of `items`, those that LIMIT and OFFSET leave; a limit of 0 is none. */
export function limited<T>(
  items: readonly T[],
  { limit, offset }: { readonly limit: number; readonly offset: number },
): readonly T[] {
  return items.slice(offset, limit === 0 ? undefined : offset + limit);
}

async function* chunksOf(lists: Iterable<List> | AsyncIterable<List>): AsyncGenerator<SeriesChunk> {
  for await (const { columns, name, partial: goesOn = false, rows, tags = [] } of lists) {
    const names = columns.map((column) => column.name);
    for (let start = 0; start === 0 || start < rows.length; start += CHUNK_ROWS_MAX) {
      const part = rows.slice(start, start + CHUNK_ROWS_MAX);
      const cells = columns.map(({ type }, index) => cellsOf(type, part, index));
      const partial = goesOn || start + part.length < rows.length;
      yield { name, tags, columns: names, rowCount: part.length, cells, partial };
    }
  }
}

function cellsOf(type: ListColumn["type"], rows: List["rows"], index: number): ResultColumn {
  const cells = rows.map((row) => row[index]);
  switch (type) {
    case "string":
      return { type, values: cells.map(String) };
    case "int64":
      return { type, values: BigInt64Array.from(cells, (cell) => BigInt(cell ?? 0)) };
    case "float64":
      return { type, values: Float64Array.from(cells, Number) };
    case "boolean":
      return { type, values: Uint8Array.from(cells, (cell) => (cell === true ? 1 : 0)) };
  }
}
