import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { findZone } from "#model/time/zone.ts";
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

/** With clocks that change at midnight, at a minute past it, by half an hour, by a day. */
const CHANGING = [
  "Europe/Berlin",
  "America/Sao_Paulo",
  "America/Havana",
  "America/St_Johns",
  "Atlantic/Azores",
  "Australia/Lord_Howe",
  "Pacific/Apia",
];
const widths = fc.oneof(
  fc.constantFrom(...[1n, 2n, 3n, 24n, 7n * 24n, 1_000n].map((hours) => hours * HOUR_NS)),
  seconds(1, 2_000_000),
);

/** An instant that is up to two days before or behind one at which clocks change. */
const nearChange = fc
  .record({
    zone: fc.constantFrom(...CHANGING),
    around: seconds(-1_000_000_000, 3_000_000_000),
    behind: fc.oneof(fc.constantFrom(-1n, 0n), seconds(-172_800, 172_800)),
  })
  .map(({ around, behind, zone }) => ({
    zone,
    timeNs: (findZone(zone)?.stretchAt(around).end ?? around) + behind,
  }));

test("buckets lie beside each other, and each instant of one has it for its own", () => {
  fc.assert(
    fc.property(
      nearChange,
      fc.record({ everyNs: widths, offsetNs: fc.oneof(fc.constant(0n), seconds(-99_999, 99_999)) }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ({ timeNs, zone }, window, at) => {
        const windows = new Windows(window, zone, ALL_TIME);
        const bucket = windows.bucketAt(timeNs);
        const { start, end } = bucket;
        assert.ok(holds(bucket, timeNs));
        const inside = start + ((end - start - 1n) * BigInt(Math.floor(at * 1e6))) / 1_000_000n;
        for (const other of [start, inside, end - 1n])
          assert.deepEqual(windows.bucketAt(other), bucket);
        assert.equal(windows.bucketAt(start - 1n).end, start);
        assert.equal(windows.bucketAt(end).start, end);
        for (const [from, descending, next] of [
          [start, false, end],
          [end, true, start],
        ] as const) {
          const walk = windows.walk(from, descending);
          walk.advance();
          assert.equal(walk.timeNs, next);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a bucket that begins in the hour that comes twice begins when it comes first", () => {
  const azores = new Windows(DAY, "Atlantic/Azores", ALL_TIME);
  const sunday = { start: instant("2024-10-27T00:00Z"), end: instant("2024-10-28T01:00Z") };
  for (const hour of ["00:30", "01:00", "01:30", "12:00"])
    assert.deepEqual(azores.bucketAt(instant(`2024-10-27T${hour}Z`)), sunday, hour);
  const havana = new Windows(DAY, "America/Havana", ALL_TIME);
  assert.deepEqual(havana.bucketAt(instant("2024-11-03T12:00Z")), {
    start: instant("2024-11-03T04:00Z"),
    end: instant("2024-11-04T05:00Z"),
  });
  // Clocks went from a minute past midnight to the day before.
  const johns = new Windows(DAY, "America/St_Johns", ALL_TIME);
  for (const time of ["02:30", "02:31", "03:15", "12:00"])
    assert.equal(
      johns.bucketAt(instant(`2010-11-07T${time}Z`)).start,
      instant("2010-11-07T02:30Z"),
      time,
    );
  const pairs = new Windows({ ...DAY, everyNs: 2n * HOUR_NS }, "Europe/Berlin", ALL_TIME);
  for (const time of ["00:30", "01:00", "02:59"])
    assert.deepEqual(pairs.bucketAt(instant(`2024-10-27T${time}Z`)), {
      start: instant("2024-10-27T00:00Z"),
      end: instant("2024-10-27T03:00Z"),
    });
});

test("hours stay hours, also the one that comes twice", () => {
  const hours = new Windows({ everyNs: HOUR_NS, offsetNs: 0n }, "Europe/Berlin", ALL_TIME);
  for (const [time, start] of [
    ["2024-10-27T00:30Z", "2024-10-27T00:00Z"],
    ["2024-10-27T01:30Z", "2024-10-27T01:00Z"],
    ["2024-03-31T00:30Z", "2024-03-31T00:00Z"],
    ["2024-03-31T01:30Z", "2024-03-31T01:00Z"],
  ] as const)
    assert.deepEqual(hours.bucketAt(instant(time)), {
      start: instant(start),
      end: instant(start) + HOUR_NS,
    });
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

function instant(text: string): bigint {
  return BigInt(Date.parse(text)) * 1_000_000n;
}
