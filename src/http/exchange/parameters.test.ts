import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { Parameters, parseJson } from "./parameters.ts";

suite("parameters", () => {
  test("of a query string are decoded", () => {
    const parameters = Parameters.fromQuery("q=SELECT+1%2B1&db=a%20b&empty=&flag");
    assert.equal(parameters.text("q"), "SELECT 1+1");
    assert.equal(parameters.text("db"), "a b");
    assert.equal(parameters.text("empty"), "");
    assert.equal(parameters.text("flag"), "");
    assert.equal(parameters.text("other"), undefined);
    assert.equal(parameters.text("constructor"), undefined);
  });

  test("of a JSON body are missing where they are null", () => {
    const parameters = Parameters.fromJson(utf8('{"a":null,"b":true,"c":"false"}'));
    assert.equal(parameters.text("a"), undefined);
    assert.equal(parameters.boolean("a", true), true);
    assert.equal(parameters.boolean("b", false), true);
    assert.equal(parameters.boolean("c", true), false);
    assert.throws(() => parameters.text("b"), /^DbError: serde json error: invalid type: boolean/);
    assert.throws(() => parameters.requiredText("a"), /serde json error: missing field `a`$/);
    assert.equal(Parameters.fromJson(utf8("{}")).text("__proto__"), undefined);
  });

  test("whole numbers of 64 bits are exact at any depth", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n), (value) => {
        assert.deepEqual(parseJson(`[{"a":${value}}]`), [{ a: value }]);
      }),
    );
    assert.deepEqual(parseJson("[18446744073709551616, 1.5, 1e2]"), [2 ** 64, 1.5, 100]);
  });

  test("any body is an object of values or refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (body) => {
        try {
          Parameters.fromJson(body);
        } catch (error) {
          assert.ok(isKind(error, "invalid"));
        }
      }),
    );
    for (const depth of [100_000, 3_000_000]) {
      const nested = utf8("[".repeat(depth) + "]".repeat(depth));
      assert.throws(
        () => Parameters.fromJson(nested),
        (error) => isKind(error, "invalid"),
      );
    }
  });
});
