import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { equalBytes, hex } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { decodeEnvelope, type Envelope, encodeEnvelope, RECORD_KINDS } from "./envelope.ts";

const NONCE = "00112233445566778899aabbccddeeff";
const KINDS = Object.keys(RECORD_KINDS) as (keyof typeof RECORD_KINDS)[];
const SMALL: Envelope = {
  kind: "flush",
  nonce: NONCE,
  header: { position: 7, text: "ä" },
  payload: Uint8Array.of(1, 2, 3),
};

const anEnvelope = fc.record({
  kind: fc.constantFrom(...KINDS),
  nonce: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(hex),
  header: fc.jsonValue({ maxDepth: 3 }),
  payload: fc.uint8Array({ maxLength: 64 }),
});

suite("envelope", () => {
  test("what is written is read back", () => {
    fc.assert(
      fc.property(anEnvelope, (envelope) => {
        const { header, ...rest } = decodeEnvelope("key", encodeEnvelope(envelope));
        assert.deepEqual(rest, {
          kind: envelope.kind,
          nonce: envelope.nonce,
          payload: envelope.payload,
        });
        assert.equal(JSON.stringify(header), JSON.stringify(envelope.header));
      }),
    );
  });

  test("numbers of any size are carried as text", () => {
    const bytes = encodeEnvelope({ ...SMALL, header: { stamp: 2n ** 62n } });
    assert.deepEqual(decodeEnvelope("key", bytes).header, { stamp: "4611686018427387904" });
  });

  test("the payload is a view, so that no block is copied", () => {
    const bytes = encodeEnvelope(SMALL);
    assert.equal(decodeEnvelope("key", bytes).payload.buffer, bytes.buffer);
  });

  test("bytes inside a larger array are read as they stand", () => {
    const bytes = encodeEnvelope(SMALL);
    const larger = new Uint8Array(bytes.length + 8);
    larger.set(bytes, 5);
    const { payload } = decodeEnvelope("key", larger.subarray(5, 5 + bytes.length));
    assert.deepEqual(payload, SMALL.payload);
  });

  test("every truncation is named", () => {
    const bytes = encodeEnvelope(SMALL);
    for (let size = 0; size < bytes.length; size++)
      assert.throws(() => decodeEnvelope("some/key", bytes.subarray(0, size)), {
        kind: "corrupt",
        code: "object_damaged",
        message: /some\/key/,
      });
  });

  test("every byte too many is named", () => {
    const longer = Uint8Array.from([...encodeEnvelope(SMALL), 0]);
    assert.throws(() => decodeEnvelope("key", longer), { code: "object_damaged" });
  });

  test("any one flipped bit is named", () => {
    const bytes = encodeEnvelope(SMALL);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => decodeEnvelope("key", damaged), {
        kind: "corrupt",
        code: "object_damaged",
      });
    }
  });

  const LATER = [
    { what: "a kind of a later version", offset: 4, value: 999 },
    { what: "a later version of the format", offset: 6, value: 2 },
  ];
  for (const { what, offset, value } of LATER) {
    test(`${what} is unknown, not damaged`, () => {
      const bytes = sealed(encodeEnvelope(SMALL), (view) => view.setUint16(offset, value, true));
      assert.throws(() => decodeEnvelope("key", bytes), {
        kind: "unsupported",
        code: "record_unknown",
      });
    });
  }

  test("a header that ends beyond the object, or is no JSON, is damage although the checksum is right", () => {
    const bytes = encodeEnvelope(SMALL);
    const beyond = sealed(bytes, (view) => view.setUint32(12, bytes.length, true));
    const cut = sealed(bytes, (view) => view.setUint32(12, 5, true));
    const headerOnly = encodeEnvelope({ ...SMALL, payload: new Uint8Array(0) });
    const byOne = sealed(headerOnly, (view) =>
      view.setUint32(12, view.getUint32(12, true) + 1, true),
    );
    for (const damaged of [beyond, cut, byOne])
      assert.throws(() => decodeEnvelope("key", damaged), { code: "object_damaged" });
  });

  test("a nonce of another form is a bug here", () => {
    for (const nonce of ["", "00", `${NONCE}00`, "x".repeat(32)])
      assert.throws(() => encodeEnvelope({ ...SMALL, nonce }), { code: "assertion_failed" });
  });

  test("no two kinds have one number", () => {
    assert.equal(new Set(Object.values(RECORD_KINDS)).size, KINDS.length);
  });

  test("a stone of version 1 is read for ever, and written the same", () => {
    const text = readFileSync(new URL("testdata/stone-v1.hex", import.meta.url), "utf8");
    const bytes = Uint8Array.from(Buffer.from(text.trim(), "hex"));
    const envelope = decodeEnvelope("key", bytes);
    assert.deepEqual(
      { ...envelope, payload: envelope.payload.length },
      {
        kind: "stone",
        nonce: NONCE,
        header: {
          position: 3,
          node: 2,
          epoch: 5,
          needs: { catalog: 1, manifest: 0 },
          body: { checkpoint: 4 },
        },
        payload: 0,
      },
    );
    assert.ok(equalBytes(encodeEnvelope(envelope), bytes));
  });
});

/** `bytes` after `change`, with the checksum that belongs to them. */
function sealed(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  change(view);
  view.setUint32(8, crc32(changed.subarray(12), crc32(changed.subarray(0, 8))), true);
  return changed;
}
