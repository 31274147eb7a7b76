/** What a column of a Parquet file is, and its cells. */
import type { Texts } from "./texts.ts";

/** A column as the file's schema has it. */
export interface ParquetColumn {
  readonly name: string;
  readonly fieldId?: number;
  readonly type: ParquetType;
  /** Of decimals: digits in all, and after the point. */
  readonly decimal?: { readonly precision: number; readonly scale: number };
  /** Whether it has a value in every row. */
  readonly required: boolean;
}

/** Instants and times of day are nanoseconds; dates days since 1970; `zoned instant` one that is shown in a time zone. */
export type ParquetType =
  | "instant"
  | "zoned instant"
  | "time"
  | "date"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "float"
  | "double"
  | "decimal"
  | "boolean"
  | "text"
  | "bytes";

/** The cells of one column in one row group: 0 in `codes` and in `present` is NULL; what a NULL has in `values` does not matter. */
export type ParquetCells =
  | {
      readonly kind: "texts";
      readonly codes: Uint32Array;
      /** Code `n` is entry `n - 1`. Entries differ. */
      readonly dictionary: Texts;
    }
  | {
      /** As texts; code `n` of `codes` goes for the next `lengths[n]` rows. */
      readonly kind: "text runs";
      readonly codes: Uint32Array;
      readonly lengths: Uint32Array;
      readonly dictionary: Texts;
    }
  | { readonly kind: "doubles"; readonly values: Float64Array; readonly present?: Uint8Array }
  | {
      readonly kind: "wholes";
      /** Unsigned ones as signed ones of the same bits. */
      readonly values: BigInt64Array;
      readonly present?: Uint8Array;
    }
  | {
      /** Few different numbers, and none is NULL: code `n` is entry `n`. */
      readonly kind: "coded wholes";
      readonly codes: Uint32Array;
      readonly dictionary: BigInt64Array;
    }
  | { readonly kind: "booleans"; readonly values: Uint8Array; readonly present?: Uint8Array }
  | {
      /** Numbers of other widths, as the format has them, `size` bytes each: 4 for whole numbers and floats, 16 for decimals, highest byte first. */
      readonly kind: "fixed";
      readonly bytes: Uint8Array;
      readonly size: 4 | 16;
      readonly present?: Uint8Array;
    };

/** Cells of one row each, of types that data files have. */
export type RowCells = Exclude<ParquetCells, { readonly kind: "text runs" | "fixed" }>;
