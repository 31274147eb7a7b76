import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import { peerId } from "../message.ts";
import {
  type Change,
  decodeChange,
  encodeChange,
  encodeSingleChange,
  LEAVE_JOINT,
} from "./change.ts";

const CHANGE: Change = {
  transition: "explicit",
  operations: [
    { kind: "add_voter", peer: peerId(4) },
    { kind: "remove", peer: peerId(2) },
  ],
  context: "http://node-4:8181/ü",
};

suite("bytes of raft changes", () => {
  test("are read as they were written", () => {
    assert.deepEqual(decodeChange(encodeChange(CHANGE)), CHANGE);
    assert.deepEqual(decodeChange(encodeChange(LEAVE_JOINT)), LEAVE_JOINT);
    const operation = { kind: "add_learner", peer: peerId(7) } as const;
    const single = { transition: "auto", operations: [operation], context: "" };
    assert.deepEqual(decodeChange(encodeSingleChange(operation)), single);
    assert.equal(decodeChange({ kind: "normal", data: new Uint8Array() }), undefined);
  });

  test("to leave a joint configuration takes none, so that no limit keeps it out", () => {
    assert.equal(encodeChange(LEAVE_JOINT).data.length, 0);
  });

  test("cut anywhere are refused, and with a flipped bit as well or read as another change", () => {
    const { kind, data } = encodeChange(CHANGE);
    const refused = (bytes: Uint8Array) => {
      try {
        decodeChange({ kind, data: bytes });
        return false;
      } catch (error) {
        assert.ok(isKind(error, "corrupt"));
        return true;
      }
    };
    for (let size = 1; size < data.length; size += 1) assert.ok(refused(data.slice(0, size)));
    for (let bit = 0; bit < data.length * 8; bit += 1) {
      const flipped = data.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      refused(flipped);
    }
    for (const text of [
      "null",
      "[]",
      "{}",
      '{"transition":"auto","operations":[{}],"context":""}',
    ]) {
      assert.ok(refused(new TextEncoder().encode(text)));
    }
  });
});
