import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { formatLogLine } from "./log-format.ts";

const LINE = `{"level":40,"time":"2026-01-02T03:04:05.678Z","node":"host01","reason":"no answer","count":3,"msg":"a store was slow"}\n`;

suite("lines of the log", () => {
  test("json stays as it is", () => assert.equal(formatLogLine(LINE, "json"), LINE));

  test("full is a line for people", () => {
    assert.equal(
      formatLogLine(LINE, "full"),
      `2026-01-02T03:04:05.678Z  WARN a store was slow node=host01 reason="no answer" count=3\n`,
    );
  });

  test("pretty has a line for each field", () => {
    assert.equal(
      formatLogLine(LINE, "pretty"),
      `2026-01-02T03:04:05.678Z  WARN a store was slow\n    node=host01\n    reason="no answer"\n    count=3\n`,
    );
  });

  test("logfmt is pairs alone", () => {
    assert.equal(
      formatLogLine(LINE, "logfmt"),
      `time=2026-01-02T03:04:05.678Z level=warn msg="a store was slow" node=host01 reason="no answer" count=3\n`,
    );
  });

  test("what a client sent makes no line of its own", () => {
    const hostile = JSON.stringify({
      level: 30,
      time: "t",
      node: "n",
      reason: 'a\nlevel=error "b"=\u001b[31m',
      empty: "",
      msg: "m\nn",
    });
    for (const format of ["full", "logfmt"] as const) {
      const text = formatLogLine(hostile, format);
      assert.equal(text.indexOf("\n"), text.length - 1);
      assert.ok(!text.includes("\u001b"));
    }
    assert.match(formatLogLine(hostile, "logfmt"), / empty=""/);
  });
});
