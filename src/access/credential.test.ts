import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import { parseAuthorization } from "./credential.ts";

const CALL = { method: "GET", path: "/x?y=z" };
const TOKEN = { kind: "token", token: "apiv3_t" };

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

suite("the header Authorization", () => {
  const good: readonly [string | undefined, object][] = [
    [undefined, { kind: "none" }],
    ["Bearer apiv3_t", TOKEN],
    ["bearer apiv3_t", TOKEN],
    ["Token apiv3_t", TOKEN],
    [basic("ada:apiv3_t"), TOKEN],
    [basic(":apiv3_t"), TOKEN],
    [basic("ada:"), { kind: "token", token: "" }],
    ["Tidelake proof", { kind: "node_call", call: CALL, proof: "proof" }],
  ];
  for (const [text, credential] of good) {
    test(`${text} is ${JSON.stringify(credential)}`, () =>
      assert.deepEqual(parseAuthorization(text, CALL), credential));
  }

  const bad = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    " Bearer t",
    "Bearer  t",
    "Bearer t t",
    "Digest t",
    "apiv3_t",
    basic("no colon"),
    basic("a:b:c"),
    `Basic ${Buffer.from([0xff, 0x3a]).toString("base64")}`,
  ];
  for (const text of bad) {
    test(`${JSON.stringify(text)} is malformed`, () =>
      assert.throws(() => parseAuthorization(text, CALL), {
        kind: "invalid",
        code: "authorization_malformed",
        message: /^Authorization header was malformed, the request was not in the form of /,
      }));
  }

  test("of any text, it is understood or malformed, and an error repeats nothing of it", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseAuthorization(text, CALL);
        } catch (error) {
          assert.ok(error instanceof DbError && error.code === "authorization_malformed");
          assert.deepEqual(error.detail, {});
        }
      }),
    );
  });
});
