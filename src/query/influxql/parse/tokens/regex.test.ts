import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cpuMs } from "#testing/cpu-time.ts";
import { checkRegex, withoutOtherEscapes } from "./regex.ts";

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

test("of InfluxDB 3, backslashes that change nothing are left out, codes are written as in 1.x, the others stay", () => {
  for (const [pattern, plain] of [
    ["d\\isk", "disk"],
    ["\\é\\yy[\\e-\\i]\\\\i", "éyy[e-i]\\\\i"],
    ["\\d\\S\\pL\\x41\\1\\b\\A\\/\\:\\.\\n\\", "\\d\\S\\pL\\x41\\1\\b\\A\\/\\:\\.\\n\\"],
    ["\\Q\\i\\E\\i\\Q\\i", "\\Q\\i\\Ei\\Q\\i"],
    ["\\u00e9\\U0001F600[\\u{61}-\\U{7a}]", "\\x{00e9}\\x{0001F600}[\\x{61}-\\x{7a}]"],
    ["\\u00e90\\\\u00e9\\Q\\u00e9\\E", "\\x{00e9}0\\\\u00e9\\Q\\u00e9\\E"],
    ["\\u\\U00e9\\u{}\\u{61\\u12\\ug", "\\u\\U00e9\\u{}\\u{61\\u12\\ug"],
  ] as const)
    assert.equal(withoutOtherEscapes(pattern), plain);
});

test("codes of InfluxDB 3 that are none are refused", () => {
  for (const [pattern, fault] of [
    ["\\u00e9", undefined],
    ["\\u12", "invalid escape sequence: `\\u`"],
    ["\\U00e9", "invalid escape sequence: `\\U`"],
    ["\\u{}", "invalid escape sequence: `\\u`"],
    ["\\U00110000", "invalid escape sequence: `\\x{00110000`"],
  ] as const)
    assert.equal(checkRegex(withoutOtherEscapes(pattern)), fault, pattern);
});
