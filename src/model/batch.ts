import type { ColumnId, DatabaseId, TableId } from "./ids.ts";

/**
 * The cells of one column over the rows of a batch.
 *
 * Text has `codes`: 0 is NULL, `code` stands for `dictionary[code - 1]`; entries differ from each other.
 * The others have `values`, and `present` (1 or 0 a row) where some are NULL; a NULL's value is 0.
 */
export type ColumnData =
  | {
      readonly kind: "tag" | "string";
      readonly codes: Uint32Array;
      readonly dictionary: readonly string[];
      /** The same as `dictionary`, where it was made from UTF-8 and whoever writes it need not make that again. */
      readonly encoded?: EncodedTexts;
    }
  | { readonly kind: "float"; readonly values: Float64Array; readonly present?: Uint8Array }
  | { readonly kind: "integer"; readonly values: BigInt64Array; readonly present?: Uint8Array }
  | { readonly kind: "uinteger"; readonly values: BigUint64Array; readonly present?: Uint8Array }
  | { readonly kind: "boolean"; readonly values: Uint8Array; readonly present?: Uint8Array };

/** Texts in UTF-8, one behind the other. */
export interface EncodedTexts {
  readonly bytes: Uint8Array;
  /** Of each, in UTF-16 units. */
  readonly lengths: Uint32Array;
}

/** Whether `row` of a column is not NULL. */
export function hasValue(data: ColumnData, row: number): boolean {
  if ("codes" in data) return data.codes[row] !== 0;
  return data.present === undefined || data.present[row] === 1;
}

export type ColumnDataKind = ColumnData["kind"];

/** One column of a batch, under its id in the catalog. */
export interface BatchColumn {
  readonly id: ColumnId;
  readonly data: ColumnData;
}

/** Rows of one table, in columns. Every array has `times.length` cells. */
export interface ColumnBatch {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** Nanoseconds since the Unix epoch. */
  readonly times: BigInt64Array;
  /** Each column once, in ascending order of id. A column of the table that is not here is NULL in every row. */
  readonly columns: readonly BatchColumn[];
}

/** A number for each code of `dictionary`: 0 for NULL's, what `numberOf` says of its text for another. */
export function numbersOfCodes(
  dictionary: readonly string[],
  numberOf: (text: string) => number,
): Uint32Array {
  const numbers = new Uint32Array(dictionary.length + 1);
  for (const [index, text] of dictionary.entries()) numbers[index + 1] = numberOf(text);
  return numbers;
}
