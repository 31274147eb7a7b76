import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { measuredStore } from "./measured.ts";
import { memoryStore } from "./memory.ts";

suite("measuredStore", () => {
  test("reports every operation with its outcome, duration and size, and changes no answer", async () => {
    const { store, seen } = world(memoryStore());
    await store.putIfAbsent("a", utf8("body"));
    await assert.rejects(store.putIfAbsent("a", utf8("body")), { code: "object_exists" });
    await store.put("b", utf8("another"));
    assert.deepEqual(await store.get("a"), utf8("body"));
    assert.equal(await store.get("c"), undefined);
    await store.put("d", new Uint8Array());
    assert.deepEqual(await store.get("d"), new Uint8Array());
    assert.equal((await store.list("", { countMax: 2 })).length, 2);
    await store.delete("a");
    await assert.rejects(store.get("?"), { code: "object_key_invalid" });
    assert.deepEqual(seen, [
      ["put_if_absent", "ok", 5, 4],
      ["put_if_absent", "conflict", 5, 0],
      ["put", "ok", 5, 7],
      ["get", "ok", 5, 4],
      ["get", "not_found", 5, 0],
      ["put", "ok", 5, 0],
      ["get", "ok", 5, 0],
      ["list", "ok", 5, 0],
      ["delete", "ok", 5, 0],
      ["get", "invalid", 5, 0],
    ]);
  });

  test("tells failures of the store from bugs", async () => {
    const errors = [new DbError("unavailable", "store_full", "full"), new TypeError("a bug")];
    const failing: ObjectStore = { ...memoryStore(), get: async () => Promise.reject(errors[0]) };
    const { store, seen } = world(failing);
    await assert.rejects(store.get("a"), errors[0]);
    errors.shift();
    await assert.rejects(store.get("a"), errors[0]);
    assert.deepEqual(
      seen.map(([, outcome]) => outcome),
      ["unavailable", "internal"],
    );
  });
});

/** `inner`, measured by a clock that goes on by 5 ms whenever it is read. */
function world(inner: ObjectStore) {
  let nowMs = 0;
  const clock: Clock = {
    nowNs: () => 0n,
    monotonicMs: () => {
      nowMs += 5;
      return nowMs;
    },
    sleep: async () => undefined,
  };
  const seen: (readonly unknown[])[] = [];
  const store = measuredStore(inner, clock, (...report) => void seen.push(report));
  return { store, seen };
}
