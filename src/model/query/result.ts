import type { IntervalValue, LiteralValue } from "./expression.ts";

/** Rows of a result, in columns; each has `rowCount` cells. */
export interface ResultBatch {
  readonly rowCount: number;
  readonly columns: readonly ResultColumn[];
  /** All rows as text, in place of columns, where that was asked for (`RowText` of ports/engine.ts). */
  readonly text?: Uint8Array;
}

/** Whether each cell has a value: 1 or 0 a row; absent where all have. */
interface Presence {
  readonly present?: Uint8Array;
}

/** The cells of one column of a result, in the unit that value-type.ts says; units and zones are in the field's type. */
export type ResultColumn =
  | { readonly type: "null" }
  | ({ readonly type: "int8"; readonly values: Int8Array } & Presence)
  | ({ readonly type: "int16"; readonly values: Int16Array } & Presence)
  | ({ readonly type: "int32" | "date"; readonly values: Int32Array } & Presence)
  | ({
      readonly type: "int64" | "timestamp" | "time" | "duration";
      readonly values: BigInt64Array;
    } & Presence)
  | ({ readonly type: "uint8"; readonly values: Uint8Array } & Presence)
  | ({ readonly type: "uint16"; readonly values: Uint16Array } & Presence)
  | ({ readonly type: "uint32"; readonly values: Uint32Array } & Presence)
  | ({ readonly type: "uint64"; readonly values: BigUint64Array } & Presence)
  | ({ readonly type: "float32"; readonly values: Float32Array } & Presence)
  | ({ readonly type: "float64"; readonly values: Float64Array } & Presence)
  /** 1 or 0. */
  | ({ readonly type: "boolean"; readonly values: Uint8Array } & Presence)
  | { readonly type: "string"; readonly values: readonly (string | null)[] }
  | { readonly type: "binary"; readonly values: readonly (Uint8Array | null)[] }
  | { readonly type: "interval"; readonly values: readonly (IntervalValue | null)[] }
  /** Without their point. */
  | { readonly type: "decimal"; readonly values: readonly (bigint | null)[] }
  /** Row i has the items from `offsets[i]` to before `offsets[i + 1]`. */
  | ({
      readonly type: "list";
      readonly offsets: Int32Array;
      readonly items: ResultColumn;
    } & Presence)
  | ({ readonly type: "struct"; readonly members: readonly ResultColumn[] } & Presence)
  /** As of lists. */
  | ({
      readonly type: "map";
      readonly offsets: Int32Array;
      readonly keys: ResultColumn;
      readonly values: ResultColumn;
    } & Presence);

/** One cell; lists and structs are arrays of their items or members, maps of pairs. */
export type CellValue = LiteralValue | readonly CellValue[];

/** The cell of `column` in row `row`; numbers of less than 64 bits are numbers. */
export function cellAt(column: ResultColumn, row: number): CellValue {
  if (column.type === "null") return null;
  if ("present" in column && column.present?.[row] === 0) return null;
  switch (column.type) {
    case "list":
      return itemsAt(column.offsets, row, (index) => cellAt(column.items, index));
    case "map":
      return itemsAt(column.offsets, row, (index) => [
        cellAt(column.keys, index),
        cellAt(column.values, index),
      ]);
    case "struct":
      return column.members.map((member) => cellAt(member, row));
    case "boolean":
      return column.values[row] === 1;
    default:
      return column.values[row] ?? null;
  }
}

function itemsAt(
  offsets: Int32Array,
  row: number,
  item: (index: number) => CellValue,
): readonly CellValue[] {
  const start = offsets[row] ?? 0;
  return Array.from({ length: (offsets[row + 1] ?? start) - start }, (_, index) =>
    item(start + index),
  );
}

/** About what a value takes that is not in a typed array, beside its text or bytes. */
const VALUE_BYTES = 16;

/** About the bytes that `batch` takes in memory. */
export function sizeOfBatch({ columns, text }: ResultBatch): number {
  let sizeBytes = text?.length ?? 0;
  for (const column of columns) sizeBytes += sizeOfColumn(column);
  return sizeBytes;
}

function sizeOfColumn(column: ResultColumn): number {
  switch (column.type) {
    case "null":
      return 0;
    case "string":
    case "binary": {
      let sizeBytes = column.values.length * VALUE_BYTES;
      for (const value of column.values) sizeBytes += value?.length ?? 0;
      return sizeBytes;
    }
    case "interval":
    case "decimal":
      return column.values.length * VALUE_BYTES;
    case "list":
      return column.offsets.byteLength + sizeOfColumn(column.items);
    case "struct":
      return column.members.reduce((sum, member) => sum + sizeOfColumn(member), 0);
    case "map":
      return column.offsets.byteLength + sizeOfColumn(column.keys) + sizeOfColumn(column.values);
    default:
      return column.values.byteLength;
  }
}
