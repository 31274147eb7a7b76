import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { TIME_MAX, TIME_MIN } from "./time-range.ts";
import { formatTimestamp, parseAnyTimestampText, parseTimestampText } from "./time-text.ts";

const READ: readonly (readonly [string, bigint | undefined])[] = [
  ["1970-01-01T00:00:00Z", 0n],
  ["1970-01-01", 0n],
  ["1970-01-01 00:00", 0n],
  ["1970-01-02t00:00:00z", 86_400_000_000_000n],
  ["2022-01-01T08:00:00.000000001+08:00", 1_640_995_200_000_000_001n],
  ["2022-01-01 00:00:00 -0130", 1_641_000_600_000_000_000n],
  ["1969-12-31T23:59:59.5", -500_000_000n],
  ["2020-09-08T12:00:00.1234567899Z", 1_599_566_400_123_456_789n],
  ["1672531200000000000", 1_672_531_200_000_000_000n],
  ["-5", -5n],
  ["2020", undefined],
  ["20200101", undefined],
  ["2021-02-29", undefined],
  ["2021-13-01", undefined],
  ["2021-01-01T24:00:00", undefined],
  ["2021-01-01T00:00:60", undefined],
  ["2021-01-01T00:00:00+25:00", undefined],
  ["3000-01-01", undefined],
  ["9999999999999999999", undefined],
  ["2021-01-01T", undefined],
  ["yesterday", undefined],
  ["", undefined],
];

suite("timestamps as text", () => {
  for (const [text, expected] of READ) {
    test(`"${text}" is ${String(expected)}`, () => {
      assert.equal(parseTimestampText(text), expected);
    });
  }

  test("instants that no row can have are read where they are asked for", () => {
    assert.equal(parseAnyTimestampText("0001-01-01T00:00:00Z"), -62_135_596_800_000_000_000n);
    assert.equal(parseAnyTimestampText("9999-12-31"), 253_402_214_400_000_000_000n);
    assert.equal(parseAnyTimestampText("9999-12-32"), undefined);
  });

  test("what is written is read back, at any instant", () => {
    fc.assert(
      fc.property(fc.bigInt(TIME_MIN, TIME_MAX), (timeNs) => {
        assert.equal(parseTimestampText(formatTimestamp(timeNs)), timeNs);
      }),
    );
  });

  test("digits of the second come in groups of three", () => {
    assert.equal(formatTimestamp(1_740_514_774_984_098_000n), "2025-02-25T20:19:34.984098");
    assert.equal(formatTimestamp(1_500_000_000n), "1970-01-01T00:00:01.500");
    assert.equal(formatTimestamp(1n), "1970-01-01T00:00:00.000000001");
    assert.equal(formatTimestamp(-1_000_000_000n), "1969-12-31T23:59:59");
  });
});
