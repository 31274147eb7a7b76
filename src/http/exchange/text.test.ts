import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { isKind } from "#base/errors.ts";
import { requireUtf8 } from "./text.ts";

function problem(body: Uint8Array): string | undefined {
  try {
    requireUtf8(body);
    return undefined;
  } catch (error) {
    assert.ok(isKind(error, "invalid") && error.code === "body_text");
    return error.message.replace("body content is not valid utf8: ", "");
  }
}

suite("text of bodies", () => {
  const cases: readonly [bytes: readonly number[], problem: string | undefined][] = [
    [[], undefined],
    [[0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80], undefined],
    [[0x61, 0xff], "invalid utf-8 sequence of 1 bytes from index 1"],
    [[0x80], "invalid utf-8 sequence of 1 bytes from index 0"],
    [[0xc0, 0x80], "invalid utf-8 sequence of 1 bytes from index 0"],
    [[0xc3, 0x28], "invalid utf-8 sequence of 1 bytes from index 0"],
    [[0xe0, 0x80, 0x80], "invalid utf-8 sequence of 1 bytes from index 0"],
    [[0xed, 0xa0, 0x80], "invalid utf-8 sequence of 1 bytes from index 0"],
    [[0xe2, 0x82, 0x28], "invalid utf-8 sequence of 2 bytes from index 0"],
    [[0x61, 0xf0, 0x9f, 0x98, 0x28], "invalid utf-8 sequence of 3 bytes from index 1"],
    [[0xf4, 0x90, 0x80, 0x80], "invalid utf-8 sequence of 1 bytes from index 0"],
    [[0x61, 0xe2, 0x82], "incomplete utf-8 byte sequence from index 1"],
    [[0xc3], "incomplete utf-8 byte sequence from index 0"],
  ];
  for (const [bytes, expected] of cases) {
    test(`${Buffer.from(bytes).toString("hex") || "nothing"} is ${expected ?? "text"}`, () => {
      assert.equal(problem(Uint8Array.from(bytes)), expected);
    });
  }

  test("any bytes are text, or the place is named up to which they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const said = problem(bytes);
        assert.equal(said === undefined, isUtf8(bytes));
        if (said === undefined) return;
        const [, index] = / from index (\d+)$/.exec(said) ?? [];
        assert.ok(isUtf8(bytes.subarray(0, Number(index))));
      }),
    );
  });
});
