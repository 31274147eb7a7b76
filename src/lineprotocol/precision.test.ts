import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { precisionFromText, v1PrecisionFromText } from "./precision.ts";

suite("words for precisions", () => {
  const words: readonly (readonly [string, string])[] = [
    ["second", "second"],
    ["millisecond", "millisecond"],
    ["microsecond", "microsecond"],
    ["nanosecond", "nanosecond"],
    ["s", "second"],
    ["ms", "millisecond"],
    ["us", "microsecond"],
    ["u", "microsecond"],
    ["ns", "nanosecond"],
    ["n", "nanosecond"],
  ];
  for (const [text, precision] of words) {
    test(`"${text}" is ${precision}`, () => {
      assert.equal(precisionFromText(text), precision);
      assert.equal(v1PrecisionFromText(text), precision);
    });
  }

  test("only version 3 has auto", () => {
    assert.equal(precisionFromText("auto"), "auto");
    assert.equal(v1PrecisionFromText("auto"), undefined);
  });

  for (const text of ["", "S", "Auto", "seconds", "m", "h", " s", "toString"]) {
    test(`"${text}" is none`, () => {
      assert.equal(precisionFromText(text), undefined);
      assert.equal(v1PrecisionFromText(text), undefined);
    });
  }
});
