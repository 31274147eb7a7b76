import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import { checkDatabaseName, nameWithPolicy, v1NameOf } from "./database-name.ts";

const CHARACTER =
  "invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens";
const START = "db name did not start with a number or letter";
const POLICY =
  "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'";

suite("database names", () => {
  test("letters, digits, underscores and hyphens make a name of up to 64", () => {
    for (const name of ["a", "7", "A_b-9", "x".repeat(64)]) {
      checkDatabaseName(name);
    }
    checkDatabaseName("db/rp");
  });

  const wrong: readonly [name: string, message: string][] = [
    ["", "db name cannot be empty"],
    ["_internal", START],
    ["-a", START],
    ["/a", START],
    [" a", START],
    ["é", CHARACTER],
    ["aé", CHARACTER],
    ["a😀", CHARACTER],
    ["a.b", CHARACTER],
    ["a b", CHARACTER],
    ["a\0", CHARACTER],
    ["a\n", CHARACTER],
    ["a/", POLICY],
    ["a/b/c", POLICY],
    ["x".repeat(65), `namespace name ${"x".repeat(65)} length must be between 1 and 64 characters`],
  ];
  for (const [name, message] of wrong) {
    test(`${JSON.stringify(name)} is refused`, () => {
      assert.throws(
        () => checkDatabaseName(name),
        (error) =>
          isKind(error, "invalid") && error.code === "database_name" && error.message === message,
      );
    });
  }

  test("a retention policy follows the database's name unless it is v1's own", () => {
    for (const policy of [undefined, "", "''", "autogen", "AutoGen", "default", "DEFAULT"]) {
      assert.equal(nameWithPolicy("db", policy), "db");
    }
    assert.equal(nameWithPolicy("db", "Two_Weeks"), "db/two_weeks");
    for (const name of ["db", "db/two_weeks"]) assert.equal(v1NameOf(name), "db");
  });
});
