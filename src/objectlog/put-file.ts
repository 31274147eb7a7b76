import { isKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import { isStoreClosed, type ObjectStore } from "#ports/object-store.ts";

const RETRY_MS = 200;

/**
 * Puts a data file under its name, which nobody else uses, again while the store does not answer: finding it there means that an earlier try
 * arrived. Rejects with the reason of `signal`, or as the store does where asking again does not help; the object may be there then.
 */
export async function putFile(
  { clock, store }: { readonly store: ObjectStore; readonly clock: Clock },
  { bytes, key }: { readonly key: string; readonly bytes: Uint8Array },
  signal: AbortSignal,
): Promise<void> {
  while (true) {
    signal.throwIfAborted();
    try {
      await store.putIfAbsent(key, bytes);
      return;
    } catch (error) {
      if (isKind(error, "conflict")) return;
      if (!isKind(error, "unavailable") || isStoreClosed(error)) throw error;
    }
    await clock.sleep(RETRY_MS, signal);
  }
}
