import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ColumnId } from "#model/ids.ts";
import { batchOf, textData } from "#testing/samples/batches.ts";
import { encodeBlock } from "./block.ts";

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
