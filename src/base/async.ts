import { assert } from "./errors.ts";

/** Runs one function at a time, in the order they came. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `work` does, after all earlier work has settled. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** Lets at most `countMax` holders in; the others wait in the order they came. */
export class Semaphore {
  #countMax = 0;
  #heldCount = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(countMax: number) {
    this.countMax = countMax;
  }

  get countMax(): number {
    return this.#countMax;
  }

  /** More lets in at once who waits; fewer puts nobody out, but lets nobody in until enough have left. */
  set countMax(countMax: number) {
    assert(countMax > 0, "a semaphore lets at least one in");
    this.#countMax = countMax;
    this.#letIn();
  }

  /** Holders that wait now. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when the caller is in, with the function that lets it out; calling that twice is harmless.
   * Rejects with the reason of `abort` when that comes first.
   */
  async acquire(abort?: AbortSignal): Promise<() => void> {
    abort?.throwIfAborted();
    if (this.#heldCount < this.#countMax) this.#heldCount += 1;
    else await this.#wait(abort);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#leave();
    };
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  }

  async #wait(abort: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (abort === undefined) return promise;
    try {
      await untilAborted(promise, abort);
    } catch (error) {
      const index = this.#waiting.indexOf(resolve);
      // A place that was given in the same instant goes to the next one.
      if (index < 0) this.#leave();
      else this.#waiting.splice(index, 1);
      throw error;
    }
  }

  #leave(): void {
    this.#heldCount -= 1;
    this.#letIn();
  }

  #letIn(): void {
    while (this.#heldCount < this.#countMax) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#heldCount += 1;
      next();
    }
  }
}

/** Lets holders in as long as they fit together, in the order they came; one that is larger than all alone. */
export class Budget {
  readonly #sizeMax: number;
  #heldSize = 0;
  readonly #waiting: { readonly size: number; readonly letIn: () => void }[] = [];

  constructor(sizeMax: number) {
    assert(sizeMax > 0, "a budget has room for something");
    this.#sizeMax = sizeMax;
  }

  /** Does `work` when there is room for `size` of it. */
  async run<T>(size: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((letIn) => {
      this.#waiting.push({ size, letIn });
      this.#letIn();
    });
    try {
      return await work();
    } finally {
      this.#heldSize -= size;
      this.#letIn();
    }
  }

  #letIn(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      if (this.#heldSize > 0 && this.#heldSize + next.size > this.#sizeMax) return;
      this.#waiting.shift();
      this.#heldSize += next.size;
      next.letIn();
    }
  }
}

/**
 * A condition that others wait for: `notify` wakes all who wait now, and they look again.
 * What they wait for lives elsewhere; a signal carries nothing.
 */
export class Signal {
  /** Whoever gives up leaves it, so that a signal that never comes keeps nothing. */
  #waiting = new Set<() => void>();

  notify(): void {
    const woken = this.#waiting;
    this.#waiting = new Set();
    for (const wake of woken) wake();
  }

  /** Resolves at the next `notify`; rejects with the reason of `abort` when that comes first. */
  async wait(abort?: AbortSignal): Promise<void> {
    abort?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting;
    waiting.add(resolve);
    if (abort === undefined) return promise;
    try {
      await untilAborted(promise, abort);
    } finally {
      waiting.delete(resolve);
    }
  }
}

/**
 * What `work` makes of each of `items`, in their order; at most `countMax` at once. After a failure it begins no more, and rejects with it
 * when all that were begun have ended.
 */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  countMax: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  assert(countMax > 0, "at least one is at work");
  const results: Result[] = [];
  const failures: unknown[] = [];
  const rest = items.entries();
  const take = async () => {
    for (const [index, item] of rest) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(countMax, items.length) }, take));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** As `work` settles, or rejects with the reason of `signal` when that is aborted first; `work` then goes on, unheard. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
