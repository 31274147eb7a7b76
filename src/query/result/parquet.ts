import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import { type ResultBatch, type ResultColumn, sizeOfBatch } from "#model/query/result.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { encodeChunk } from "#parquet/chunk.ts";
import type { ParquetCells, ParquetColumn, ParquetType } from "#parquet/column.ts";
import { ParquetFile } from "#parquet/file.ts";
import { textsOf } from "#parquet/texts.ts";
import { plainCellText } from "./text.ts";

/** Rows that stand together, at least: the node does nothing else while they are encoded, 15 ms at five columns. */
const GROUP_ROW_COUNT = 16_384;
/** Bytes that stand together, at least, where there are fewer rows: what is held of an answer, beside one batch. */
const GROUP_SIZE = 8 * 1024 * 1024;
/** What is held of the footer, which names each chunk of each group: some hundred million rows of a few columns. */
const FOOTER_SIZE_MAX = 64 * 1024 * 1024;

/**
 * A Parquet file, whose row groups are given as their rows come. Intervals, lists, structs and maps are text, as in CSV; durations are
 * nanoseconds, and timestamps too, whatever their unit. Throws `exceeded` / `parquet_too_large` where what the footer says of them is over a bound.
 */
export async function* encodeParquet(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
  footerSizeMax = FOOTER_SIZE_MAX,
): AsyncGenerator<Uint8Array> {
  const columns = fields.map(parquetColumn);
  const file = new ParquetFile(columns);
  let begun = false;
  let waiting: ResultBatch[] = [];
  let rowCount = 0;
  let sizeBytes = 0;
  const group = () => {
    const chunks = columns.map((column, index) => {
      const type = fields[index]?.type ?? "null";
      const parts = waiting.map((batch) => batch.columns[index] as ResultColumn);
      return encodeChunk(column, cellsOf(type, parts, waiting));
    });
    const bytes = file.add({ rowCount, chunks });
    waiting = [];
    rowCount = 0;
    sizeBytes = 0;
    return begun ? bytes : concatBytes([file.begin(), bytes]);
  };
  for await (const batch of batches) {
    if (batch.rowCount === 0) continue;
    waiting.push(batch);
    rowCount += batch.rowCount;
    sizeBytes += sizeOfBatch(batch);
    if (rowCount < GROUP_ROW_COUNT && sizeBytes < GROUP_SIZE) continue;
    yield group();
    begun = true;
    if (file.footerSizeBytes > footerSizeMax) throw tooLarge(footerSizeMax);
  }
  const rest = rowCount === 0 ? [] : [group()];
  if (!begun && rest.length === 0) rest.push(file.begin());
  yield concatBytes([...rest, file.end()]);
}

function tooLarge(footerSizeMax: number): DbError {
  return new DbError(
    "exceeded",
    "parquet_too_large",
    `the footer of the answer's file would have more than ${footerSizeMax} bytes: ask for fewer rows or columns, or for jsonl or csv`,
    { detail: { footerSizeMax } },
  );
}

const TYPES: Readonly<Partial<Record<ResultColumn["type"], ParquetType>>> = {
  int8: "int8",
  int16: "int16",
  int32: "int32",
  int64: "int64",
  uint8: "uint8",
  uint16: "uint16",
  uint32: "uint32",
  uint64: "uint64",
  float32: "float",
  float64: "double",
  boolean: "boolean",
  binary: "bytes",
  date: "date",
  time: "time",
  duration: "int64",
};

function parquetColumn({ column, name, type }: Field): ParquetColumn {
  const common = { name, required: column === "time" };
  if (typeof type === "string")
    return { ...common, type: type === "timestamp" ? "instant" : (TYPES[type] ?? "text") };
  if (type.kind === "timestamp")
    return { ...common, type: type.zone === undefined ? "instant" : "zoned instant" };
  if (type.kind !== "decimal") return { ...common, type: "text" };
  const { precision, scale } = type;
  return { ...common, type: "decimal", decimal: { precision, scale } };
}

