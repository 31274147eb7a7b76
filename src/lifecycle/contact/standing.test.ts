import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import type { NodeNumber } from "#model/ids.ts";
import { decodeStanding, decodeStandingAsk, encodeStanding, type Standing } from "./standing.ts";

test("a standing is read as it was written, and nothing else is", () => {
  const written: Standing = {
    node: 3 as NodeNumber,
    catalog: { position: 12, ageMs: 0.25 },
    manifest: { position: 0, ageMs: 9_000 },
    words: [
      { node: 3 as NodeNumber, epoch: 2, tail: 41, ageMs: 0 },
      { node: 4 as NodeNumber, epoch: 1, ageMs: 17 },
    ],
  };
  assert.deepEqual(decodeStanding(encodeStanding(written)), written);
  for (const body of ["", "{", "null", "{}", JSON.stringify({ ...written, words: [{ node: 1 }] })])
    assert.equal(decodeStanding(utf8(body)), undefined);
  for (const body of ["", "[]", '{"node":0,"catalog":1}', '{"node":1,"catalog":-1}', '{"node":1}'])
    assert.throws(() => decodeStandingAsk(utf8(body)), {
      kind: "invalid",
      code: "standing_ask_malformed",
    });
});
