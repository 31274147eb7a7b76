import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError, type ErrorKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { memoryStore } from "./memory.ts";
import { retryingStore } from "./retrying.ts";

const OPERATIONS: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  put: (store) => store.put("a", utf8("body")),
  get: (store) => store.get("a"),
  list: (store) => store.list("", { countMax: 1 }),
  delete: (store) => store.delete("a"),
};

suite("retryingStore", () => {
  for (const [name, operate] of Object.entries(OPERATIONS)) {
    test(`${name} is tried again until it is answered`, async () => {
      const world = failingWorld("unavailable", "store_unreachable", 4);
      await operate(world.store);
      assert.equal(world.callCount(), 5);
    });

    test(`${name} gives up after the last attempt, with its error`, async () => {
      const world = failingWorld("unavailable", "store_unreachable", 5);
      await assert.rejects(operate(world.store), { code: "store_unreachable", message: "5" });
      assert.equal(world.callCount(), 5);
    });
  }

  test("putIfAbsent is never repeated, for its lost answer may have been a success", async () => {
    const world = failingWorld("unavailable", "store_unreachable", 1);
    await assert.rejects(world.store.putIfAbsent("a", utf8("body")), { message: "1" });
    assert.equal(world.callCount(), 1);
  });

  test("what lasts is passed on at once", async () => {
    const cases: readonly (readonly [ErrorKind, string])[] = [
      ["unavailable", "store_full"],
      ["unavailable", "store_read_only"],
      ["unavailable", "store_denied"],
      ["unavailable", "store_missing"],
      ["unavailable", "store_refused"],
      ["invalid", "object_key_invalid"],
      ["corrupt", "file_damaged"],
    ];
    for (const [kind, code] of cases) {
      const world = failingWorld(kind, code, 1);
      await assert.rejects(world.store.put("a", utf8("body")), { code });
      assert.equal(world.callCount(), 1);
    }
  });

  test("waits double up to their cap, each a random part of it", async () => {
    const options = { attemptCountMax: 7, delayMs: 100, delayMsMax: 1_000 };
    for (const chance of [0, 0.5]) {
      const world = failingWorld("unavailable", "store_unreachable", 6, { chance, ...options });
      await world.store.get("a");
      const expected = [100, 200, 400, 800, 1_000, 1_000].map((delayMs) => delayMs * chance);
      assert.deepEqual(world.waits, expected);
    }
  });

  test("nothing is tried again after the time for it", async () => {
    const options = { chance: 0.5, attemptCountMax: 9, delayMs: 100, durationMsMax: 1_000 };
    const world = failingWorld("unavailable", "store_unreachable", 9, options);
    await assert.rejects(world.store.get("a"), { message: "5" });
    // The next wait, of 800 ms, would end behind the second.
    assert.deepEqual(world.waits, [50, 100, 200, 400]);
  });

  test("answers pass through as they are", async () => {
    const { store } = failingWorld("unavailable", "store_unreachable", 0);
    await store.putIfAbsent("a", utf8("body"));
    await store.put("b", utf8("other"));
    assert.deepEqual(await store.get("a"), utf8("body"));
    assert.deepEqual(await store.list("", { after: "a" }), [{ key: "b", sizeBytes: 5 }]);
    await store.delete("a");
    assert.equal(await store.get("a"), undefined);
  });
});

/** A retrying store over one whose first `failureCount` calls fail; the error's message is the number of the call. */
function failingWorld(
  kind: ErrorKind,
  code: string,
  failureCount: number,
  options: {
    chance?: number;
    attemptCountMax?: number;
    delayMs?: number;
    delayMsMax?: number;
    durationMsMax?: number;
  } = {},
) {
  let callCount = 0;
  const bucket = memoryStore();
  async function count<T>(call: () => Promise<T>): Promise<T> {
    callCount += 1;
    if (callCount <= failureCount) throw new DbError(kind, code, String(callCount));
    return call();
  }
  const inner: ObjectStore = {
    putIfAbsent: (key, body) => count(() => bucket.putIfAbsent(key, body)),
    put: (key, body) => count(() => bucket.put(key, body)),
    get: (key) => count(() => bucket.get(key)),
    list: (prefix, listOptions) => count(() => bucket.list(prefix, listOptions)),
    delete: (key) => count(() => bucket.delete(key)),
  };
  const waits: number[] = [];
  const clock: Clock = {
    nowNs: () => 0n,
    monotonicMs: () => waits.reduce((sum, waitMs) => sum + waitMs, 0),
    sleep: async (delayMs) => void waits.push(delayMs),
  };
  const { chance = 0.5, ...retryOptions } = options;
  const store = retryingStore(inner, clock, { next: () => chance }, retryOptions);
  return { store, waits, callCount: () => callCount };
}
