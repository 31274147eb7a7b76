import type { ObjectStore } from "#ports/object-store.ts";

const DELETES_AT_ONCE = 8;

/** Deletes `keys`; those that are gone already are none the less deleted. Rejects at the first failure; what is left is tried again later. */
export async function deleteAll(
  store: ObjectStore,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let index = 0; index < keys.length; index += DELETES_AT_ONCE) {
    signal.throwIfAborted();
    const some = keys.slice(index, index + DELETES_AT_ONCE);
    await Promise.all(some.map((key) => store.delete(key)));
  }
}
