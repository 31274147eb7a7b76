import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { suite, test } from "node:test";
import { describeDifference, rewriteScript, runScript } from "./conformance.ts";

suite("raft scripts", () => {
  for (const path of globSync(join(import.meta.dirname, "testdata/*.txt"))) {
    test(`${basename(path)} gives its answers`, () => {
      const script = readFileSync(path, "utf8");
      if (process.env["REWRITE"] === "1") {
        writeFileSync(path, rewriteScript(script));
        return;
      }
      const difference = runScript(script);
      assert.equal(difference && describeDifference(difference), undefined);
    });
  }
});
