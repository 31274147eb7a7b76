import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { isKind } from "#base/errors.ts";
import { parseDuration } from "./duration.ts";

const SECOND = 1_000_000_000n;

suite("durations", () => {
  const right: readonly [text: string, nanoseconds: bigint][] = [
    ["1ns", 1n],
    ["0", 0n],
    ["0s", 0n],
    ["250ms", 250_000_000n],
    ["3us", 3000n],
    ["7d", 604_800n * SECOND],
    ["1h 30m", 5400n * SECOND],
    ["1h30m", 5400n * SECOND],
    [" 2 weeks ", 1_209_600n * SECOND],
    ["1month", 2_630_016n * SECOND],
    ["1mo", 2_630_016n * SECOND],
    ["1M", 2_630_016n * SECOND],
    ["1m", 60n * SECOND],
    ["1y", 31_557_600n * SECOND],
    ["9223372036854775807ns", 9_223_372_036_854_775_807n],
  ];
  for (const [text, nanoseconds] of right) {
    test(`${JSON.stringify(text)} is ${nanoseconds} ns`, () => {
      assert.equal(parseDuration(text), nanoseconds);
    });
  }

  for (const text of [
    "",
    "  ",
    "7",
    "d",
    "7 parsecs",
    "-7d",
    "1.5h",
    "7d,",
    "9223372036854775808ns",
    "1000y",
    "1h foo",
  ]) {
    test(`${JSON.stringify(text)} is refused with a reason`, () => {
      assert.throws(
        () => parseDuration(text),
        (error) =>
          isKind(error, "invalid") &&
          error.code === "duration" &&
          /^Cannot parse the given human time: ./.test(error.message),
      );
    });
  }

  test("any text is a duration or refused", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          assert.ok(parseDuration(text) >= 0n);
        } catch (error) {
          assert.ok(isKind(error, "invalid"));
        }
      }),
    );
  });
});
