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
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(countMax: number) {
    assert(countMax > 0, "a semaphore lets at least one in");
    this.#free = countMax;
  }

  /** Holders that wait now. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Resolves when the caller is in, with the function that lets it out; calling that twice is harmless. */
  async acquire(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
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
}

/**
 * A condition that others wait for: `notify` wakes all who wait now, and they look again.
 * What they wait for lives elsewhere; a signal carries nothing.
 */
export class Signal {
  #gate = Promise.withResolvers<void>();

  notify(): void {
    this.#gate.resolve();
    this.#gate = Promise.withResolvers<void>();
  }

  /** Resolves at the next `notify`; rejects with the reason of `abort` when that comes first. */
  async wait(abort?: AbortSignal): Promise<void> {
    if (abort === undefined) return this.#gate.promise;
    abort.throwIfAborted();
    const stopped = Promise.withResolvers<never>();
    const onAbort = () => stopped.reject(abort.reason);
    abort.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#gate.promise, stopped.promise]);
    } finally {
      abort.removeEventListener("abort", onAbort);
    }
  }
}
