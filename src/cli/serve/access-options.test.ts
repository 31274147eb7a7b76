import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { Settings } from "../options.ts";
import { ACCESS_OPTIONS, accessConfig } from "./access-options.ts";

const NOW_MS = 1_800_000_000_000;
const TOKEN = `apiv3_${"Ab0-_".repeat(9)}`;

suite("the token file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-token-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "token.json");

  function read(text: string) {
    writeFileSync(file, text);
    const settings = new Settings(ACCESS_OPTIONS, { adminTokenFile: "token.json" }, {});
    return accessConfig(settings, { nowMs: NOW_MS, workingDirectory: folder }).givenToken;
  }

  test("gives a token with its name and, if it has one, its end", () => {
    assert.deepEqual(read(JSON.stringify({ token: TOKEN, name: "_admin" })), {
      text: TOKEN,
      name: "_admin",
      expiresAtNs: undefined,
    });
    const expiring = { token: TOKEN, name: "n", expiry_millis: NOW_MS + 1, more: true };
    assert.equal(read(JSON.stringify(expiring))?.expiresAtNs, 1_800_000_000_001_000_000n);
    assert.ok(read(JSON.stringify({ token: TOKEN, name: "n", expiry_millis: null })));
  });

  const wrong: readonly [string, string, RegExp][] = [
    ["{", "token_file", /it is not JSON$/],
    ["[]", "token_file", /token is not apiv3_ and 32/],
    ["null", "token_file", /it is no object$/],
    [JSON.stringify({ token: "secret", name: "n" }), "token_file", /token is not apiv3_ and 32/],
    [JSON.stringify({ token: TOKEN }), "token_file", /name is missing$/],
    [JSON.stringify({ token: TOKEN, name: "" }), "token_name", /1 to 128 characters/],
    [
      JSON.stringify({ token: TOKEN, name: "n", expiry_millis: NOW_MS }),
      "token_file",
      /expiry_millis is no time to come/,
    ],
    [
      JSON.stringify({ token: TOKEN, name: "n", expiry_millis: 9_223_372_036_855 }),
      "token_file",
      /expiry_millis/,
    ],
    [
      JSON.stringify({ token: TOKEN, name: "n", expiry_millis: "1y" }),
      "token_file",
      /expiry_millis/,
    ],
  ];
  for (const [text, code, message] of wrong) {
    test(`${text.replace(TOKEN, "…")} is refused, and shown to nobody`, () => {
      assert.throws(
        () => read(text),
        (error) =>
          error instanceof DbError &&
          error.kind === "invalid" &&
          error.code === code &&
          message.test(error.message) &&
          !/secret|Ab0/.test(error.message),
      );
    });
  }

  test("has to be there", () => {
    const settings = new Settings(ACCESS_OPTIONS, { adminTokenFile: "none" }, {});
    assert.throws(() => accessConfig(settings, { nowMs: NOW_MS, workingDirectory: folder }), {
      kind: "invalid",
      code: "file_unreadable",
    });
  });
});
