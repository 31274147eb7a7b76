import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { silentLog } from "#ports/log.ts";
import { Tasks } from "./tasks.ts";

/** Ends with the signal. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

suite("the tasks of a node", () => {
  test("end with its stop, which waits for them", async () => {
    const tasks = new Tasks(silentLog);
    let ended = false;
    tasks.add("loop", async (signal) => {
      await untilAborted(signal).catch(() => undefined);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      ended = true;
    });
    tasks.add("another", untilAborted);
    await tasks.stop();
    assert.equal(ended, true);
    assert.equal(tasks.failed, undefined);
    assert.equal((tasks.signal.reason as DbError).code, "node_stopping");
    await tasks.stop();
  });

  test("one that ends does not end the others, nor the node", async () => {
    const tasks = new Tasks(silentLog);
    tasks.add("once", async () => undefined);
    await Promise.resolve();
    assert.equal(tasks.signal.aborted, false);
    await tasks.stop();
  });

  test("the first that fails is the node's failure; what is no error of ours becomes one", async () => {
    const messages: string[] = [];
    const tasks = new Tasks({ ...silentLog, error: (message) => messages.push(message) });
    const fenced = new DbError("conflict", "node_fenced", "replaced");
    tasks.add("first", () => Promise.reject(fenced));
    tasks.add("second", () => Promise.reject(new Error("later")));
    assert.equal(await tasks.failure, fenced);
    assert.equal(tasks.failed, fenced);
    assert.equal(messages.length, 1);
    await tasks.stop();
    const others = new Tasks(silentLog);
    others.add("bug", () => Promise.reject(new TypeError("undefined is not a function")));
    const failure = await others.failure;
    assert.deepEqual([failure.kind, failure.code], ["internal", "task_failed"]);
  });
});
