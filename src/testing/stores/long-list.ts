import assert from "node:assert/strict";
import { utf8 } from "#base/bytes.ts";
import type { ObjectStore } from "#ports/object-store.ts";

/** Makes more objects in an empty store than a page of a cloud's list holds, and checks that lists of them are whole. */
export async function checkLongList(store: ObjectStore): Promise<void> {
  const keys = Array.from({ length: 1_050 }, (_, index) => `log/${10_000 + index}`);
  await Promise.all(keys.map((key) => store.putIfAbsent(key, utf8("1"))));
  const listed = await store.list("log/");
  assert.deepEqual(
    listed.map(({ key }) => key),
    keys,
  );
  const [last] = await store.list("", { after: "log/11048", countMax: 2 });
  assert.equal(last?.key, "log/11049");
}
