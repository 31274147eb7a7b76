import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkKey, checkPrefix } from "./keys.ts";

suite("keys", () => {
  test("the error of a key names it, cut where it is too long", () => {
    const error = { kind: "invalid", code: "object_key_invalid" };
    assert.throws(() => checkKey("a b"), { ...error, detail: { key: "a b", keySizeBytes: 3 } });
    const long = "a".repeat(5_000);
    const detail = { key: "a".repeat(1_024), keySizeBytes: 5_000 };
    assert.throws(() => checkKey(long), { ...error, detail });
  });

  test("a prefix is one that a key can begin with", () => {
    for (const prefix of ["", "a", "a/", "a/b", "a/b.", "a."]) checkPrefix(prefix);
    for (const prefix of ["/", "//", "./", ".", "a/.", "a/.b", "a/./", "a/../b", "a b", "a\0"]) {
      assert.throws(() => checkPrefix(prefix), { code: "object_key_invalid" }, prefix);
    }
  });
});
