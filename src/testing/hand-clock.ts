import type { Clock } from "#ports/clock.ts";

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that a test moves by hand. */
export class HandClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #nowMs = 0;

  nowNs(): bigint {
    return 1_767_225_600_000_000_000n + BigInt(Math.round(this.#nowMs * 1e6));
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const wake = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleeper: Sleeper = { atMs: this.#nowMs + delayMs, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** How many sleep now: what outlives its work shows here. */
  get sleeperCount(): number {
    return this.#sleepers.size;
  }

  /** Lets `durationMs` pass; those whose time has come wake in order, and run as far as they can. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    while (true) {
      await settle();
      const [next] = [...this.#sleepers].toSorted((left, right) => left.atMs - right.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#sleepers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets everything that is ready run until it waits for time, or for nothing. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++)
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
}
