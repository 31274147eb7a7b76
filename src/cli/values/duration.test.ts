import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { parseDuration } from "./duration.ts";
import { isUsageError } from "./usage.ts";

suite("durations", () => {
  const good: readonly [string, number][] = [
    ["0", 0],
    ["0s", 0],
    ["250ms", 250],
    ["1s", 1000],
    ["10m", 600_000],
    ["1h 30m", 5_400_000],
    ["1h30m", 5_400_000],
    ["2 days", 172_800_000],
    ["1w", 604_800_000],
    ["1M", 2_630_016_000],
    ["1y", 31_557_600_000],
    ["500us", 0.5],
  ];
  for (const [text, ms] of good) {
    test(`"${text}" is ${ms} ms`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ["", " ", "10", "ms", "-1s", "1.5s", "1s x", "1x", "1h,2m", "999999999999y"]) {
    test(`"${text}" is refused`, () => assert.throws(() => parseDuration(text), isUsageError));
  }

  test("any text is either a duration or a usage error", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          return parseDuration(text) >= 0;
        } catch (error) {
          return isUsageError(error);
        }
      }),
    );
  });
});
