import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { fromUtf8 } from "#base/bytes.ts";
import type { ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import { aBatch, batchOf, SAMPLES, textData } from "#testing/samples/batches.ts";
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

const all = (number: bigint) => BigInt.asUintN(64, number);

/** Where cells.as looks for a text of eight bytes first, when there are up to 127. */
function slotOf(text: string): bigint {
  const some = all(8n * 0x9e3779b97f4a7c15n) ^ Buffer.from(text).readBigUInt64LE();
  let mixed = all(all((some << 29n) | (some >> 35n)) * 0xbf58476d1ce4e5b9n);
  mixed ^= mixed >> 29n;
  return (all(mixed * 0xbf58476d1ce4e5b9n) >> 32n) & 255n;
}

suite("texts of several pieces", () => {
  test("are each in the dictionary once, in order of appearance", () => {
    const random = seededRandom(9);
    const texts = [
      "",
      "a",
      "b",
      "é",
      "東京",
      "😀",
      "a😀é",
      "0123456",
      "01234567",
      "0123456789abcdefé",
    ];
    for (let round = 0; round < 200; round += 1) {
      const cells = Array.from({ length: 1 + below(random, 4) }, () =>
        Array.from({ length: 1 + below(random, 30) }, () => {
          const text = texts[below(random, texts.length)] as string;
          return random.next() < 0.2 ? null : text.repeat(1 + below(random, 3));
        }),
      );
      const parts = cells.map((rows) => ({
        rowCount: rows.length,
        data: textData("string", rows),
      }));
      const expected = textData("string", cells.flat());
      if (expected.dictionary.length === 0) continue;
      const found = encoder.joinTexts([{ rowCount: 2, data: undefined }, ...parts], "string");
      assert.deepEqual(found?.dictionary, expected.dictionary);
      assert.deepEqual(found.codes, Uint32Array.of(0, 0, ...expected.codes));
      const { bytes, lengths } = found.encoded ?? assert.fail();
      assert.equal(fromUtf8(bytes), expected.dictionary.join(""));
      assert.deepEqual(
        [...lengths],
        expected.dictionary.map((text) => text.length),
      );
    }
  });

  test("are left to others where they were chosen to meet", () => {
    const some = Array.from({ length: 30_000 }, (_, index) => String(10_000_000 + index));
    const texts = some.filter((text) => slotOf(text) === 0n).slice(0, 100);
    assert.equal(texts.length, 100);
    const data = textData("tag", texts);
    assert.equal(encoder.joinTexts([{ rowCount: 100, data }], "tag"), undefined);
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

  test("are found where times were chosen to meet", () => {
    // The times whose hash is 0 to 999: the way back through it.
    const times = Array.from({ length: 1_000 }, (_, index) => {
      const mixed = all(BigInt(index) * inverse(0xbf58476d1ce4e5b9n));
      const before = mixed ^ (mixed >> 29n) ^ (mixed >> 58n);
      return BigInt.asIntN(64, before * inverse(0x9e3779b97f4a7c15n));
    });
    const series = new Uint32Array(1_001);
    assert.equal(
      encoder.findRepeats({
        times: BigInt64Array.from(times),
        series: series.slice(1),
        seriesCount: 1,
      }),
      undefined,
    );
    const twice = BigInt64Array.of(...times, times[7] ?? 0n);
    const expected = Uint32Array.from(twice.keys());
    expected[1_000] = 7;
    assert.deepEqual(encoder.findRepeats({ times: twice, series, seriesCount: 1 }), expected);
  });
});

/** What times the odd `factor` is 1 in 64 bits. */
function inverse(factor: bigint): bigint {
  let found = factor;
  for (let round = 0; round < 6; round += 1) found = all(found * (2n - factor * found));
  return found;
}
