/** Chunks of the engine as batches of a result. */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { IntervalValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { PlainType, ValueType } from "#model/query/value-type.ts";
import type { MadeBatch, MadeColumn } from "../messages.ts";
import { type Chunk, readCells, readPresence, TextReader } from "./vectors.ts";

/** Rows of one or more chunks, of which the first `rowCount` count. */
export interface ChunkRows {
  readonly chunk: DuckDBDataChunk;
  readonly rowCount: number;
}

const NUMBER_SIZES: Readonly<Record<NumberType, 1 | 2 | 4 | 8>> = {
  boolean: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  date: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
  timestamp: 8,
  time: 8,
  duration: 8,
};

/** Copies the rows of `chunks`, whose columns are what print/plan.ts gives for `fields`. */
export function batchFrom(fields: readonly Field[], chunks: readonly ChunkRows[]): MadeBatch {
  const rows = chunks.map(({ chunk, rowCount }) => ({ chunk: chunk.chunk, rowCount }));
  const rowCount = rows.reduce((count, part) => count + part.rowCount, 0);
  let index = 0;
  const columns = fields.map(({ type }) => {
    const column = readColumn(type, rows, index);
    index += resultWidth(type);
    return column;
  });
  return { rowCount, columns };
}

/** How many columns of the engine a field takes. */
export function resultWidth(type: ValueType): number {
  if (type === "null") return 0;
  return type === "interval" ? 2 : 1;
}

interface Rows {
  readonly chunk: Chunk;
  readonly rowCount: number;
}

function readColumn(type: ValueType, rows: readonly Rows[], index: number): MadeColumn {
  switch (type) {
    case "null":
      return { type };
    case "string":
      return { type, ...readAllTexts(rows, index) };
    case "interval":
      return { type, values: readIntervals(rows, index) };
    case "binary":
      throw unread(type);
    default:
      if (typeof type === "string") return readNumbers(type, rows, index);
      if (type.kind === "timestamp") return readNumbers("timestamp", rows, index);
      throw unread(type.kind);
  }
}

type NumberType = Exclude<PlainType, "null" | "string" | "interval" | "binary">;

function readNumbers(type: NumberType, rows: readonly Rows[], index: number): MadeColumn {
  const { bytes, presence } = readFixed(rows, index, NUMBER_SIZES[type]);
  const { buffer } = bytes;
  switch (type) {
    case "boolean":
    case "uint8":
      return { type, values: bytes, ...presence };
    case "int8":
      return { type, values: new Int8Array(buffer), ...presence };
    case "int16":
      return { type, values: new Int16Array(buffer), ...presence };
    case "uint16":
      return { type, values: new Uint16Array(buffer), ...presence };
    case "int32":
    case "date":
      return { type, values: new Int32Array(buffer), ...presence };
    case "uint32":
      return { type, values: new Uint32Array(buffer), ...presence };
    case "float32":
      return { type, values: new Float32Array(buffer), ...presence };
    case "float64":
      return { type, values: new Float64Array(buffer), ...presence };
    case "uint64":
      return { type, values: new BigUint64Array(buffer), ...presence };
    case "int64":
    case "timestamp":
    case "time":
    case "duration":
      return { type, values: new BigInt64Array(buffer), ...presence };
  }
}

function unread(kind: string): DbError {
  return new DbError("internal", "assertion_failed", `${kind} has no reader`);
}

/** Cells in a buffer of their own; a NULL's are 0. */
function readFixed(rows: readonly Rows[], index: number, size: 1 | 2 | 4 | 8) {
  const bytes = concatBytes(
    rows.map(({ chunk, rowCount }) => readCells(chunk, index, rowCount, size)),
  ) as Uint8Array<ArrayBuffer>;
  const { present, nulls } = readAllPresence(rows, index);
  if (!nulls) return { bytes, presence: {} };
  for (let i = 0; i < present.length; i += 1) {
    if (present[i] === 0) bytes.fill(0, i * size, (i + 1) * size);
  }
  return { bytes, presence: { present } };
}

function readAllPresence(rows: readonly Rows[], index: number) {
  const rowCount = rows.reduce((count, part) => count + part.rowCount, 0);
  const present = new Uint8Array(rowCount);
  let offset = 0;
  let nulls = false;
  for (const part of rows) {
    const target = present.subarray(offset);
    if (readPresence(part.chunk, index, part.rowCount, target)) nulls = true;
    offset += part.rowCount;
  }
  return { present, nulls };
}

function readAllTexts(rows: readonly Rows[], index: number) {
  const present = new Uint8Array(Math.max(0, ...rows.map(({ rowCount }) => rowCount)));
  const reader = new TextReader(rows.reduce((count, part) => count + part.rowCount, 0));
  for (const { chunk, rowCount } of rows) {
    readPresence(chunk, index, rowCount, present);
    reader.read(chunk, index, rowCount, present);
  }
  return { codes: reader.codes, dictionary: reader.dictionary };
}

function readIntervals(rows: readonly Rows[], index: number): (IntervalValue | null)[] {
  const months = readFixed(rows, index, 8);
  const rest = readFixed(rows, index + 1, 8);
  const { present } = readAllPresence(rows, index + 1);
  const monthCells = new BigInt64Array(months.bytes.buffer);
  return Array.from(new BigInt64Array(rest.bytes.buffer), (nanoseconds, i) =>
    present[i] === 0 ? null : { months: Number(monthCells[i]), nanoseconds },
  );
}
