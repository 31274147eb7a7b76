import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseSize } from "./size.ts";
import { isUsageError } from "./usage.ts";

suite("sizes", () => {
  const good: readonly [string, number][] = [
    ["1b", 1],
    ["64MB", 64 * 2 ** 20],
    ["1.5 gb", 1.5 * 2 ** 30],
    ["2KiB", 2048],
    ["1tb", 2 ** 40],
    [" 10kb ", 10_240],
  ];
  for (const [text, sizeBytes] of good) {
    test(`"${text}" is ${sizeBytes} bytes`, () => assert.equal(parseSize(text), sizeBytes));
  }

  test("a percentage is of the whole it is given", () => {
    assert.equal(parseSize("20%", { wholeBytes: 1000 }), 200);
    assert.equal(parseSize("12.5%", { wholeBytes: 1000 }), 125);
  });

  test("a bare number takes the unit of the option", () => {
    assert.equal(parseSize("10485760", { bareUnit: "b" }), 10_485_760);
    assert.equal(parseSize("8", { bareUnit: "mb" }), 8 * 2 ** 20);
  });

  for (const text of [
    "",
    "x",
    "-1mb",
    "1 2mb",
    "5",
    "10%",
    "3pb",
    "0b",
    "0.1b",
    "1e3b",
    "9999999tb",
  ]) {
    test(`"${text}" is refused`, () => assert.throws(() => parseSize(text), isUsageError));
  }
});
