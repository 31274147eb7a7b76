import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { findZone } from "#model/time/zone.ts";
import { jsonText } from "./json-text.ts";
import { timeTexts } from "./times.ts";

const NS_PER_SECOND = 1_000_000_000n;
const INT64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** The instant that `text`, as in RFC 3339, says. */
function instantOf(text: string): bigint {
  const [, seconds = "", fraction = "", offset = ""] =
    /^(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const milliseconds = BigInt(Date.parse(`${seconds}${offset}`));
  return (milliseconds / 1000n) * NS_PER_SECOND + BigInt(fraction.padEnd(9, "0"));
}

suite("texts of /query", () => {
  test("a time says its instant, to the digit, wherever it lies among others", () => {
    const near = fc
      .tuple(fc.bigInt({ min: -9_223_372_036n, max: 9_223_372_036n }), fc.constantFrom(-1n, 0n, 1n))
      .map(([second, rest]) => second * NS_PER_SECOND + rest);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(INT64, near), { minLength: 1, maxLength: 20 }),
        fc.nat(5),
        (list, skipped) => {
          const values = new BigInt64Array([...Array.from({ length: skipped }, () => 7n), ...list]);
          const range = [skipped, values.length] as const;
          const texts = timeTexts(values, range, "", undefined);
          assert.deepEqual(texts.map(instantOf), list);
          for (const text of texts) assert.doesNotMatch(text, /0Z$(?<=\.\d*0Z)/);
        },
      ),
    );
  });

  test("a time in a zone says the same instant", () => {
    const zone = findZone("Australia/Lord_Howe");
    const since1970 = fc.bigInt({ min: 0n, max: 2n ** 62n });
    fc.assert(
      fc.property(fc.array(since1970, { minLength: 1 }), (list) => {
        const values = BigInt64Array.from(list);
        const texts = timeTexts(values, [0, list.length], "", zone);
        assert.deepEqual(texts.map(instantOf), list);
      }),
    );
  });

  test("JSON says the same text, and nothing that HTML reads", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const text = jsonText(value);
        assert.equal(JSON.parse(text), value.toWellFormed());
        assert.doesNotMatch(text, /[<>&\u2028\u2029]/);
      }),
    );
  });
});
