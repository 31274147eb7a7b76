import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { memoryStore } from "../memory.ts";
import { checkStore, measurePace, probePrefix, removeAll } from "./store-check.ts";

/** Stores with one fault each, and a word of the one check that finds it. */
const FAULTY: Readonly<
  Record<string, readonly [(inner: ObjectStore) => Partial<ObjectStore>, RegExp]>
> = {
  "replaces although absence was asked for": [
    (inner) => ({ putIfAbsent: (key, body) => inner.put(key, body) }),
    /putting if absent is refused .*: the second put replaced the first/,
  ],
  "replaces, and says that it did not": [
    (inner) => ({
      async putIfAbsent(key, body) {
        const exists = (await inner.get(key)) !== undefined;
        await inner.put(key, body);
        if (exists) throw new DbError("conflict", "object_exists", "It exists.");
      },
    }),
    /putting if absent is refused .*: the second put replaced the first/,
  ],
  "acknowledges the second put, and drops it": [
    (inner) => ({
      putIfAbsent: (key, body) => inner.putIfAbsent(key, body).catch(() => undefined),
    }),
    /putting if absent is refused .*: the second put was acknowledged/,
  ],
  "looks and then puts, so that a race has many winners": [
    (inner) => ({
      async putIfAbsent(key, body) {
        const exists = (await inner.get(key)) !== undefined;
        if (exists) throw new DbError("conflict", "object_exists", "It exists.");
        await inner.put(key, body);
      },
    }),
    /exactly one succeeds: 32 succeeded/,
  ],
  "shows the older body after a replacement": [
    (inner) => ({ put: (key, body) => inner.putIfAbsent(key, body).catch(() => undefined) }),
    /read back at once: after it was replaced/,
  ],
  "has empty objects for those that are missing": [
    (inner) => ({ get: async (key) => (await inner.get(key)) ?? new Uint8Array() }),
    /reported as absent: 0 bytes/,
  ],
  "lists in another order": [
    (inner) => ({
      list: async (prefix, options) =>
        (await inner.list(prefix, options)).toSorted((left, right) =>
          left.key.localeCompare(right.key),
        ),
    }),
    /in order of bytes.*: it gives/,
  ],
  "begins a list at the name it should begin behind": [
    (inner) => ({
      async list(prefix, options = {}) {
        const { after, countMax = Number.POSITIVE_INFINITY } = options;
        const all = await inner.list(prefix);
        return all.filter(({ key }) => after === undefined || key >= after).slice(0, countMax);
      },
    }),
    /page by page: pages have gaps, or overlap/,
  ],
  "ends a list with its first page": [
    (inner) => ({
      list: async (prefix, options) => (await inner.list(prefix, options)).slice(0, 1_000),
    }),
    /1,005 objects is whole, at once and page by page: it has 1000/,
  ],
  "keeps what was deleted in its lists": [
    (inner) => {
      const deleted = new Map<string, number>();
      return {
        async delete(key) {
          deleted.set(key, (await inner.get(key))?.length ?? 0);
          await inner.delete(key);
        },
        async list(prefix, options) {
          const ghosts = [...deleted].filter(([key]) => key.startsWith(prefix));
          const shown = ghosts.map(([key, sizeBytes]) => ({ key, sizeBytes }));
          return [...(await inner.list(prefix, options)), ...shown];
        },
      };
    },
    /once it was deleted: it still has the deleted object/,
  ],
  "complains about deleting what is not there": [
    (inner) => ({
      async delete(key) {
        if ((await inner.get(key)) === undefined)
          throw new DbError("unavailable", "store_refused", "no such thing");
        await inner.delete(key);
      },
    }),
    /deleting it again does no harm: no such thing/,
  ],
  "cuts large objects": [
    (inner) => ({ get: async (key) => (await inner.get(key))?.subarray(0, 2 ** 20) }),
    /8 MiB is read back as it was: 1048576 other bytes/,
  ],
};

suite("the check of a store", () => {
  test("finds nothing wrong with one that keeps the contract", async () => {
    assert.deepEqual(await faultsOf(memoryStore()), []);
  });

  for (const [fault, [faulty, expected]] of Object.entries(FAULTY)) {
    test(`finds one that ${fault}`, async () => {
      const inner = memoryStore();
      const faults = await faultsOf(wrap(inner, faulty(inner)));
      assert.ok(
        faults.some((text) => expected.test(text)),
        faults.join("\n"),
      );
      assert.ok(faults.length < 4, faults.join("\n"));
    });
  }

  test("stays under its prefix, and what it put can be removed", async () => {
    const store = memoryStore();
    await store.put("other/object", utf8("body"));
    await faultsOf(store);
    await measurePace(store, "check/", new HandClock());
    assert.ok((await store.list("check/")).length > 1_000);
    await removeAll(store, "check/");
    assert.deepEqual(await store.list(""), [{ key: "other/object", sizeBytes: 4 }]);
  });
});

suite("the probe of a prefix", () => {
  test("reads what is listed", async () => {
    const store = memoryStore();
    assert.deepEqual(await probePrefix(store, "cluster/"), {
      objectCount: 0,
      readCount: 0,
      fault: undefined,
    });
    for (let number = 1; number <= 100; number += 1)
      await store.put(`cluster/${1_000 + number}`, utf8("body"));
    assert.deepEqual(await probePrefix(store, "cluster/"), {
      objectCount: 100,
      readCount: 20,
      fault: undefined,
    });
  });

  test("finds what is listed and not there, or of another size", async () => {
    const inner = memoryStore();
    await inner.put("cluster/a", utf8("body"));
    const missing = wrap(inner, { get: async () => undefined });
    assert.match(
      (await probePrefix(missing, "cluster/")).fault ?? "",
      /4 bytes of cluster\/a, and it is not there/,
    );
    const short = wrap(inner, { get: async () => utf8("b") });
    assert.match((await probePrefix(short, "cluster/")).fault ?? "", /and 1 were read/);
  });
});

async function faultsOf(store: ObjectStore): Promise<readonly string[]> {
  const faults: string[] = [];
  for await (const { check, fault } of checkStore(store, "check/")) {
    if (fault !== undefined) faults.push(`${check.sentence}: ${fault}`);
  }
  return faults;
}

/** `inner` with some other methods. */
function wrap(inner: ObjectStore, some: Partial<ObjectStore>): ObjectStore {
  return {
    putIfAbsent: (key, body) => inner.putIfAbsent(key, body),
    put: (key, body) => inner.put(key, body),
    get: (key) => inner.get(key),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (key) => inner.delete(key),
    ...some,
  };
}
