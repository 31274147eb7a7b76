import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ALL_TIME } from "#model/time-range.ts";
import { holds, Windows, zonelessWindow } from "./window.ts";

const SECOND_NS = 1_000_000_000n;
const HOUR_NS = 3_600n * SECOND_NS;
/** An hour before clocks in Paris and Berlin go one ahead. */
const MARCH_NS = 1_711_843_200n * SECOND_NS;
const DAY = { everyNs: 24n * HOUR_NS, offsetNs: 0n };

const seconds = (min: number, max: number) =>
  fc.integer({ min, max }).map((count) => BigInt(count) * SECOND_NS);

const asked = fc.record({
  zone: fc.constantFrom("Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", undefined),
  window: fc.record({
    everyNs: fc.oneof(seconds(1, 100_000), fc.constantFrom(HOUR_NS, HOUR_NS / 4n, SECOND_NS)),
    offsetNs: seconds(-200_000, 200_000),
  }),
  start: seconds(-2_000_000_000, 4_000_000_000),
  length: seconds(0, 10_000_000),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
});

test("where clocks do not change, or by whole buckets, buckets of a zone are those of a window without one", () => {
  let foundCount = 0;
  fc.assert(
    fc.property(asked, ({ at, length, start, window, zone }) => {
      const range = { start, end: start + length };
      const zoneless = zonelessWindow(window, zone, range);
      if (zoneless === undefined) return;
      if (zone !== undefined) foundCount += 1;
      const timeNs = start + BigInt(Math.floor(Number(length / SECOND_NS) * at)) * SECOND_NS;
      assert.deepEqual(
        new Windows(zoneless, undefined, range).bucketAt(timeNs),
        new Windows(window, zone, range).bucketAt(timeNs),
      );
    }),
    { numRuns: 500 },
  );
  assert.ok(foundCount > 100, "most ranges are short enough");
});

test("where clocks change in the time asked for, or within a bucket of it, there is no such window but of what they change by", () => {
  const until = (end: bigint, window = DAY) =>
    zonelessWindow(window, "Europe/Paris", { start: MARCH_NS - 99n * HOUR_NS, end });
  assert.deepEqual(until(MARCH_NS - 24n * HOUR_NS), { ...DAY, offsetNs: -HOUR_NS });
  assert.equal(until(MARCH_NS), undefined);
  const hours = { everyNs: HOUR_NS, offsetNs: 0n };
  assert.deepEqual(until(MARCH_NS + 9_000n * HOUR_NS, hours), { ...hours, offsetNs: -HOUR_NS });
  assert.equal(zonelessWindow(DAY, "Europe/Paris", ALL_TIME), undefined);
  assert.deepEqual(zonelessWindow(DAY, "UTC", ALL_TIME), DAY);
});

test("an instant lies in its bucket, and the next bucket begins where that ends", () => {
  const zones = ["Europe/Berlin", "America/Sao_Paulo", "Atlantic/Azores", "Australia/Lord_Howe"];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      asked,
      fc.constantFrom(2n * HOUR_NS, 24n * HOUR_NS, undefined),
      (zone, { start, window }, everyNs = window.everyNs) => {
        const windows = new Windows({ ...window, everyNs }, zone, ALL_TIME);
        const bucket = windows.bucketAt(start);
        assert.ok(holds(bucket, start));
        assert.ok(windows.bucketAt(bucket.end).start <= bucket.end);
        assert.ok(windows.bucketAt(bucket.end).end > bucket.end);
      },
    ),
    { numRuns: 500 },
  );
});

test("days begin where clocks say so, and where these pass midnight over, at one", () => {
  const days = new Windows(DAY, "America/Sao_Paulo", ALL_TIME);
  /** 2018-11-04, 01:00: clocks went there from midnight. */
  const first = 1_541_300_400n * SECOND_NS;
  assert.deepEqual(days.bucketAt(first - 1n), { start: first - 24n * HOUR_NS, end: first });
  assert.deepEqual(days.bucketAt(first), { start: first, end: first + 23n * HOUR_NS });
  const pairs = new Windows({ ...DAY, everyNs: 2n * HOUR_NS }, "Europe/Berlin", ALL_TIME);
  const change = MARCH_NS + HOUR_NS;
  assert.deepEqual(pairs.bucketAt(change - 1n), { start: change - 2n * HOUR_NS, end: change });
  assert.deepEqual(pairs.bucketAt(change), { start: change, end: change + HOUR_NS });
});
