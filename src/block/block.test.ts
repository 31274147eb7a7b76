import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { hex } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import type { BatchColumn, ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { BLOCK_ROW_COUNT_MAX, decodeBlock, encodeBlock, readBlockHeader } from "./block.ts";

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
  fc.constantFrom(-0, 2 ** 53, -(2 ** 53) - 2, 1e300, 5e-324, 0.1 + 0.2, 4503599627370497.5),
);
const aText = fc.oneof(
  fc.constantFrom("", "a", "b", "é", "東京", "😀", "a\0b"),
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

function textData(
  kind: "tag" | "string",
  texts: readonly (string | null)[],
): Extract<ColumnData, { kind: "tag" | "string" }> {
  const dictionary = [...new Set(texts.filter((text) => text !== null))];
  const codes = Uint32Array.from(texts, (text) =>
    text === null ? 0 : dictionary.indexOf(text) + 1,
  );
  return { kind, codes, dictionary };
}

function masked<T>(values: readonly T[], bits: readonly number[] | undefined, zero: T): T[] {
  return values.map((value, i) => (bits === undefined || bits[i] === 1 ? value : zero));
}

function aColumn(rowCount: number): fc.Arbitrary<ColumnData> {
  const bits = fc.option(cells(fc.constantFrom(0, 1), rowCount), { nil: undefined });
  const presence = (present: readonly number[] | undefined) =>
    present === undefined ? {} : { present: Uint8Array.from(present) };
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

const aBatch: fc.Arbitrary<ColumnBatch> = fc
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

function batchOf(times: readonly bigint[], columns: readonly BatchColumn[]): ColumnBatch {
  return {
    databaseId: 7 as DatabaseId,
    tableId: 4_000_000_000 as TableId,
    times: BigInt64Array.from(times),
    columns,
  };
}

/** Presence that says nothing is left out. */
function normal(batch: ColumnBatch): ColumnBatch {
  const columns = batch.columns.map(({ id, data }): BatchColumn => {
    if (!("present" in data) || data.present.includes(0)) return { id, data };
    const { present: _, ...rest } = data;
    return { id, data: rest as ColumnData };
  });
  return { ...batch, columns };
}

const SAMPLES: readonly ColumnBatch[] = [
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

/** `bytes` under the checksum that fits them. */
function sealed(bytes: Uint8Array): Uint8Array {
  const checksum = crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4)));
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, checksum, true);
  return bytes;
}

const isDamage = (error: unknown) =>
  error instanceof DbError && error.kind === "corrupt" && error.code === "block_damaged";

suite("block", () => {
  test("what is decoded is what was encoded, wherever the bytes lie", () => {
    fc.assert(
      fc.property(aBatch, fc.integer({ min: 0, max: 9 }), (batch, shift) => {
        const bytes = encodeBlock(batch);
        const shifted = new Uint8Array(bytes.length + 20).fill(0xee);
        shifted.set(bytes, shift);
        const view = shifted.subarray(shift, shift + bytes.length);
        assert.deepStrictEqual(decodeBlock(view), normal(batch));
      }),
      { numRuns: 400 },
    );
  });

  test("the header tells rows, times and columns", () => {
    fc.assert(
      fc.property(aBatch, (batch) => {
        const { databaseId, tableId, times } = batch;
        const sorted = times.toSorted();
        assert.deepStrictEqual(readBlockHeader(encodeBlock(batch)), {
          databaseId,
          tableId,
          rowCount: times.length,
          time: { start: sorted[0], end: sorted.at(-1) },
          columns: batch.columns.map(({ id, data }) => ({ id, kind: data.kind })),
        });
      }),
      { numRuns: 50 },
    );
  });

  test("every truncation and every flipped bit is refused", () => {
    for (const batch of SAMPLES) {
      const bytes = encodeBlock(batch);
      for (let size = 0; size < bytes.length; size += 1) {
        assert.throws(() => decodeBlock(bytes.subarray(0, size)), isDamage);
        assert.throws(() => readBlockHeader(bytes.subarray(0, size)), isDamage);
      }
      for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
        const flipped = bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(() => decodeBlock(flipped), isDamage);
        assert.throws(() => readBlockHeader(flipped), isDamage);
      }
    }
  });

  test("wrong bytes under a right checksum give a batch or are refused, and never fail otherwise", () => {
    let refused = 0;
    const check = (bytes: Uint8Array) => {
      try {
        const { times, columns } = decodeBlock(sealed(bytes));
        for (const { data } of columns) {
          assert.equal(("codes" in data ? data.codes : data.values).length, times.length);
        }
      } catch (error) {
        refused += 1;
        const later = error instanceof DbError && error.code === "block_version";
        assert.ok(later || isDamage(error), String(error));
      }
    };
    for (const bytes of SAMPLES.map(encodeBlock)) {
      for (let size = 8; size < bytes.length; size += 1) check(bytes.slice(0, size));
      for (let i = 0; i < bytes.length; i += 1) {
        for (const value of [0, 1, 0x7f, 0xff, (bytes[i] ?? 0) ^ 0x10]) {
          const changed = bytes.slice();
          changed[i] = value;
          check(changed);
        }
      }
    }
    assert.ok(refused > 500, `only ${refused} were refused`);
  });

  test("random bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.throws(() => decodeBlock(bytes), isDamage);
      }),
    );
  });

  test("a later version is named as such", () => {
    const bytes = encodeBlock(SAMPLES[0] as ColumnBatch);
    bytes[1] = 2;
    assert.throws(() => decodeBlock(sealed(bytes)), { kind: "unsupported", code: "block_version" });
  });

  const numbers = Float64Array.of(1, 2);
  const WRONG: readonly (readonly [string, ColumnBatch])[] = [
    ["no rows", batchOf([], [])],
    [
      "too few values",
      batchOf([1n], [{ id: 1 as ColumnId, data: { kind: "float", values: numbers } }]),
    ],
    [
      "the time's id",
      batchOf([1n, 2n], [{ id: 0 as ColumnId, data: { kind: "float", values: numbers } }]),
    ],
    [
      "ids that fall",
      batchOf(
        [1n, 2n],
        [3, 2].map((id) => ({ id: id as ColumnId, data: { kind: "float", values: numbers } })),
      ),
    ],
    [
      "a code without text",
      batchOf(
        [1n],
        [{ id: 1 as ColumnId, data: { kind: "tag", codes: Uint32Array.of(2), dictionary: ["a"] } }],
      ),
    ],
    [
      "equal texts",
      batchOf(
        [1n],
        [
          {
            id: 1 as ColumnId,
            data: { kind: "string", codes: Uint32Array.of(2), dictionary: ["a", "a"] },
          },
        ],
      ),
    ],
    [
      "half a character",
      batchOf(
        [1n],
        [
          {
            id: 1 as ColumnId,
            data: { kind: "string", codes: Uint32Array.of(2), dictionary: ["\ud83d", "\ude00"] },
          },
        ],
      ),
    ],
    [
      "presence of another length",
      batchOf(
        [1n, 2n],
        [
          {
            id: 1 as ColumnId,
            data: { kind: "float", values: numbers, present: Uint8Array.of(1) },
          },
        ],
      ),
    ],
    [
      "too many rows",
      batchOf(
        Array.from({ length: BLOCK_ROW_COUNT_MAX + 1 }, () => 0n),
        [],
      ),
    ],
  ];
  for (const [what, batch] of WRONG) {
    test(`a batch with ${what} is a bug of the caller`, () => {
      assert.throws(() => encodeBlock(batch), { kind: "internal" });
    });
  }

  test("blocks of earlier builds stay readable", () => {
    const lines = readFileSync(new URL("./testdata/blocks-v1.hex", import.meta.url), "utf8");
    const blocks = lines
      .trimEnd()
      .split("\n")
      .map((line) => Buffer.from(line, "hex"));
    assert.deepStrictEqual(blocks.map(decodeBlock), SAMPLES);
    assert.deepStrictEqual(SAMPLES.map(encodeBlock).map(hex), lines.trimEnd().split("\n"));
  });
});

