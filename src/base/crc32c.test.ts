import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { utf8 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";

suite("CRC-32C", () => {
  test("gives the values of RFC 3720", () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c);
    assert.equal(crc32c(utf8("123456789")), 0xe3069283);
    assert.equal(crc32c(new Uint8Array()), 0);
  });

  test("goes on from an earlier one, wherever it was parted", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
        assert.equal(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at))), crc32c(bytes));
      }),
    );
  });
});
