/** The first row of what a client sends: the values of a statement's parameters. */
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import { formatTimestamp } from "#model/time-text.ts";
import { FlatTable, malformed } from "./flat-reader.ts";
import { HEADERS } from "./schema.ts";
import { ARROW_TYPES } from "./type.ts";

/** A message of a client: its FlatBuffer, and its body. */
export interface SentMessage {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

export interface Cell {
  readonly name: string;
  readonly value: LiteralValue;
}

/** Parameters of a statement: all of them are held, and stand in its handle. */
const FIELD_COUNT_MAX = 1_000;
/** Validity, offsets and cells. */
const BUFFERS_PER_FIELD_MAX = 3;
const NS_PER_UNIT = [1_000_000_000n, 1_000_000n, 1_000n, 1n];
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ARROW_TYPES).map(([name, number]) => [number, name]),
);

/**
 * The cells of the one row that a schema and a record batch are; points in time are text. They hold no more bytes than both messages.
 * Throws `invalid` / `arrow_message`, or `query_parameter` where there are more rows, or a type that parameters do not have;
 * `exceeded` / `query_parameter_count`.
 */
export function readFirstRow(schema: SentMessage, batch: SentMessage): readonly Cell[] {
  const table = headerOf(schema, HEADERS.schema);
  const fieldCount = table.count(1);
  if (fieldCount > FIELD_COUNT_MAX) throw tooMany(fieldCount);
  const fields = table.tables(1);
  const header = headerOf(batch, HEADERS.batch);
  const rowCount = header.int64(0);
  if (rowCount !== 1) throw wrong(`parameters come in one row, not in ${rowCount}`);
  if (header.table(3) !== undefined)
    throw wrong("batches of parameters that are compressed are not taken");
  const row = new Row(header, batch.body);
  return fields.map((field) => row.next(field));
}

function headerOf({ header }: SentMessage, kind: number): FlatTable {
  const message = FlatTable.root(header);
  const table = message.table(2);
  if (table === undefined || message.int8(1) !== kind) throw malformed();
  return table;
}

/** Takes the buffers of the columns in their order. */
class Row {
  readonly #nodes: readonly (readonly [number, number])[];
  readonly #buffers: readonly (readonly [number, number])[];
  readonly #body: Uint8Array;
  #node = 0;
  #buffer = 0;
  #takenSize = 0;

  constructor(header: FlatTable, body: Uint8Array) {
    const bufferCountMax = BUFFERS_PER_FIELD_MAX * FIELD_COUNT_MAX;
    if (header.count(1) > FIELD_COUNT_MAX || header.count(2) > bufferCountMax) throw malformed();
    this.#nodes = header.pairs(1);
    this.#buffers = header.pairs(2);
    this.#body = body;
  }

  next(field: FlatTable): Cell {
    const name = field.text(0);
    const number = field.int8(2);
    const type = field.table(3);
    if (type === undefined || field.table(4) !== undefined) throw unsupported(name, "dictionaries");
    const [, nullCount = 0] = this.#nodes[this.#node] ?? [];
    this.#node += 1;
    if (number === ARROW_TYPES.null) return { name, value: null };
    this.#take();
    const first = this.#take();
    const hasBytes = VARIABLE.has(number);
    const second = hasBytes ? this.#take() : first;
    if (nullCount > 0) return { name, value: null };
    try {
      return {
        name,
        value: hasBytes ? textOf(number, first, second) : cellOf(name, { number, type }, first),
      };
    } catch (error) {
      throw error instanceof DbError ? error : malformed(error);
    }
  }

  #take(): DataView {
    const [start, size] = this.#buffers[this.#buffer] ?? [0, -1];
    this.#buffer += 1;
    if (start < 0 || size < 0 || start + size > this.#body.length) throw malformed();
    // Buffers do not overlap: else a body would count once for each column.
    this.#takenSize += size;
    if (this.#takenSize > this.#body.length) throw malformed();
    return new DataView(this.#body.buffer, this.#body.byteOffset + start, size);
  }
}

const VARIABLE: ReadonlySet<number> = new Set([
  ARROW_TYPES.utf8,
  ARROW_TYPES.largeUtf8,
  ARROW_TYPES.binary,
  ARROW_TYPES.largeBinary,
]);

function textOf(number: number, offsets: DataView, bytes: DataView): LiteralValue {
  const isLarge = number === ARROW_TYPES.largeUtf8 || number === ARROW_TYPES.largeBinary;
  const offsetAt = (index: number) =>
    isLarge ? Number(offsets.getBigInt64(8 * index, true)) : offsets.getInt32(4 * index, true);
  const [start, end] = [offsetAt(0), offsetAt(1)];
  if (start < 0 || end < start || end > bytes.byteLength) throw malformed();
  const value = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  return number === ARROW_TYPES.utf8 || number === ARROW_TYPES.largeUtf8
    ? fromUtf8(value)
    : value.slice();
}

function cellOf(
  name: string,
  { number, type }: { readonly number: number; readonly type: FlatTable },
  cells: DataView,
): LiteralValue {
  switch (number) {
    case ARROW_TYPES.bool:
      return (cells.getUint8(0) & 1) === 1;
    case ARROW_TYPES.int:
      return wholeOf(type, cells);
    case ARROW_TYPES.float:
      return floatOf(name, type, cells);
    case ARROW_TYPES.timestamp:
      return formatTimestamp(cells.getBigInt64(0, true) * (NS_PER_UNIT[type.int16(0)] ?? 1n));
    default:
      throw unsupported(name, NAMES.get(number) ?? `type ${number}`);
  }
}

function floatOf(name: string, type: FlatTable, cells: DataView): number {
  switch (type.int16(0)) {
    case 1:
      return cells.getFloat32(0, true);
    case 2:
      return cells.getFloat64(0, true);
    default:
      throw unsupported(name, "floats of half precision");
  }
}

function wholeOf(type: FlatTable, cells: DataView): bigint {
  const isSigned = type.int8(1) !== 0;
  switch (type.int32(0)) {
    case 8:
      return BigInt(isSigned ? cells.getInt8(0) : cells.getUint8(0));
    case 16:
      return BigInt(isSigned ? cells.getInt16(0, true) : cells.getUint16(0, true));
    case 32:
      return BigInt(isSigned ? cells.getInt32(0, true) : cells.getUint32(0, true));
    default:
      return isSigned ? cells.getBigInt64(0, true) : cells.getBigUint64(0, true);
  }
}

function unsupported(name: string, what: string): DbError {
  return wrong(
    `parameter '${name}' is of a type that parameters do not have here (${what}): send null, a boolean, a number, a text or a timestamp`,
  );
}

function tooMany(count: number): DbError {
  return new DbError(
    "exceeded",
    "query_parameter_count",
    `there are ${count} parameters, more than ${FIELD_COUNT_MAX}`,
    { detail: { count, countMax: FIELD_COUNT_MAX } },
  );
}

function wrong(message: string): DbError {
  return new DbError("invalid", "query_parameter", message);
}
