import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { hex } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import type { BatchColumn, ColumnBatch } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import { aBatch, batchOf, SAMPLES, textData } from "#testing/samples/batches.ts";
import { BLOCK_ROW_COUNT_MAX, decodeBlock, encodeBlock, readBlockHeader } from "./block.ts";

/** Presence that says nothing is left out. */
function normal(batch: ColumnBatch): ColumnBatch {
  const columns = batch.columns.map(({ id, data }): BatchColumn => {
    if (!("present" in data) || data.present.includes(0)) return { id, data };
    const { present: _, ...rest } = data;
    return { id, data: rest };
  });
  return { ...batch, columns };
}

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

  const FLOATS: readonly (readonly [string, readonly number[]])[] = [
    ["whole numbers that fit, but lie too far apart", [2 ** 53 - 1, 1 - 2 ** 53]],
    ["a whole number too large for the decimals of another", [9e15, 0.5]],
    ["4.07, which is not 4070000000000000 / 10^15 rounded back", [4.07, 1e-15]],
  ];
  for (const [what, values] of FLOATS) {
    test(`floats come back as they were: ${what}`, () => {
      const data = { kind: "float" as const, values: Float64Array.from(values) };
      const batch = batchOf([0n, 1n], [{ id: 1 as ColumnId, data }]);
      assert.deepStrictEqual(decodeBlock(encodeBlock(batch)), batch);
    });
  }

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
        // The encoder asserts every rule of a batch.
        encodeBlock(decodeBlock(sealed(bytes)));
      } catch (error) {
        refused += 1;
        const later = error instanceof DbError && error.code === "block_version";
        assert.ok(later || isDamage(error), String(error));
      }
    };
    for (const bytes of SAMPLES.map(encodeBlock)) {
      for (let size = 8; size < bytes.length; size += 1) check(bytes.slice(0, size));
      for (let i = 0; i < bytes.length; i += 1) {
        for (const value of [0, 1, 2, 0x7f, 0xff, (bytes[i] ?? 0) ^ 0x10, (bytes[i] ?? 0) ^ 1]) {
          const changed = bytes.slice();
          changed[i] = value;
          check(changed);
        }
      }
    }
    assert.ok(refused > 500, `only ${refused} were refused`);
  });

  test("a text that ends inside a character is refused", () => {
    const data = textData("string", ["é", "😀"]);
    const bytes = encodeBlock(batchOf([0n, 1n], [{ id: 1 as ColumnId, data }]));
    // The sequence of lengths: one plane, at least 1, and 0 and 1 above it.
    const lengths = Buffer.from(bytes.buffer).indexOf(
      Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    );
    bytes.set([1, 0], lengths + 9);
    assert.ok(lengths > 0);
    assert.throws(() => decodeBlock(sealed(bytes)), isDamage);
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