suite("block size", () => {
  const rowCount = 5000;
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  /** Hosts in turn every ten seconds, ten tags, ten fields that walk between 0 and 100. */
  const benchmark = (decimals: number) =>
    batchOf(
      rows.map(
        (row) => 1_451_606_400_000_000_000n + BigInt(Math.floor(row / 100)) * 10_000_000_000n,
      ),
      [
        ...Array.from({ length: 10 }, (_, tag) => ({
          id: (tag + 1) as ColumnId,
          data: textData(
            "tag",
            rows.map(
              (row) => `tag_${tag}_${tag === 0 ? row % 100 : ((row % 100) * 7919) % (5 + tag)}`,
            ),
          ),
        })),
        ...Array.from({ length: 10 }, (_, field) => ({
          id: (field + 20) as ColumnId,
          data: {
            kind: "float" as const,
            values: Float64Array.from(rows, (row) => {
              const unit = 10 ** decimals;
              return Math.round((50 + 50 * Math.sin(row * (field + 1))) * unit) / unit;
            }),
          },
        })),
      ],
    );
  const CASES = [
    ["ten small whole numbers", benchmark(0), 12],
    ["ten numbers of four decimals", benchmark(4), 32],
    [
      "one series, one field, each second",
      batchOf(
        rows.map((row) => BigInt(row) * 1_000_000_000n),
        [
          {
            id: 1 as ColumnId,
            data: textData(
              "tag",
              rows.map(() => "a"),
            ),
          },
          {
            id: 2 as ColumnId,
            data: { kind: "integer", values: BigInt64Array.from(rows, (row) => BigInt(row % 256)) },
          },
        ],
      ),
      1.1,
    ],
    [
      "times within a day in any order",
      batchOf(
        rows.map((row) => BigInt((row * 7919) % 86_400) * 1_000_000_000n),
        [],
      ),
      3.1,
    ],
  ] as const;
  for (const [what, batch, sizeMax] of CASES) {
    test(`a row of ${what} takes at most ${sizeMax} bytes`, () => {
      const rowSize = encodeBlock(batch).length / rowCount;
      assert.ok(rowSize <= sizeMax, `${rowSize} bytes a row`);
    });
  }

  test("a block of one row is smaller than 140 bytes", () => {
    const batch = batchOf(
      [1_700_000_000_000_000_000n],
      [
        { id: 1 as ColumnId, data: textData("tag", ["server01"]) },
        { id: 2 as ColumnId, data: { kind: "float", values: Float64Array.of(0.64) } },
      ],
    );
    const sizeBytes = encodeBlock(batch).length;
    assert.ok(sizeBytes < 140, `${sizeBytes} bytes`);
  });
});
