import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { memoryStore } from "./memory.ts";
import { probePutIfAbsent } from "./probe.ts";

suite("probePutIfAbsent", () => {
  test("believes a store that refuses the second, and leaves nothing behind", async () => {
    const store = memoryStore();
    assert.equal(await probePutIfAbsent(store, "cluster/", seededRandom(1)), true);
    assert.deepEqual(await store.list(""), []);
  });

  test("uses a fresh name that begins with the prefix", async () => {
    const keys = new Set<string>();
    const inner = memoryStore();
    const store = wrap(inner, (key, body) => {
      keys.add(key);
      return inner.putIfAbsent(key, body);
    });
    const random = seededRandom(1);
    await probePutIfAbsent(store, "cluster/", random);
    await probePutIfAbsent(store, "cluster/", random);
    assert.equal(keys.size, 2);
    for (const key of keys) assert.ok(key.startsWith("cluster/probe-"));
  });

  test("finds a store that replaces in silence", async () => {
    const inner = memoryStore();
    const store = wrap(inner, (key, body) => inner.put(key, body));
    assert.equal(await probePutIfAbsent(store, "cluster/", seededRandom(1)), false);
    assert.deepEqual(await inner.list(""), []);
  });

  test("finds a store that replaces and says that it did not", async () => {
    const inner = memoryStore();
    const store = wrap(inner, async (key, body) => {
      const exists = (await inner.get(key)) !== undefined;
      await inner.put(key, body);
      if (exists) throw new DbError("conflict", "object_exists", "The object exists already.");
    });
    assert.equal(await probePutIfAbsent(store, "cluster/", seededRandom(1)), false);
  });

  test("takes another name where a request was sent again on its way, and the second was refused", async () => {
    const inner = memoryStore();
    let callCount = 0;
    const store = wrap(inner, async (key, body) => {
      callCount += 1;
      if (callCount === 1) await inner.putIfAbsent(key, body);
      await inner.putIfAbsent(key, body);
    });
    assert.equal(await probePutIfAbsent(store, "cluster/", seededRandom(1)), true);
    assert.deepEqual(await inner.list(""), []);
  });

  for (const [lostCount, heard] of [
    [1, true],
    [2, true],
    [3, false],
  ] as const) {
    test(`${lostCount} lost answers ${heard ? "are made up for" : "are a store that does not answer"}`, async () => {
      const inner = memoryStore();
      let callCount = 0;
      const store = wrap(inner, async (key, body) => {
        callCount += 1;
        if (callCount <= lostCount) await inner.putIfAbsent(key, utf8("lost"));
        if (callCount <= lostCount) throw new DbError("unavailable", "store_unreachable", "No.");
        await inner.putIfAbsent(key, body);
      });
      const probing = probePutIfAbsent(store, "cluster/", seededRandom(1));
      if (heard) assert.equal(await probing, true);
      else await assert.rejects(probing, { code: "store_unreachable" });
      assert.deepEqual(await inner.list(""), []);
    });
  }

  test("a refusal is passed on at once", async () => {
    let callCount = 0;
    const store = wrap(memoryStore(), async () => {
      callCount += 1;
      throw new DbError("unavailable", "store_denied", "Denied.");
    });
    const probing = probePutIfAbsent(store, "cluster/", seededRandom(1));
    await assert.rejects(probing, { code: "store_denied" });
    assert.equal(callCount, 1);
  });
});

/** `inner` with another putIfAbsent. */
function wrap(inner: ObjectStore, putIfAbsent: ObjectStore["putIfAbsent"]): ObjectStore {
  return {
    putIfAbsent,
    put: (key, body) => inner.put(key, body),
    get: (key) => inner.get(key),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (key) => inner.delete(key),
  };
}
