import { inTurns } from "#base/async.ts";
import type { ObjectStore } from "#ports/object-store.ts";

const DELETES_AT_ONCE = 8;

/**
 * Deletes `keys`; those that are gone already are none the less deleted. Rejects with the first failure, or the reason of `signal`, when
 * nothing is on its way any more; what is left is tried again later.
 */
export async function deleteAll(
  store: ObjectStore,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  await inTurns(keys, DELETES_AT_ONCE, async (key) => {
    signal?.throwIfAborted();
    await store.delete(key);
  });
}
