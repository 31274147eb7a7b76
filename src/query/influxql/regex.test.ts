import assert from "node:assert/strict";
import { test } from "node:test";
import { regexTest } from "./regex.ts";

const FOUND: readonly (readonly [pattern: string, text: string, found: boolean])[] = [
  ["^cpu", "cpu0", true],
  ["^cpu$", "cpu0", false],
  ["(?i)CPU-[A-C]", "xcpu-b", true],
  ["(?i)^\\W", "a", false],
  ["(?P<a>b)", "abc", true],
  ["^[[:alpha:]]+$", "abc", true],
  ["\\Qa.b\\E", "axb", false],
  ["\\x{e9}", "é", true],
  ["^.$", "😀", true],
  ["\\p{Lu}", "aB", true],
  ["a\\ b\\-c\\_d", "a b-c_d", true],
  ["[a\\-c]", "b", false],
  ["(?s)^a.b$", "a\nb", true],
  ["(?m)^b$", "a\nb", true],
  ["", "", true],
];

for (const [pattern, text, found] of FOUND)
  test(`/${pattern}/ finds ${found ? "something" : "nothing"} in ${JSON.stringify(text)}`, () => {
    assert.equal(regexTest(pattern)(text), found);
  });

test("patterns that could be tried in endless ways are not", { timeout: 10_000 }, () => {
  const text = `${"a".repeat(50)}!`;
  for (const pattern of ["(a+)+$", "(?i)(A|a)*b", "(a|aa)+$"])
    assert.equal(regexTest(pattern)(text), false);
});
