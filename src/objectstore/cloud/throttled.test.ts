import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { objectStoreContract } from "../contract.ts";
import { memoryStore } from "../memory.ts";
import { throttledStore } from "./throttled.ts";

/** A clock whose time passes as soon as somebody waits for it. */
function hastyClock() {
  let nowMs = 0;
  return {
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    monotonicMs: () => nowMs,
    sleep: async (delayMs: number) => {
      nowMs += delayMs;
    },
  };
}

objectStoreContract("throttledStore", async () => {
  const store = throttledStore(memoryStore(), hastyClock());
  return { store, openAgain: async () => store, [Symbol.asyncDispose]: async () => undefined };
});

suite("throttledStore", () => {
  test("takes as long as a cloud for a call, for bytes and for pages of a list", async () => {
    const clock = hastyClock();
    const inner = memoryStore();
    const store = throttledStore(inner, clock);
    const body = new Uint8Array(5_000_000);
    const took = async (work: () => Promise<unknown>): Promise<number> => {
      const startMs = clock.monotonicMs();
      await work();
      return clock.monotonicMs() - startMs;
    };
    assert.equal(await took(() => store.putIfAbsent("a", body)), 105);
    assert.equal(await took(() => store.put("a", body)), 105);
    assert.equal(await took(() => store.get("a")), 105);
    assert.equal(await took(() => store.get("b")), 100);
    assert.equal(await took(() => store.delete("a")), 100);
    assert.equal(await took(() => store.list("")), 100);
    for (let number = 1; number <= 2_500; number += 1)
      await inner.put(`b/${number}`, new Uint8Array());
    assert.equal(await took(() => store.list("")), 300);
  });
});
