import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { concatBytes, utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { encodeAny, encodeProtobuf, Message, readAny } from "./protobuf.ts";

const invalid = { kind: "invalid", code: "protobuf" };

suite("Protocol Buffers", () => {
  test("give back what was written", () => {
    const inner = encodeProtobuf({ 1: "inner" });
    const bytes = encodeProtobuf({
      1: "é",
      2: -1n,
      3: [1n, 0n],
      4: inner,
      5: true,
      1000: utf8("b"),
    });
    const message = new Message(bytes);
    assert.equal(message.text(1), "é");
    assert.equal(BigInt.asIntN(64, message.number(2)), -1n);
    assert.deepEqual(message.numbers(3), [1n, 0n]);
    assert.equal(message.message(4).text(1), "inner");
    assert.equal(message.number(5), 1n);
    assert.deepEqual(message.bytes(1000), utf8("b"));
    assert.equal(message.optionalText(6), undefined);
    assert.deepEqual(new Message(encodeProtobuf({ 7: Uint8Array.of(1, 172, 2) })).numbers(7), [
      1n,
      300n,
    ]);
    const any = readAny(encodeAny("a.B", inner));
    assert.deepEqual([any.type, any.message.text(1)], ["a.B", "inner"]);
  });

  test("are read or refused, whatever the bytes are, and never much is held of them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          assert.deepEqual(new Message(bytes).texts(5_000), []);
        } catch (error) {
          assert.ok(isKind(error, "invalid"), String(error));
        }
      }),
      { numRuns: 500 },
    );
    const many = concatBytes(Array.from({ length: 10_001 }, () => Uint8Array.of(8, 1)));
    assert.throws(() => new Message(many), invalid);
    const packed = encodeProtobuf({ 1: new Uint8Array(10_001) });
    assert.throws(() => new Message(packed).numbers(1), invalid);
    const both = encodeProtobuf({ 1: [new Uint8Array(6_000), new Uint8Array(6_000)] });
    assert.throws(() => new Message(both).numbers(1), invalid);
    assert.throws(() => new Message(encodeProtobuf({ 1: Uint8Array.of(255) })).text(1), invalid);
    assert.throws(() => new Message(encodeProtobuf({ 1: 5n })).bytes(1), invalid);
  });
});
