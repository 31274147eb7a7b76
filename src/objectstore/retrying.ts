import { isKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import { isStoreClosed, type ObjectStore } from "#ports/object-store.ts";
import type { Random } from "#ports/random.ts";

export interface RetryOptions {
  /** Calls of the inner store for one operation, the first included. */
  readonly attemptCountMax?: number;
  /** The wait before the second attempt is up to this; it doubles for each later one. */
  readonly delayMs?: number;
  readonly delayMsMax?: number;
  /** No attempt begins later than this after the first one did. */
  readonly durationMsMax?: number;
}

/**
 * `inner`, with what is `unavailable` tried again after a random wait (exponential, capped, full jitter); the last failure
 * is passed on. A store that refuses (full, denied, not there) goes on to for a while, so that is passed on at once.
 *
 * putIfAbsent is never repeated here. When its answer is lost, the object may be there or come later, and a second
 * attempt would meet it and report `conflict` for the caller's own success. Only the caller knows the nonce that tells
 * its body from another's, so only the caller can settle that by reading the object back.
 */
export function retryingStore(
  inner: ObjectStore,
  clock: Clock,
  random: Random,
  options: RetryOptions = {},
): ObjectStore {
  const { attemptCountMax = 5, delayMs = 50, delayMsMax = 2_000 } = options;
  const { durationMsMax = Number.POSITIVE_INFINITY } = options;

  async function retry<T>(call: () => Promise<T>): Promise<T> {
    const startMs = clock.monotonicMs();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (attempt >= attemptCountMax || !isPassing(error)) throw error;
        const waitMs = random.next() * Math.min(delayMsMax, delayMs * 2 ** (attempt - 1));
        if (clock.monotonicMs() + waitMs - startMs > durationMsMax) throw error;
        await clock.sleep(waitMs);
      }
    }
  }

  return {
    putIfAbsent: (key, body) => inner.putIfAbsent(key, body),
    put: (key, body) => retry(() => inner.put(key, body)),
    get: (key) => retry(() => inner.get(key)),
    list: (prefix, listOptions) => retry(() => inner.list(prefix, listOptions)),
    delete: (key) => retry(() => inner.delete(key)),
  };
}

function isPassing(error: unknown): boolean {
  return isKind(error, "unavailable") && !isStoreClosed(error);
}
