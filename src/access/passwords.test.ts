import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { hashPassword, matchesPassword, PASSWORD_SALT_SIZE } from "./passwords.ts";

suite("passwords", () => {
  test("match what was made of them, and nothing else does", async () => {
    const salt = new Uint8Array(PASSWORD_SALT_SIZE).fill(7);
    const hashed = await hashPassword("pässword", salt);
    // Of RFC 7914's function with N 16384, r 8, p 1: kept passwords must match for ever.
    assert.match(hashed, /^scrypt:16384:8:1:(07){16}:[0-9a-f]{64}$/);
    assert.equal(await matchesPassword("pässword", hashed), true);
    for (const other of ["", "password", "pässword "])
      assert.equal(await matchesPassword(other, hashed), false);
    const same = await hashPassword("pässword", new Uint8Array(PASSWORD_SALT_SIZE));
    assert.notEqual(same.slice(-64), hashed.slice(-64));
  });

  test("cannot be compared with what is no hash", async () => {
    await assert.rejects(matchesPassword("x", "plain"), { code: "record_malformed" });
  });
});
