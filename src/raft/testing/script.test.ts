import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseScript } from "./script.ts";

const argument = (key: string, ...values: readonly string[]) => ({ key, values });

suite("scripts of commands and answers", () => {
  test("have commands with arguments, input, and answers up to an empty line", () => {
    const text = "# About.\n\nfly 1 to=2 with=(3, 4) by=()\nv1 l2\nv3\n----\none\n\nland\n----\n";
    assert.deepEqual(parseScript(text), [
      {
        command: "fly",
        args: [argument("1"), argument("to", "2"), argument("with", "3", "4"), argument("by")],
        input: "v1 l2\nv3",
        expected: "one",
        line: 3,
        text: "fly 1 to=2 with=(3, 4) by=()",
      },
      { command: "land", args: [], input: "", expected: "", line: 9, text: "land" },
    ]);
  });

  test("answer with empty lines between two lines of dashes", () => {
    const [first, second] = parseScript("one\n----\n----\na\n\nb\n----\n----\n\ntwo\n----\nc\n");
    assert.equal(first?.expected, "a\n\nb");
    assert.equal(second?.expected, "c");
    assert.throws(() => parseScript("one\n----\n----\na\n"), /line 3/);
  });

  test("go on in the next line after a backslash", () => {
    const [only] = parseScript("fly 1 \\\n  to=2\ninput\n----\nok\n");
    assert.deepEqual([only?.args.length, only?.input], [2, "input"]);
  });

  test("without an answer are none", () => {
    assert.throws(() => parseScript("one\n----\nok\n\ntwo\n"), /line 5/);
  });
});
