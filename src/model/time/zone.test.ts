import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { findZone } from "./zone.ts";

const HOUR_NS = 3_600_000_000_000n;
const ZONES = [
  "Europe/Paris",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Europe/London",
];

suite("time zones", () => {
  test("names are known in any case, offsets in three spellings, and nothing else", () => {
    assert.equal(findZone("europe/paris")?.id, "Europe/Paris");
    for (const text of ["+05:30", "+0530"])
      assert.equal(findZone(text)?.fixedNs, (11n * HOUR_NS) / 2n);
    assert.equal(findZone("-08")?.fixedNs, -8n * HOUR_NS);
    for (const text of ["", "Nowhere/Else", "+25:00", "2020-01-01[UTC]", "+5", "UTC "]) {
      assert.equal(findZone(text), undefined, text);
    }
  });

  test("local time is the one that Intl shows, from 1930 to 2200", () => {
    const formats = new Map(ZONES.map((zone) => [zone, formatOf(zone)]));
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: -1_262_304_000, max: 7_258_118_400 }),
        (zone, second) => {
          const local = findZone(zone)?.localAt(BigInt(second) * 1_000_000_000n) ?? 0n;
          const parts = formats.get(zone)?.format(second * 1000);
          const expected = new Date(Number(local / 1_000_000n)).toISOString();
          assert.equal(parts, `${expected.slice(0, 10)}, ${expected.slice(11, 19)}`);
        },
      ),
    );
  });

  test("the offsets of a time are told one after the other", () => {
    const paris = findZone("Europe/Paris");
    const change = instant("2024-03-31T01:00:00Z");
    const within = (start: bigint, end: bigint) => [...(paris?.offsetsWithin(start, end) ?? [])];
    assert.deepEqual(within(change - 48n * HOUR_NS, change - 1n), [HOUR_NS]);
    assert.deepEqual(within(change, change + 48n * HOUR_NS), [2n * HOUR_NS]);
    assert.deepEqual(within(change - 1n, change), [HOUR_NS, 2n * HOUR_NS]);
    const year = within(change - 1n, change + 8_000n * HOUR_NS);
    assert.deepEqual(year, [HOUR_NS, 2n * HOUR_NS, HOUR_NS]);
    assert.deepEqual([...(findZone("+02:00")?.offsetsWithin(0n, change) ?? [])], [2n * HOUR_NS]);
  });

  test("an instant lies in its stretch, at both ends of which the offset is another", () => {
    const berlin = findZone("Europe/Berlin");
    const [start, end] = [instant("2024-03-31T01:00:00Z"), instant("2024-10-27T01:00:00Z")];
    for (const time of [start, start + HOUR_NS, end - 1n])
      assert.deepEqual(berlin?.stretchAt(time), { start, end, offsetNs: 2n * HOUR_NS });
    assert.equal(berlin?.stretchAt(start - 1n).end, start);
    assert.equal(berlin?.stretchAt(end).start, end);
    assert.equal(berlin?.stretchAt(instant("1700-01-01T00:00:00Z")).start, undefined);
    assert.deepEqual(findZone("+02:00")?.stretchAt(0n), {
      start: undefined,
      end: undefined,
      offsetNs: 2n * HOUR_NS,
    });
  });

  test("a local time that clocks passed over is no instant, one that they showed twice is two", () => {
    const paris = findZone("Europe/Paris");
    assert.deepEqual(paris?.instantsOf(instant("2024-03-31T02:30:00Z")), []);
    const both = paris?.instantsOf(instant("2024-10-27T02:30:00Z"));
    assert.deepEqual(both, [instant("2024-10-27T00:30:00Z"), instant("2024-10-27T01:30:00Z")]);
    assert.deepEqual(paris?.instantsOf(instant("2024-07-01T02:00:00Z")), [
      instant("2024-07-01T00:00:00Z"),
    ]);
  });
});

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-CA", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

function instant(text: string): bigint {
  return BigInt(Date.parse(text)) * 1_000_000n;
}
