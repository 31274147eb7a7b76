import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { manifestMachine } from "#manifest/manifest-state.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { storeWith } from "#testing/logs.ts";
import { Leftovers } from "./leftovers.ts";

const EMPTY = manifestMachine.empty;
const FOREVER = new AbortController().signal;

/** A hundred files that no entry names, in a store whose deletions are as `onDelete` says. */
async function leftIn(onDelete: () => Promise<void> = async () => undefined) {
  const inner = memoryStore();
  const keys = Array.from({ length: 100 }, (_, index) => `files/${index}`);
  for (const key of keys) await inner.put(key, Uint8Array.of(1));
  const leftovers = new Leftovers();
  leftovers.add(keys);
  const store = storeWith(inner, {
    delete: async (key) => {
      await onDelete();
      await inner.delete(key);
    },
  });
  const countLeft = async () => (await inner.list("files/")).length;
  return { countLeft, leftovers, store };
}

suite("files that no entry names", () => {
  test("are deleted", async () => {
    const { countLeft, leftovers, store } = await leftIn();
    await leftovers.clear(store, EMPTY, FOREVER);
    assert.equal(await countLeft(), 0);
  });

  test("wait for the next time once the work is to end, and where the store refuses", async () => {
    const end = new AbortController();
    let refuses = false;
    const { countLeft, leftovers, store } = await leftIn(async () => {
      if (refuses) throw new DbError("denied", "store_denied", "not this key");
      end.abort();
    });
    await leftovers.clear(store, EMPTY, end.signal);
    const left = await countLeft();
    assert.ok(left > 80, `${left}: a few were on their way`);
    refuses = true;
    await leftovers.clear(store, EMPTY, FOREVER);
    assert.equal(await countLeft(), left);
    refuses = false;
    await leftovers.clear(store, EMPTY, FOREVER);
    assert.equal(await countLeft(), 0);
  });

  test("hide no bug", async () => {
    const { leftovers, store } = await leftIn(() => Promise.reject(new TypeError("a slip")));
    await assert.rejects(leftovers.clear(store, EMPTY, FOREVER), TypeError);
  });
});
