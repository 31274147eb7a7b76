import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cpuMs } from "#testing/cpu-time.ts";
import { checkRegex, withoutIdleEscapes } from "./regex.ts";

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

test("backslashes that change nothing are left out, those that mean something stay", () => {
  for (const [pattern, plain] of [
    ["d\\isk", "disk"],
    ["\\é\\yy[\\e-\\i]\\\\i", "éyy[e-i]\\\\i"],
    ["\\d\\S\\pL\\x41\\1\\b\\A\\/\\:\\.\\n\\", "\\d\\S\\pL\\x41\\1\\b\\A\\/\\:\\.\\n\\"],
    ["\\Q\\i\\E\\i\\Q\\i", "\\Q\\i\\Ei\\Q\\i"],
  ] as const)
    assert.equal(withoutIdleEscapes(pattern), plain);
});
