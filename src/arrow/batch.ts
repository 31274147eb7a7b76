/** Rows as record batches: buffers in the order of the columns, each padded to 8 bytes. */
import { assert } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";
import type { TimestampType } from "#model/query/value-type.ts";
import { type Bytes, binaries, decimals, intervals, packBits, texts, timesIn } from "./cells.ts";
import { int64, table } from "./flat-writer.ts";
import { encodeMessage, HEADERS } from "./schema.ts";
import { sliceColumn } from "./slice.ts";
import type { ArrowField, ArrowType } from "./type.ts";

/** A record batch: the FlatBuffer of its message, and its body in parts. */
export interface BatchMessage {
  readonly header: Uint8Array;
  readonly body: readonly Uint8Array[];
  readonly bodySizeBytes: number;
}

/** Cells of different types: row i has cell `places[i]` of column `members[i]`. */
export interface UnionColumn {
  readonly type: "union";
  readonly members: Uint8Array;
  readonly places: Int32Array;
  readonly columns: readonly { readonly rowCount: number; readonly cells: ResultColumn }[];
}

export type ArrowColumn = ResultColumn | UnionColumn;

/** Rows in columns; results are such. */
export interface ArrowBatch {
  readonly rowCount: number;
  readonly columns: readonly ArrowColumn[];
}

/** What a reader of 4 MiB messages, as gRPC's libraries are unless told otherwise, surely takes. */
const BODY_SIZE_TARGET = 2 * 1024 * 1024;

/** The rows of `batch` as messages whose bodies take at most `sizeMax`, or hold one row. */
export function* encodeBatches(
  fields: readonly ArrowField[],
  batch: ArrowBatch,
  sizeMax = BODY_SIZE_TARGET,
): Generator<BatchMessage> {
  const message = encodeBatch(fields, batch);
  const { rowCount } = batch;
  if (message.bodySizeBytes <= sizeMax || rowCount < 2) {
    yield message;
    return;
  }
  const partCount = Math.min(rowCount, Math.ceil(message.bodySizeBytes / sizeMax));
  const step = Math.ceil(rowCount / partCount);
  for (let start = 0; start < rowCount; start += step) {
    const end = Math.min(start + step, rowCount);
    const columns = batch.columns.map((column) => sliceColumn(column, start, end));
    yield* encodeBatches(fields, { rowCount: end - start, columns }, sizeMax);
  }
}

/** A batch without rows: it says that more will come. */
export function encodeEmptyBatch(fields: readonly ArrowField[]): BatchMessage {
  const body = new Body();
  for (const { type } of fields) body.empty(type);
  return body.message(0);
}

function encodeBatch(fields: readonly ArrowField[], batch: ArrowBatch): BatchMessage {
  assert(batch.columns.length === fields.length, "a batch has a column for each field");
  const body = new Body();
  for (const [index, column] of batch.columns.entries())
    body.column((fields[index] as ArrowField).type, column, batch.rowCount);
  return body.message(batch.rowCount);
}

