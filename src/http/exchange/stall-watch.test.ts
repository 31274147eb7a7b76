import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Clock } from "#ports/clock.ts";
import { StallWatch } from "./stall-watch.ts";

/** A clock whose time passes when the test says so. */
function handClock() {
  let nowMs = 0;
  let wake: (() => void) | undefined;
  const clock: Clock = {
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    monotonicMs: () => nowMs,
    sleep(_delayMs, signal) {
      return new Promise((resolve, reject) => {
        wake = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      });
    },
  };
  const pass = async (ms: number) => {
    nowMs += ms;
    wake?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, pass };
}

suite("the stall watch", () => {
  test("calls once for what does not move for its time, and not for what moved or ended", async () => {
    const { clock, pass } = handClock();
    const watch = new StallWatch(clock, 10);
    const stop = new AbortController();
    const run = watch.run(stop.signal);
    const stalls: string[] = [];
    watch.begin(100, () => stalls.push("still"));
    const moving = watch.begin(100, () => stalls.push("moving"));
    const ended = watch.begin(100, () => stalls.push("ended"));
    await pass(99);
    assert.deepEqual(stalls, []);
    moving.moved();
    ended.end();
    await pass(1);
    await pass(98);
    assert.deepEqual(stalls, ["still"]);
    await pass(1);
    await pass(1000);
    assert.deepEqual(stalls, ["still", "moving"]);
    stop.abort();
    await run;
  });
});
