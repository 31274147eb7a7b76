import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { ThreadLink } from "./thread-link.ts";

type TestCalls = {
  readonly fail: {
    readonly request: "bug" | "memory" | "wasm" | "known" | "end";
    readonly answer: undefined;
  };
};

const ANSWERS = pathToFileURL(`${import.meta.dirname}/answer-calls.ts`).href;
const ERRORS = pathToFileURL(`${import.meta.dirname}/../base/errors.ts`).href;
const CODE = `
  import { answerCalls } from ${JSON.stringify(ANSWERS)};
  import { DbError } from ${JSON.stringify(ERRORS)};
  answerCalls({
    fail(how) {
      if (how === "known") throw new DbError("invalid", "known", "as it is");
      if (how === "memory") throw new RangeError("Array buffer allocation failed");
      if (how === "wasm") throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
      if (how === "end") process.exit(3);
      throw new RangeError("Invalid typed array length: -1");
    },
  }, (message) => new DbError("internal", "bug", message));
`;

function openLink(): ThreadLink<TestCalls> {
  return new ThreadLink<TestCalls>({
    file: new URL(`data:text/javascript,${encodeURIComponent(CODE)}`),
    name: "fails",
    log: silentLog,
    lostError: () => new DbError("unavailable", "lost", "it ended"),
  });
}

suite("calls to a thread", () => {
  test("fail as the thread says; lack of memory is no bug", async () => {
    await using link = openLink();
    await assert.rejects(link.call("fail", "known"), { kind: "invalid", code: "known" });
    await assert.rejects(link.call("fail", "memory"), {
      kind: "unavailable",
      code: "memory_short",
    });
    await assert.rejects(link.call("fail", "wasm"), { code: "memory_short" });
    await assert.rejects(link.call("fail", "bug"), { kind: "internal", code: "bug" });
    assert.equal(link.lost, false);
  });

  test("fail when it ends, and so do later ones", async () => {
    await using link = openLink();
    await assert.rejects(link.call("fail", "end"), { code: "lost" });
    await assert.rejects(link.call("fail", "known"), { code: "lost" });
    assert.ok(link.lost);
  });
});