class Body {
  /** Of each column: how many cells it has, and how many of them are NULL. */
  readonly #nodes: number[] = [];
  /** Of each buffer: where it begins, and its size. */
  readonly #buffers: number[] = [];
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  message(rowCount: number): BatchMessage {
    const header = table([
      int64(rowCount),
      { kind: "pairs", values: this.#nodes },
      { kind: "pairs", values: this.#buffers },
    ]);
    return {
      header: encodeMessage(HEADERS.batch, header, this.#size),
      body: this.#parts,
      bodySizeBytes: this.#size,
    };
  }

  column(type: ArrowType, column: ArrowColumn, rowCount: number): void {
    switch (column.type) {
      case "null":
        this.#nodes.push(rowCount, rowCount);
        return;
      case "string":
        return this.#variable(column.values, texts(column.values));
      case "binary":
        return this.#variable(column.values, binaries(column.values));
      case "interval":
        return this.#sparse(column.values, intervals(column.values));
      case "decimal":
        return this.#sparse(column.values, decimals(column.values));
      case "boolean":
        this.#present(rowCount, column.present);
        return this.#buffer(packBits(column.values));
      case "list":
      case "map":
      case "struct":
        return this.#nested(type, column, rowCount);
      case "union":
        return this.#union(type, column, rowCount);
      case "timestamp":
        this.#present(rowCount, column.present);
        return this.#buffer(bytesOf(timesIn(unitOf(type), column.values)));
      default:
        this.#present(rowCount, column.present);
        this.#buffer(bytesOf(column.values));
    }
  }

  /** A column without cells. */
  empty(type: ArrowType): void {
    this.#nodes.push(0, 0);
    const { bufferCount, children } = partsOf(type);
    for (let i = 0; i < bufferCount; i += 1) this.#buffers.push(this.#size, 0);
    for (const child of children) this.empty(child);
  }

  #nested(
    type: ArrowType,
    column: Extract<ArrowColumn, { readonly type: "list" | "map" | "struct" }>,
    rowCount: number,
  ): void {
    const { children } = partsOf(type);
    this.#present(rowCount, column.present);
    if (column.type === "struct") {
      for (const [index, member] of column.members.entries())
        this.column(children[index] as ArrowType, member, rowCount);
      return;
    }
    const { offsets } = column;
    const start = offsets[0] ?? 0;
    const end = offsets[rowCount] ?? start;
    this.#buffer(bytesOf(start === 0 ? offsets : offsets.map((offset) => offset - start)));
    const item = children[0] as ArrowType;
    const items: ArrowColumn =
      column.type === "list"
        ? column.items
        : { type: "struct", members: [column.keys, column.values] };
    this.column(item, sliceColumn(items, start, end), end - start);
  }

  #union(type: ArrowType, column: UnionColumn, rowCount: number): void {
    const { children } = partsOf(type);
    this.#nodes.push(rowCount, 0);
    this.#buffer(column.members);
    this.#buffer(bytesOf(column.places));
    for (const [index, member] of column.columns.entries())
      this.column(children[index] as ArrowType, member.cells, member.rowCount);
  }

  #variable(cells: readonly unknown[], { bytes, offsets }: Bytes): void {
    this.#sparse(cells, bytesOf(offsets));
    this.#buffer(bytes);
  }

  #sparse(cells: readonly unknown[], bytes: Uint8Array): void {
    const hasNull = cells.includes(null);
    this.#present(
      cells.length,
      hasNull ? Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1)) : undefined,
    );
    this.#buffer(bytes);
  }

  #present(rowCount: number, present: Uint8Array | undefined): void {
    let nullCount = 0;
    if (present !== undefined)
      for (let i = 0; i < rowCount; i += 1) if (present[i] === 0) nullCount += 1;
    this.#nodes.push(rowCount, nullCount);
    this.#buffer(present === undefined || nullCount === 0 ? EMPTY : packBits(present));
  }

  #buffer(bytes: Uint8Array): void {
    this.#buffers.push(this.#size, bytes.length);
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    const padding = -bytes.length & 7;
    if (padding > 0) this.#parts.push(ZEROS.subarray(0, padding));
    this.#size += bytes.length + padding;
  }
}

const EMPTY = new Uint8Array();
const ZEROS = new Uint8Array(8);

/** How many buffers a column has itself, and the types of those below it. */
function partsOf(type: ArrowType): { bufferCount: number; children: readonly ArrowType[] } {
  if (typeof type === "string") {
    if (type === "null") return { bufferCount: 0, children: [] };
    return { bufferCount: type === "string" || type === "binary" ? 3 : 2, children: [] };
  }
  switch (type.kind) {
    case "list":
      return { bufferCount: 2, children: [type.item] };
    case "map": {
      const { key, value } = type;
      const members = [key, value].map((member) => ({ name: "", type: member }));
      return { bufferCount: 2, children: [{ kind: "struct", members }] };
    }
    case "struct":
      return { bufferCount: 1, children: type.members.map((member) => member.type) };
    case "union":
      return { bufferCount: 2, children: type.members.map((member) => member.type) };
    default:
      return { bufferCount: 2, children: [] };
  }
}

function unitOf(type: ArrowType): TimestampType["unit"] {
  return typeof type === "object" && type.kind === "timestamp" ? type.unit : "nanosecond";
}

function bytesOf({ buffer, byteLength, byteOffset }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
