/** Chunks of the engine as batches of a result. */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { concatBytes } from "#base/bytes.ts";
import type { IntervalValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { PlainType, ValueType } from "#model/query/value-type.ts";
import type { MadeBatch, MadeColumn } from "../../messages.ts";
import {
  type Cells,
  cellsOf,
  itemCells,
  memberCells,
  readBinaries,
  readCells,
  readPresence,
  TextReader,
} from "../vectors.ts";

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
  const rowCount = chunks.reduce((count, part) => count + part.rowCount, 0);
  let index = 0;
  const columns = fields.map(({ type }): MadeColumn => {
    // The engine is not asked for it, and no column stands in its place.
    if (type === "null") return { type };
    const parts = chunks.map((rows) => cellsOf(rows.chunk.chunk, index, rows.rowCount));
    index += 1;
    return readColumn(type, parts);
  });
  return { rowCount, columns };
}

/** How many columns of the engine a field takes. */
export function resultWidth(type: ValueType): number {
  return type === "null" ? 0 : 1;
}

/** A column in pieces, whose cells follow each other. */
type Parts = readonly Cells[];

function readColumn(type: ValueType, parts: Parts): MadeColumn {
  switch (type) {
    case "null":
      return { type };
    case "string":
      return { type, ...readAllTexts(parts) };
    case "interval":
      return { type, values: readIntervals(parts) };
    case "binary":
      return { type, values: parts.flatMap((part) => readBinaries(part, presentIn(part))) };
    default:
      return typeof type === "string" ? readNumbers(type, parts) : readParted(type, parts);
  }
}

function readParted(type: Exclude<ValueType, PlainType>, parts: Parts): MadeColumn {
  switch (type.kind) {
    case "timestamp":
      return readNumbers("timestamp", parts);
    case "decimal":
      return { type: "decimal", values: readDecimals(type.precision, parts) };
    case "struct": {
      const members = type.members.map((member, index) =>
        readColumn(
          member.type,
          parts.map((part) => memberCells(part, index)),
        ),
      );
      return { type: "struct", members, ...readAllPresence(parts) };
    }
    case "list": {
      const { items, ...rest } = readItems(parts);
      return { type: "list", items: readColumn(type.item, items), ...rest };
    }
    case "map": {
      const { items, ...rest } = readItems(parts);
      const [keys, values] = [0, 1].map((index) => items.map((part) => memberCells(part, index)));
      return {
        type: "map",
        keys: readColumn(type.key, keys ?? []),
        values: readColumn(type.value, values ?? []),
        ...rest,
      };
    }
  }
}

type NumberType = Exclude<PlainType, "null" | "string" | "interval" | "binary">;

function readNumbers(type: NumberType, parts: Parts): MadeColumn {
  const { bytes, presence } = readFixed(parts, NUMBER_SIZES[type]);
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

/** Cells in a buffer of their own; a NULL's are 0. */
function readFixed(parts: Parts, size: 1 | 2 | 4 | 8 | 16) {
  const bytes = concatBytes(parts.map((part) => readCells(part, size))) as Uint8Array<ArrayBuffer>;
  const presence = readAllPresence(parts);
  const { present = new Uint8Array(0) } = presence;
  for (let i = 0; i < present.length; i += 1) {
    if (present[i] === 0) bytes.fill(0, i * size, (i + 1) * size);
  }
  return { bytes, presence };
}

/** Nothing where all cells are there. */
function readAllPresence(parts: Parts): { readonly present?: Uint8Array } {
  const present = new Uint8Array(countOf(parts));
  let offset = 0;
  let nulls = false;
  for (const part of parts) {
    if (readPresence(part, present.subarray(offset))) nulls = true;
    offset += part.count;
  }
  return nulls ? { present } : {};
}

function presentIn(cells: Cells): Uint8Array {
  const present = new Uint8Array(cells.count);
  readPresence(cells, present);
  return present;
}

function countOf(parts: Parts): number {
  return parts.reduce((count, part) => count + part.count, 0);
}

function readAllTexts(parts: Parts) {
  const present = new Uint8Array(Math.max(0, ...parts.map(({ count }) => count)));
  const reader = new TextReader(countOf(parts));
  for (const part of parts) {
    readPresence(part, present);
    reader.read(part, present);
  }
  return { codes: reader.codes, dictionary: reader.dictionary };
}

/** An interval is a struct of months and nanoseconds. */
function readIntervals(parts: Parts): (IntervalValue | null)[] {
  const [months, rest] = [0, 1].map((index) => {
    const { bytes } = readFixed(
      parts.map((part) => memberCells(part, index)),
      8,
    );
    return new BigInt64Array(bytes.buffer);
  });
  const { present } = readAllPresence(parts);
  return Array.from({ length: countOf(parts) }, (_, i) =>
    present?.[i] === 0 ? null : { months: Number(months?.[i]), nanoseconds: rest?.[i] ?? 0n },
  );
}

/** The engine keeps decimals in 2 to 16 bytes, as many as their digits need. */
function readDecimals(precision: number, parts: Parts): (bigint | null)[] {
  const size = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16;
  const { bytes, presence } = readFixed(parts, size);
  const view = new DataView(bytes.buffer);
  const read = (at: number): bigint => {
    if (size === 2) return BigInt(view.getInt16(at, true));
    if (size === 4) return BigInt(view.getInt32(at, true));
    if (size === 8) return view.getBigInt64(at, true);
    return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
  };
  return Array.from({ length: countOf(parts) }, (_, i) =>
    presence.present?.[i] === 0 ? null : read(i * size),
  );
}

/** The items of lists or the entries of maps, and where those of each row begin. */
function readItems(parts: Parts) {
  const offsets = new Int32Array(countOf(parts) + 1);
  let row = 0;
  const items = parts.map((part) => {
    const found = itemCells(part, presentIn(part));
    for (const length of found.lengths) {
      offsets[row + 1] = (offsets[row] ?? 0) + length;
      row += 1;
    }
    return found.items;
  });
  return { items, offsets, ...readAllPresence(parts) };
}
