import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import type { ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import { aBatch, batchOf, SAMPLES } from "#testing/batches.ts";
import { encodeBlock } from "../block.ts";
import { findSeries } from "../series.ts";
import { type SeriesBatch, SeriesBlockEncoder } from "./series-block.ts";

const encoder = new SeriesBlockEncoder();

/** `batch`, its tags once for each series. */
function bySeries(batch: ColumnBatch): SeriesBatch {
  const { databaseId, tableId, times } = batch;
  const tags = batch.columns.flatMap(({ data }) =>
    data.kind === "tag" && "codes" in data ? [data.codes] : [],
  );
  const found = tags.length > 0 ? findSeries(tags) : undefined;
  const cells = batch.columns.map(({ id, data }) => {
    if (data.kind !== "tag" || !("codes" in data) || found === undefined) return { id, data };
    const codes = Uint32Array.from(found.firstRows, (row) => data.codes[row] as number);
    return { id, data: { ...data, codes } };
  });
  const series = found?.series ?? new Uint32Array(times.length);
  const seriesCount = found?.firstRows.length ?? 1;
  return { databaseId, tableId, times, cells, series, seriesCount };
}

function same(batch: ColumnBatch): void {
  assert.deepStrictEqual(encoder.encode(bySeries(batch)), encodeBlock(batch));
}

/** Whole numbers of up to `bits` bits around `middle`: in steps, in runs, or in no order. */
function numbers(random: Random, bits: number, middle: number): number[] {
  const span = 2 ** bits;
  const count = 1 + below(random, 90);
  const step = Math.floor(span / count);
  const run = 1 + below(random, 30);
  const pattern = below(random, 3);
  return Array.from({ length: count }, (_, index) => {
    if (pattern === 0) return middle + index * step + below(random, 3);
    if (pattern === 1) return middle + Math.floor((Math.floor(index / run) * span) / 97);
    return middle + Math.floor(random.next() * span);
  });
}

function sameColumn(data: Extract<ColumnData, { values: unknown }>): void {
  const times = Array.from({ length: data.values.length }, (_, row) => BigInt(row));
  same(batchOf(times, [{ id: 1 as ColumnId, data }]));
}

suite("blocks of rows by series", () => {
  test("are, byte for byte, those of the rows", () => {
    for (const batch of SAMPLES) same(batch);
    fc.assert(fc.property(aBatch, same), { numRuns: 600 });
  });

  test("are those of numbers of every size, in every unit", () => {
    const random = seededRandom(3);
    for (let bits = 0; bits <= 54; bits += 1) {
      for (let count = 0; count < 6; count += 1) {
        const all = numbers(random, bits, below(random, 3) * -(2 ** below(random, 53)));
        const unit = 10 ** below(random, 16);
        sameColumn({ kind: "float", values: Float64Array.from(all, (one) => one / unit) });
        const scale = 1000n ** BigInt(below(random, 4));
        const wholes = BigInt64Array.from(all, (one) => BigInt(one) * scale);
        sameColumn({ kind: "integer", values: wholes });
        sameColumn({ kind: "uinteger", values: new BigUint64Array(wholes.buffer) });
      }
    }
  });

  test("are those of floats beside whole numbers and halves, where rounding is hard", () => {
    const random = seededRandom(5);
    for (let count = 0; count < 300; count += 1) {
      const unit = 10 ** below(random, 16);
      const values = Float64Array.from({ length: 1 + below(random, 5) }, () => {
        const near =
          (below(random, 2 ** 30) * 2 ** below(random, 24) + below(random, 2) / 2) / unit;
        return (random.next() < 0.5 ? near : near * (1 + (below(random, 5) - 2) * 2 ** -52)) || 0;
      });
      sameColumn({ kind: "float", values });
    }
  });
});

suite("rows that repeat a series and time", () => {
  test("are found, whatever the order", () => {
    const random = seededRandom(7);
    for (let round = 0; round < 200; round += 1) {
      const count = 1 + below(random, 200);
      const [spread, seriesCount] = [1 + below(random, 300), 1 + below(random, 5)];
      const rising = random.next() < 0.3;
      const times = BigInt64Array.from({ length: count }, (_, row) =>
        BigInt(rising ? row : below(random, spread) - 100),
      );
      const series = Uint32Array.from({ length: count }, () => below(random, seriesCount));
      const firsts = new Map<string, number>();
      const expected = series.map((number, row) => {
        const key = `${times[row]} ${number}`;
        const first = firsts.get(key) ?? row;
        firsts.set(key, first);
        return first;
      });
      assert.deepEqual(
        encoder.findRepeats({ times, series, seriesCount }),
        firsts.size === count ? undefined : expected,
      );
    }
  });
});