/** The cells of the parts of one column. */
function cellsOf(
  type: ValueType,
  parts: readonly ResultColumn[],
  batches: readonly ResultBatch[],
): ParquetCells {
  const present = presence(parts, batches);
  switch (parts[0]?.type) {
    case "float64":
      return { kind: "doubles", values: new Float64Array(joined(parts)), ...present };
    case "int64":
    case "uint64":
    case "timestamp":
    case "time":
    case "duration":
      return { kind: "wholes", values: new BigInt64Array(joined(parts)), ...present };
    case "boolean":
      return { kind: "booleans", values: new Uint8Array(joined(parts)), ...present };
    case "int32":
    case "uint32":
    case "date":
    case "float32":
      return { kind: "fixed", size: 4, bytes: new Uint8Array(joined(parts)), ...present };
    case "int8":
    case "int16":
    case "uint8":
    case "uint16":
      return { kind: "fixed", size: 4, bytes: widened(parts), ...present };
    case "decimal":
      return { kind: "fixed", size: 16, bytes: decimalBytes(parts), ...present };
    case "binary":
      return binaryCells(parts);
    default:
      return textCells(type, parts, batches);
  }
}

function presence(
  parts: readonly ResultColumn[],
  batches: readonly ResultBatch[],
): { readonly present?: Uint8Array } {
  const marks = parts.map((part, index) => {
    const rowCount = batches[index]?.rowCount ?? 0;
    if (part.type === "decimal")
      return Uint8Array.from(part.values, (value) => (value === null ? 0 : 1));
    const given = "present" in part ? part.present : undefined;
    return given?.subarray(0, rowCount) ?? new Uint8Array(rowCount).fill(1);
  });
  return { present: concatBytes(marks) };
}

/** The numbers of all parts in memory of their own. */
function joined(parts: readonly ResultColumn[]): ArrayBuffer {
  const bytes = concatBytes(
    parts.map((part) => {
      const { buffer, byteLength, byteOffset } = (part as { values: ArrayBufferView }).values;
      return new Uint8Array(buffer, byteOffset, byteLength);
    }),
  );
  return bytes.buffer as ArrayBuffer;
}

/** Small whole numbers, which the format has in 32 bits. */
function widened(parts: readonly ResultColumn[]): Uint8Array {
  const values = parts.flatMap((part) => [...(part as { values: Int8Array }).values]);
  return new Uint8Array(Int32Array.from(values).buffer);
}

function decimalBytes(parts: readonly ResultColumn[]): Uint8Array {
  const values = parts.flatMap((part) => (part.type === "decimal" ? part.values : []));
  const view = new DataView(new ArrayBuffer(16 * values.length));
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    view.setBigInt64(16 * index, value >> 64n);
    view.setBigInt64(16 * index + 8, BigInt.asIntN(64, value));
  }
  return new Uint8Array(view.buffer);
}

function binaryCells(parts: readonly ResultColumn[]): ParquetCells {
  const values = parts.flatMap((part) => (part.type === "binary" ? part.values : []));
  const given = values.filter((value) => value !== null);
  let end = 0;
  let code = 0;
  return {
    kind: "texts",
    codes: Uint32Array.from(values, (value) => (value === null ? 0 : (code += 1))),
    dictionary: {
      count: given.length,
      bytes: concatBytes(given),
      ends: Uint32Array.from(given, ({ length }) => (end += length)),
    },
  };
}

function textCells(
  type: ValueType,
  parts: readonly ResultColumn[],
  batches: readonly ResultBatch[],
): ParquetCells {
  const numbers = new Map<string, number>();
  const codes = new Uint32Array(batches.reduce((count, { rowCount }) => count + rowCount, 0));
  let place = 0;
  for (const [index, part] of parts.entries()) {
    const cell = plainCellText(part, type);
    for (let row = 0; row < (batches[index]?.rowCount ?? 0); row += 1) {
      const text = cell(row);
      if (text !== undefined) {
        const code = numbers.get(text) ?? numbers.size + 1;
        if (code > numbers.size) numbers.set(text, code);
        codes[place] = code;
      }
      place += 1;
    }
  }
  return { kind: "texts", codes, dictionary: textsOf([...numbers.keys()]) };
}
