import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { compareText } from "./bytes.ts";

suite("the order of texts", () => {
  test("is that of their bytes in UTF-8", () => {
    const character = fc.constantFrom("", "a", "b", "é", "\ud7ff", "\ue000", "～", "😀", "𝒳");
    const text = fc.array(character, { maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        assert.equal(Math.sign(compareText(left, right)), bytes);
      }),
    );
  });
});
