/** Batches of rows for tests: builders, samples, and any at all for properties. */
import * as fc from "fast-check";
import type { BatchColumn, ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

const anInt = fc.oneof(
  fc.bigInt({ min: -300n, max: 300n }),
  fc.bigInt({ min: INT_MIN, max: INT_MAX }),
  fc.bigInt({ min: 0n, max: 100n }).map((seconds) => seconds * 1_000_000_000n),
  fc.constantFrom(INT_MIN, INT_MAX, 0n, 2n ** 53n, -(2n ** 53n), 2n ** 52n, 2n ** 32n),
);
const aUint = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc.bigInt({ min: 0n, max: UINT_MAX }),
  fc.constantFrom(UINT_MAX, 2n ** 63n, 2n ** 63n - 1n),
);
const aFloat = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.integer({ min: -100_000, max: 100_000 }).map((whole) => whole / 1000),
  fc.double(),
  fc.constantFrom(-0, 2 ** 53, -(2 ** 53) - 2, 1e300, 5e-324, 0.1 + 0.2, 2 ** 52 + 0.5),
  // Whole numbers that fit alone, but not together; and decimals that fit alone, but not with more digits.
  fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53, 0),
  fc.constantFrom(1e-15, 8.41, 8.7, 1.1, 9e15, 0.5),
);
const aText = fc.oneof(
  fc.constantFrom("", "a", "b", "é", "東京", "😀", "a\0b", "\ufeff"),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** Columns whose cells are alike (`one` and its neighbours), as real ones are, or of any value. */
function cells<T>(value: fc.Arbitrary<T>, rowCount: number): fc.Arbitrary<T[]> {
  const sameLength = { minLength: rowCount, maxLength: rowCount };
  return fc.oneof(
    fc.array(value, sameLength),
    value.map((one) => Array.from({ length: rowCount }, () => one)),
    fc
      .tuple(fc.array(value, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 40 }))
      .map(([few, length]) =>
        Array.from({ length: rowCount }, (_, i) => few[Math.floor(i / length) % few.length] as T),
      ),
  );
}

/** Cells of a text column, with the dictionary of their texts in order of appearance. */
export function textData(
  kind: "tag" | "string",
  texts: readonly (string | null)[],
): Extract<ColumnData, { kind: "tag" | "string" }> {
  const dictionary = [...new Set(texts.filter((text) => text !== null))];
  const codes = Uint32Array.from(texts, (text) =>
    text === null ? 0 : dictionary.indexOf(text) + 1,
  );
  return { kind, codes, dictionary };
}

function presence(present: readonly number[] | undefined): { readonly present?: Uint8Array } {
  return present === undefined ? {} : { present: Uint8Array.from(present) };
}

function masked<T>(values: readonly T[], bits: readonly number[] | undefined, zero: T): T[] {
  return values.map((value, i) => (bits === undefined || bits[i] === 1 ? value : zero));
}

function aColumn(rowCount: number): fc.Arbitrary<ColumnData> {
  const bits = fc.option(cells(fc.constantFrom(0, 1), rowCount), { nil: undefined });
  return fc.oneof(
    fc
      .tuple(
        fc.constantFrom("tag" as const, "string" as const),
        cells(fc.option(aText, { nil: null }), rowCount),
      )
      .map(([kind, texts]) => textData(kind, texts)),
    fc.tuple(cells(aFloat, rowCount), bits).map(([values, present]): ColumnData => {
      const all = Float64Array.from(masked(values, present, 0));
      return { kind: "float", values: all, ...presence(present) };
    }),
    fc.tuple(cells(anInt, rowCount), bits).map(([values, present]): ColumnData => {
      const all = BigInt64Array.from(masked(values, present, 0n));
      return { kind: "integer", values: all, ...presence(present) };
    }),
    fc.tuple(cells(aUint, rowCount), bits).map(([values, present]): ColumnData => {
      const all = BigUint64Array.from(masked(values, present, 0n));
      return { kind: "uinteger", values: all, ...presence(present) };
    }),
    fc.tuple(cells(fc.constantFrom(0, 1), rowCount), bits).map(([values, present]): ColumnData => {
      const all = Uint8Array.from(masked(values, present, 0));
      return { kind: "boolean", values: all, ...presence(present) };
    }),
  );
}

/** Any batch that keeps the rules, of up to 120 rows and 8 columns. */
export const aBatch: fc.Arbitrary<ColumnBatch> = fc
  .tuple(
    fc.integer({ min: 1, max: 120 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 8 }),
  )
  .chain(([rowCount, ids]) =>
    fc.tuple(
      cells(anInt, rowCount),
      fc.tuple(
        ...ids
          .toSorted((a, b) => a - b)
          .map((id) => aColumn(rowCount).map((data) => [id, data] as const)),
      ),
    ),
  )
  .map(([times, columns]) =>
    batchOf(
      times,
      columns.map(([id, data]) => ({ id: id as ColumnId, data })),
    ),
  );

/** Rows of a table with a large id; `columns` in ascending order of id. */
export function batchOf(times: readonly bigint[], columns: readonly BatchColumn[]): ColumnBatch {
  return {
    databaseId: 7 as DatabaseId,
    tableId: 4_000_000_000 as TableId,
    times: BigInt64Array.from(times),
    columns,
  };
}

/** A few batches that between them have every kind and form of column. Their blocks are kept in block/testdata. */
export const SAMPLES: readonly ColumnBatch[] = [
  batchOf([0n], []),
  batchOf(
    [5n, 3n, 3n],
    [
      { id: 1 as ColumnId, data: textData("tag", ["a", null, "a"]) },
      { id: 2 as ColumnId, data: { kind: "float", values: Float64Array.of(1.5, -0, 3) } },
      { id: 9 as ColumnId, data: textData("string", ["x", "", null]) },
    ],
  ),
  batchOf(
    [INT_MIN, INT_MAX, 1_700_000_000_000_000_000n, 0n],
    [
      {
        id: 1 as ColumnId,
        data: {
          kind: "integer",
          values: BigInt64Array.of(1n, 0n, INT_MIN, 4n),
          present: Uint8Array.of(1, 0, 1, 1),
        },
      },
      { id: 2 as ColumnId, data: textData("tag", ["é", "😀", null, "é"]) },
      { id: 3 as ColumnId, data: textData("tag", [null, null, "z", null]) },
      { id: 4 as ColumnId, data: { kind: "boolean", values: Uint8Array.of(1, 0, 0, 1) } },
      {
        id: 5 as ColumnId,
        data: { kind: "uinteger", values: BigUint64Array.of(UINT_MAX, 1n, 2n, 3n) },
      },
      { id: 6 as ColumnId, data: { kind: "float", values: Float64Array.of(0.25, 100, 0, -7.5) } },
    ],
  ),
  // Runs, differences and wide offsets.
  batchOf(
    Array.from({ length: 200 }, (_, i) => BigInt(Math.floor(i / 50)) * 10_000_000_000n),
    [
      {
        id: 1 as ColumnId,
        data: {
          kind: "float",
          values: Float64Array.from({ length: 200 }, (_, i) => i * 1e9 + (i % 7)),
        },
      },
      {
        id: 2 as ColumnId,
        data: textData(
          "tag",
          Array.from({ length: 200 }, (_, i) => `host_${i % 50}`),
        ),
      },
    ],
  ),
];
