import { equalBytes, hex, utf8 } from "#base/bytes.ts";
import { DbError, isKind } from "#base/errors.ts";
import { isStoreClosed, type ObjectStore } from "#ports/object-store.ts";
import { type Random, randomBytes } from "#ports/random.ts";

/**
 * A put if absent whose answer is lost is not repeated under its name, and one of a fresh name that is refused was repeated on its way; the
 * probe takes another name then, this often.
 */
const ATTEMPT_COUNT_MAX = 3;

/**
 * Whether `store` keeps the promise that everything rests on: a second put-if-absent of one key is refused and leaves the
 * first body. Uses objects of fresh names that begin with `prefix`, and removes them. Rejects as the store does, or with
 * `corrupt` / `object_damaged` where neither body comes back.
 */
export async function probePutIfAbsent(
  store: ObjectStore,
  prefix: string,
  random: Random,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await probeOnce(store, `${prefix}probe-${hex(randomBytes(random, 16))}`);
    } catch (error) {
      const passing =
        isKind(error, "conflict") || (isKind(error, "unavailable") && !isStoreClosed(error));
      if (!passing || attempt === ATTEMPT_COUNT_MAX) throw error;
    }
  }
}

async function probeOnce(store: ObjectStore, key: string): Promise<boolean> {
  const first = utf8("first");
  const second = utf8("second");
  try {
    await store.putIfAbsent(key, first);
    if (!(await isRefused(store, key, second))) return false;
    const kept = await store.get(key);
    if (kept !== undefined && equalBytes(kept, first)) return true;
    if (kept !== undefined && equalBytes(kept, second)) return false;
    // Neither body: that says nothing of conditions, but that what was stored does not come back.
    throw new DbError(
      "corrupt",
      "object_damaged",
      `object ${key} was put just now and is not read back as it was: the object store loses or changes bytes`,
      { detail: { key } },
    );
  } finally {
    // The answer stands without it; a probe left behind is a few bytes under a name that is never used again.
    await store.delete(key).catch(() => undefined);
  }
}

async function isRefused(store: ObjectStore, key: string, body: Uint8Array): Promise<boolean> {
  try {
    await store.putIfAbsent(key, body);
    return false;
  } catch (error) {
    if (isKind(error, "conflict")) return true;
    throw error;
  }
}
