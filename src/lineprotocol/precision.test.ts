import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  precisionFromText,
  scaleToNs,
  v1PrecisionFromText,
  v2PrecisionFromText,
} from "./precision.ts";

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
      assert.equal(v2PrecisionFromText(text), precision);
    });
  }

  test("only version 3 has auto", () => {
    assert.equal(precisionFromText("auto"), "auto");
    assert.equal(v2PrecisionFromText("auto"), undefined);
  });

  test("minutes and hours are those of version 1", () => {
    assert.equal(v1PrecisionFromText("m"), "minute");
    assert.equal(v1PrecisionFromText("h"), "hour");
    assert.equal(v1PrecisionFromText("ms"), "millisecond");
    assert.equal(v1PrecisionFromText("M"), undefined);
    assert.equal(scaleToNs(2n, "hour"), 7_200_000_000_000n);
  });

  for (const text of ["", "S", "Auto", "seconds", "m", "h", " s", "toString"]) {
    test(`"${text}" is none`, () => {
      assert.equal(precisionFromText(text), undefined);
      assert.equal(v2PrecisionFromText(text), undefined);
    });
  }
});
