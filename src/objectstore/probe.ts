import { equalBytes, hex, utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { type Random, randomBytes } from "#ports/random.ts";

/**
 * Whether `store` keeps the promise that everything rests on: a second put-if-absent of one key is refused and leaves the
 * first body. Uses one object of a fresh name that begins with `prefix`, and removes it. Rejects as the store does.
 */
export async function probePutIfAbsent(
  store: ObjectStore,
  prefix: string,
  random: Random,
): Promise<boolean> {
  const key = `${prefix}probe-${hex(randomBytes(random, 16))}`;
  const first = utf8("first");
  try {
    await store.putIfAbsent(key, first);
    if (!(await isRefused(store, key))) return false;
    const kept = await store.get(key);
    return kept !== undefined && equalBytes(kept, first);
  } finally {
    // The answer stands without it; a probe left behind is a few bytes under a name that is never used again.
    await store.delete(key).catch(() => undefined);
  }
}

async function isRefused(store: ObjectStore, key: string): Promise<boolean> {
  try {
    await store.putIfAbsent(key, utf8("second"));
    return false;
  } catch (error) {
    if (isKind(error, "conflict")) return true;
    throw error;
  }
}
