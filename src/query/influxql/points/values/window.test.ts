import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ALL_TIME } from "#model/time-range.ts";
import { Windows, zonelessWindow } from "./window.ts";

const SECOND_NS = 1_000_000_000n;
const HOUR_NS = 3_600n * SECOND_NS;
/** An hour before clocks in Paris and Berlin go one ahead. */
const MARCH_NS = 1_711_843_200n * SECOND_NS;
const MINUTE = { everyNs: 60n * SECOND_NS, offsetNs: 0n };

const seconds = (min: number, max: number) =>
  fc.integer({ min, max }).map((count) => BigInt(count) * SECOND_NS);

const asked = fc.record({
  zone: fc.constantFrom("Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", undefined),
  window: fc.record({ everyNs: seconds(1, 100_000), offsetNs: seconds(-200_000, 200_000) }),
  start: seconds(-2_000_000_000, 4_000_000_000),
  length: seconds(0, 10_000_000),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
});

test("where clocks do not change, buckets of a zone are those of a window without one", () => {
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

test("where clocks change in the time asked for, or within a bucket of it, there is no such window", () => {
  const until = (end: bigint) =>
    zonelessWindow(MINUTE, "Europe/Paris", { start: MARCH_NS - HOUR_NS, end });
  assert.deepEqual(until(MARCH_NS), { everyNs: MINUTE.everyNs, offsetNs: -HOUR_NS });
  assert.equal(until(MARCH_NS + HOUR_NS - SECOND_NS), undefined);
  assert.equal(zonelessWindow(MINUTE, "Europe/Paris", ALL_TIME), undefined);
  assert.deepEqual(zonelessWindow(MINUTE, "UTC", ALL_TIME), MINUTE);
});
