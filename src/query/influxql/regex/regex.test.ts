import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { checkRegex } from "../parse/tokens/regex.ts";
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
  ["^\\pL+$", "aé猫𝒳", true],
  ["\\PL", "aé猫𝒳", false],
  ["^\\p{^L}$", "😀", true],
  ["^[\\p{Greek}\\d]+$", "αβ7", true],
  ["^\\p{Yi}$", "ꀀ", true],
  ["\\07", "\u0007", true],
  ["^[\\a\\101]+$", "\u0007A", true],
  ["]", "a]", true],
  ["{", "{", true],
  ["^m{$", "m{", true],
  ["^m{,2}$", "m{,2}", true],
  ["^m{2,}$", "m", false],
  ["^m{2,}$", "mmm", true],
  ["^m{2,3}$", "mmmm", false],
  ["^m{3}?$", "mmm", true],
  ["}", "}", true],
  ["^[]a]+$", "]a]", true],
  ["^[^]a]+$", "b]", false],
  ["\\a", "\u0007", true],
  ["^a(?i:b)c$", "aBc", true],
  ["^a(?i:b)c$", "aBC", false],
  ["^(?:(?i)a|b)c$", "Bc", true],
  ["(?i-i)A", "a", false],
  ["(?i)^straSSe$", "STRAſSE", true],
  ["(?i)^[^k]$", "\u212a", false],
  ["(?i)^\\p{Lu}$", "a", true],
  ["(?i)i", "ı", false],
  ["^[😀-😂]$", "😁", true],
  ["^[^😁]$", "😁", false],
  ["^.{2}$", "😀😀", true],
  ["^\\x{1F600}$", "😀", true],
  ["w\\B😀", "w😀w", false],
  ["\\B", "w😀w", false],
  ["\\b😀\\b", "w😀w", true],
  ["^b$", "a\nb", false],
  ["a$", "a\n", false],
  ["(?m)a$", "a\nb", true],
  ["(?m)a$", "a\rb", false],
  ["(?m)a\\z", "a\nb", false],
  ["^a.b$", "a\nb", false],
  ["^[^x]$", "\n", true],
  ["^\\s$", "\u00a0", false],
  ["^\\w+$", "é", false],
  ["^(?:|a|bc)*$", "abca", true],
  ["^(a*)*b$", "aaab", true],
  ["a|b|", "x", true],
  ["(?U)^a+$", "aa", true],
  ["\\Q[a", "x[a", true],
  ["^[a-]+$", "-", true],
  ["^[[:^alpha:]]$", "é", true],
];

for (const [pattern, text, found] of FOUND)
  test(`/${pattern}/ finds ${found ? "something" : "nothing"} in ${JSON.stringify(text)}`, () => {
    assert.equal(checkRegex(pattern), undefined);
    assert.equal(regexTest(pattern)(text), found);
  });

test("patterns that could be tried in endless ways are not", { timeout: 10_000 }, () => {
  const texts = ["!", "😀", "猫!"].map((end) => `${"a".repeat(50)}${end}`);
  const patterns = ["^(a+)+$", "(?i)(A|a)*b", "(a|aa)+$", "^(\\p{L}+)+$", "^(?:(?i:A+))+$"];
  for (const pattern of [...patterns, "^(.*)*(.*)*(.*)*x$"])
    for (const text of texts) assert.equal(regexTest(pattern)(text), false);
});

test("large patterns and long texts take little time", { timeout: 10_000 }, () => {
  const finds = regexTest("(a|b)*a(a|b){500}c");
  assert.equal(finds("ab😀a".repeat(2_000)), false);
  assert.equal(regexTest("^\\pL{1000}$")("é".repeat(1_000)), true);
  assert.equal(regexTest("(?i)^[\\pL\\p{Greek}]{999}$")("é".repeat(1_000)), false);
});

test("patterns that are too large are refused", () => {
  const tooLarge = { kind: "invalid", code: "influxql_refused", message: /is too large/ };
  for (const pattern of [
    "(abcdefghijkl){1000}",
    "(".repeat(600) + ")".repeat(600),
    "\\pL".repeat(200),
  ])
    assert.throws(() => regexTest(pattern), tooLarge);
  assert.equal(regexTest(`(${"()".repeat(10_000)}){1000}`)(""), true);
});

test("patterns find what the same ones of JavaScript find", () => {
  const pattern = fc
    .array(fc.constantFrom("a", "b", "é", "😀", ".", "[^a]", "(?:a|b)", "\\b", "^", "$", "|"))
    .chain((parts) =>
      fc
        .array(fc.constantFrom("", "(?:)*", "+", "{2}"), {
          minLength: parts.length,
          maxLength: parts.length,
        })
        .map((ends) =>
          parts.map((part, at) => (/^[\\^$|]/.test(part) ? part : part + ends[at])).join(""),
        ),
    );
  const text = fc.array(fc.constantFrom("a", "b", "é", "😀", "\n"), { maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, letters) => {
      const whole = letters.join("");
      assert.equal(regexTest(source)(whole), new RegExp(source, "u").test(whole));
    }),
  );
});

test("letters are the same but for their case as in JavaScript", () => {
  const letters = ["k", "ß", "ẞ", "ς", "Σ", "µ", "İ", "ı", "ǆ", "ᾀ", "Ꭰ", "𐐀", "ᲀ", "Ω", "θ", "Å"];
  for (const letter of letters) {
    const found = regexTest(`(?i)${letter}`);
    const same = new RegExp(letter, "iu");
    for (let code = 0; code < 0x1f000; code += 1) {
      const text = String.fromCodePoint(code);
      if (found(text) !== same.test(text)) assert.fail(`${letter} and ${text}`);
    }
  }
});
