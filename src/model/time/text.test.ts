import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { formatDay, parseDateText, parseInstantText, parseTimeOfDay } from "./text.ts";
import { findZone } from "./zone.ts";

const INSTANTS: readonly (readonly [string, string, string?])[] = [
  ["2022-01-01 01:10:00 GMT", "2022-01-01T01:10:00Z"],
  ["2022-01-01 01:10:00 America/Los_Angeles", "2022-01-01T09:10:00Z"],
  ["2022-01-01T01:10:00+0000", "2022-01-01T01:10:00Z"],
  ["2022-01-01T01:10:00+07", "2021-12-31T18:10:00Z"],
  ["2022-01-01", "2022-01-01T00:00:00Z"],
  ["2022-07-01 00:00", "2022-06-30T22:00:00Z", "Europe/Paris"],
  ["2022-07-01T00:00:00Z", "2022-07-01T00:00:00Z", "Europe/Paris"],
];

suite("texts of times", () => {
  for (const [text, expected, zone] of INSTANTS) {
    test(`"${text}" is ${expected}`, () => {
      const own = zone === undefined ? undefined : findZone(zone);
      assert.equal(parseInstantText(text, own), BigInt(Date.parse(expected)) * 1_000_000n);
    });
  }

  test("what is no instant, no single one or beyond int64 is none", () => {
    const texts = [
      "2023-03-12 02:30:00 America/Los_Angeles",
      "2023-11-05 01:30:00 America/Los_Angeles",
      "2023-02-29",
      "2022-01-01T24:00:00",
      "2022-01-01 00:00:00 Nowhere",
      "2300-01-01",
      "1640995200",
      "",
    ];
    for (const text of texts) assert.equal(parseInstantText(text), undefined, text);
  });

  test("days and their texts agree with Date", () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_528, max: 2_932_896 }), (day) => {
        const text = formatDay(day);
        assert.equal(text, new Date(day * 86_400_000).toISOString().slice(0, 10));
        assert.equal(parseDateText(text), day);
      }),
    );
    assert.equal(formatDay(19_266_320), "+54719-05-25");
    for (const text of ["+54719-05-25", "-0044-03-15", "20240229", "2024-2-9"]) {
      assert.notEqual(parseDateText(text), undefined, text);
    }
  });

  test("times of day are read with and without halves", () => {
    assert.equal(parseTimeOfDay("23:32:50.123456"), 84_770_123_456_000n);
    assert.equal(parseTimeOfDay("9:05 PM"), (21n * 60n + 5n) * 60_000_000_000n);
    for (const text of ["24:00", "13:00 PM", "12:60", "12"])
      assert.equal(parseTimeOfDay(text), undefined);
  });
});
