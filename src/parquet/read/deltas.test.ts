import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readDeltas, readOffsets } from "./deltas.ts";

const BLOCK_COUNT = 128;
const MINIBLOCK_COUNT = 32;

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

function zigzag(value: bigint): number[] {
  return varint(value < 0n ? -2n * value - 1n : 2n * value);
}

/** `values` in one block whose numbers have `widthMin` bits or what they need. */
function encode(values: readonly bigint[], widthMin: number): Uint8Array {
  const deltas = values.slice(1).map((value, index) => value - (values[index] ?? 0n));
  const least = deltas.reduce((min, delta) => (delta < min ? delta : min), deltas[0] ?? 0n);
  const rest = deltas.map((delta) => delta - least);
  const needed = rest.reduce((most, one) => Math.max(most, one.toString(2).length), 1);
  const width = Math.max(widthMin, needed);
  // The first bit of the first number is the lowest.
  const bits = rest.reduce((sum, one, index) => sum | (one << BigInt(index * width)), 0n);
  const packed = Array.from({ length: (MINIBLOCK_COUNT * width) / 8 }, (_, index) =>
    Number((bits >> BigInt(8 * index)) & 0xffn),
  );
  const counts = [BLOCK_COUNT, BLOCK_COUNT / MINIBLOCK_COUNT, values.length].map(BigInt);
  const head = [...counts.flatMap(varint), ...zigzag(values[0] ?? 0n), ...zigzag(least)];
  return Uint8Array.from([...head, width, 0, 0, 0, ...packed]);
}

function lesser(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

test("differences in any number of bits have exact sums", () => {
  const far = 2n ** 53n;
  const steps = fc.oneof(
    fc.bigInt({ min: -9n, max: 9n }),
    fc.bigInt({ min: -far, max: far }),
    // What one step takes away, the next one gives back, and some more.
    fc.constantFrom(1n - 2n ** 52n, 2n ** 52n + 2n, -(2n ** 52n), far + 1n),
    fc.bigInt({ min: -(2n ** 57n), max: 2n ** 57n }),
  );
  const asked = fc.record({
    first: fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
    deltas: fc.array(steps, { minLength: 1, maxLength: MINIBLOCK_COUNT }),
    widthMin: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(asked, ({ deltas, first, widthMin }) => {
      const values = [first];
      for (const delta of deltas) values.push((values.at(-1) ?? 0n) + delta);
      const target = new BigInt64Array(values.length);
      const bytes = encode(values, widthMin);
      readDeltas(bytes, 0, target);
      assert.deepEqual([...target], values);
      const read = readOffsets(bytes, 0, values.length);
      const sums = values.map((value) => value - first);
      if (read !== undefined) {
        assert.deepEqual(Array.from(read.offsets, BigInt), sums);
        assert.deepEqual([read.base, BigInt(read.least)], [first, sums.reduce(lesser)]);
      }
      const small = deltas.every((delta) => delta > -(2n ** 46n) && delta < 2n ** 46n);
      assert.ok(read !== undefined || !small, "small steps have exact sums");
    }),
    { numRuns: 500 },
  );
});
