import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { wordRecord, writerOf } from "#testing/logs.ts";
import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";
import { fromEnvelope, needsOfBoth, requireKind, toEnvelope } from "./record.ts";

const NONCE = "00112233445566778899aabbccddeeff";
const RECORD = { ...wordRecord("one", writerOf(3, 4)), needs: { catalog: 5, manifest: 6 } };

suite("record", () => {
  test("what is put is read back, with its position and nonce", () => {
    const bytes = encodeEnvelope(toEnvelope(RECORD, 7, NONCE));
    const entry = fromEnvelope(decodeEnvelope("key", bytes), "key", 7);
    assert.deepEqual(entry, { ...RECORD, position: 7, nonce: NONCE });
  });

  test("an object that was copied to another number is named", () => {
    const envelope = toEnvelope(RECORD, 7, NONCE);
    assert.throws(() => fromEnvelope(envelope, "some/key", 8), {
      kind: "corrupt",
      code: "object_misplaced",
      message: /some\/key/,
    });
  });

  const HEADERS = [
    null,
    [],
    "text",
    {},
    { ...RECORD, position: -7 },
    { ...RECORD, position: 7.5 },
    { ...RECORD, position: 7, epoch: "4" },
    { ...RECORD, position: 7, needs: { catalog: 1 } },
    { ...RECORD, position: 7, node: 2 ** 60 },
  ];
  for (const header of HEADERS) {
    test(`the header ${JSON.stringify(header)} is refused`, () => {
      const envelope = { ...toEnvelope(RECORD, 7, NONCE), header };
      assert.throws(() => fromEnvelope(envelope, "key", 7), {
        kind: "corrupt",
        code: "record_malformed",
      });
    });
  }

  test("needs of both are the greater of each", () => {
    const [left, right] = [
      { catalog: 1, manifest: 9 },
      { catalog: 5, manifest: 2 },
    ];
    assert.deepEqual(needsOfBoth(left, right), { catalog: 5, manifest: 9 });
    assert.deepEqual(needsOfBoth(right, left), { catalog: 5, manifest: 9 });
  });

  test("a checkpoint of another kind is foreign", () => {
    const entry = { ...RECORD, position: 7, nonce: NONCE };
    assert.throws(() => requireKind(entry, "catalog_checkpoint"), { code: "record_foreign" });
    requireKind(entry, "transaction");
  });
});
