import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseIntervalText } from "./interval-text.ts";

const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;

const READ: readonly (readonly [string, number, bigint])[] = [
  ["1 nanosecond", 0, 1n],
  ["2 microseconds", 0, 2000n],
  ["3 milliseconds", 0, 3_000_000n],
  ["4 seconds", 0, 4n * SECOND],
  ["5 minutes", 0, 300n * SECOND],
  ["6 hours", 0, 21_600n * SECOND],
  ["1 day", 0, DAY],
  ["1 week", 0, 7n * DAY],
  ["1 month", 1, 0n],
  ["1 quarter", 3, 0n],
  ["2 years", 24, 0n],
  ["1 decade", 120, 0n],
  ["1 century", 1200, 0n],
  ["1 YEAR 2 Months -3 days", 14, -3n * DAY],
  ["-1 hour", 0, -3600n * SECOND],
  ["1.5 hours", 0, 5400n * SECOND],
  [".5s", 0, SECOND / 2n],
  ["0.0000000019 seconds", 0, 1n],
  ["1.5 months", 1, 15n * DAY],
  ["1.5 years", 18, 0n],
  ["1h30m", 0, 5400n * SECOND],
  ["  1   day  ", 0, DAY],
  ["5", 0, 5n * SECOND],
];
const REFUSED = ["", " ", "day", "1 fortnight", "1 day ago", "1 day,", "--1 day", "1..5 s", ". s"];

suite("intervals as text", () => {
  for (const [text, months, nanoseconds] of READ) {
    test(`"${text}" is ${months} months and ${nanoseconds} ns`, () => {
      assert.deepEqual(parseIntervalText(text), { months, nanoseconds });
    });
  }

  test("a number alone counts the unit that stands behind the text", () => {
    assert.deepEqual(parseIntervalText("5", "year"), { months: 60, nanoseconds: 0n });
  });

  for (const text of REFUSED) {
    test(`"${text}" is no interval`, () => assert.equal(parseIntervalText(text), undefined));
  }

  test("an interval too long for its type is none", () => {
    assert.equal(parseIntervalText("300000 centuries")?.months, 360_000_000);
    assert.equal(parseIntervalText("3000000 centuries"), undefined);
    assert.equal(parseIntervalText("106751 days")?.nanoseconds, 106_751n * DAY);
    assert.equal(parseIntervalText("106752 days"), undefined);
  });
});
