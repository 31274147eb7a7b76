import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { loadDotenv } from "./dotenv.ts";

suite("the .env file", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-dotenv-"));
  after(() => rmSync(folder, { recursive: true }));

  test("a missing file changes nothing", () => {
    const env = { A: "1" };
    loadDotenv(join(folder, "missing"), env);
    assert.deepEqual(env, { A: "1" });
  });

  test("variables are added, those that are set stay", () => {
    const lines = [
      "# a comment",
      "A=from file",
      "export B='two words' # why",
      'C="first\\nsecond"',
      "not a variable",
      "",
      "D=",
    ];
    writeFileSync(join(folder, ".env"), lines.join("\n"));
    const env: Record<string, string | undefined> = { A: "set before" };
    loadDotenv(folder, env);
    assert.deepEqual(env, { A: "set before", B: "two words", C: "first\nsecond", D: "" });
  });
});
