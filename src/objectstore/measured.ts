import { DbError, type ErrorKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { ObjectStore } from "#ports/object-store.ts";

export type StoreOperation = "put_if_absent" | "put" | "get" | "list" | "delete";

/** `ok`, or the kind of the error; `not_found` also for a get that found nothing. */
export type StoreOutcome = "ok" | ErrorKind;

/** Receives one operation after it ended. `sizeBytes` counts the body sent or received, 0 where there is none. */
export type StoreObserver = (
  operation: StoreOperation,
  outcome: StoreOutcome,
  durationMs: number,
  sizeBytes: number,
) => void;

/** `inner`, with every operation reported to `observe`. Below retryingStore it sees attempts, above it operations. */
export function measuredStore(
  inner: ObjectStore,
  clock: Clock,
  observe: StoreObserver,
): ObjectStore {
  async function measure<T>(
    operation: StoreOperation,
    call: () => Promise<T>,
    describe: (value: T) => { outcome?: StoreOutcome; sizeBytes: number },
  ): Promise<T> {
    const startMs = clock.monotonicMs();
    let value: T;
    try {
      value = await call();
    } catch (error) {
      const kind = error instanceof DbError ? error.kind : "internal";
      observe(operation, kind, clock.monotonicMs() - startMs, 0);
      throw error;
    }
    const { outcome = "ok", sizeBytes } = describe(value);
    observe(operation, outcome, clock.monotonicMs() - startMs, sizeBytes);
    return value;
  }

  return {
    putIfAbsent: (key, body) =>
      measure(
        "put_if_absent",
        () => inner.putIfAbsent(key, body),
        () => ({ sizeBytes: body.length }),
      ),
    put: (key, body) =>
      measure(
        "put",
        () => inner.put(key, body),
        () => ({ sizeBytes: body.length }),
      ),
    get: (key) =>
      measure(
        "get",
        () => inner.get(key),
        (body) => (body ? { sizeBytes: body.length } : { outcome: "not_found", sizeBytes: 0 }),
      ),
    list: (prefix, options) =>
      measure(
        "list",
        () => inner.list(prefix, options),
        () => ({ sizeBytes: 0 }),
      ),
    delete: (key) =>
      measure(
        "delete",
        () => inner.delete(key),
        () => ({ sizeBytes: 0 }),
      ),
  };
}
