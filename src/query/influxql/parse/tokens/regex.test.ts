import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cpuMs } from "#testing/cpu-time.ts";
import { checkRegex } from "./regex.ts";

const CASES = new URL("testdata/regex.txt", import.meta.url);

test("regular expressions are refused where influxd refuses them, in its words", () => {
  let count = 0;
  for (const [, pattern = "", fault] of readFileSync(CASES, "utf8").matchAll(
    /^(?!#| {4})(.+)\n(?: {4}(.*)\n)?/gm,
  )) {
    assert.equal(checkRegex(pattern), fault, pattern);
    count += 1;
  }
  assert.ok(count > 180, "there are cases");
});

test("long regular expressions are checked in linear time", () => {
  const length = 500_000;
  const started = cpuMs();
  for (const piece of [
    "a",
    "(",
    "[",
    "[[:",
    "[a",
    "\\x",
    "{",
    "a{1",
    "(?:",
    "a|",
    "\\Q",
    "(?P<a",
    "{1,",
    "a*b",
    "[^]",
    "\\p{",
    "\\pL",
    "\\p{Greek}",
    "\\Qa\\E",
    "(?i",
  ]) {
    checkRegex(piece.repeat(length / piece.length));
    checkRegex(`[${piece.repeat(length / piece.length)}`);
  }
  assert.ok(cpuMs() - started < 5_000);
});
