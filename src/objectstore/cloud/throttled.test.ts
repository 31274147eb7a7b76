import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { HandClock } from "#testing/hand-clock.ts";
import { objectStoreContract } from "../contract.ts";
import { memoryStore } from "../memory.ts";
import { throttledStore } from "./throttled.ts";

objectStoreContract("throttledStore", async () => {
  // Time passes as soon as somebody waits for it.
  const clock = { nowNs: () => 0n, monotonicMs: () => 0, sleep: async () => undefined };
  const store = throttledStore(memoryStore(), clock);
  return { store, openAgain: async () => store, [Symbol.asyncDispose]: async () => undefined };
});

suite("throttledStore", () => {
  test("takes as long as a cloud for a call and for bytes", async () => {
    const clock = new HandClock();
    const store = throttledStore(memoryStore(), clock);
    const body = new Uint8Array(5_000_000);
    const took = async (work: Promise<unknown>): Promise<number> => {
      const startMs = clock.monotonicMs();
      let endMs: number | undefined;
      void work.then(() => {
        endMs = clock.monotonicMs();
      });
      while (endMs === undefined) await clock.advance(1);
      return endMs - startMs;
    };
    assert.equal(await took(store.putIfAbsent("a", body)), 105);
    assert.equal(await took(store.get("a")), 105);
    assert.equal(await took(store.get("b")), 100);
    assert.equal(await took(store.list("")), 100);
    assert.equal(await took(store.delete("a")), 100);
  });
});
