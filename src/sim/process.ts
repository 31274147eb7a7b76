import type { Clock } from "#ports/clock.ts";
import type { World } from "./world.ts";

const DAY_ONE_NS = 1_767_225_600_000_000_000n;

/**
 * One run of a program in the world: it can be paused, and killed at any of its waits. What it asked of the outside before
 * still happens there; it never hears of it.
 */
export class Process {
  readonly world: World;
  readonly clock: Clock;
  #alive = true;
  #resumeMs = 0;
  #skewMs: number;

  constructor(world: World, skewMs: number) {
    this.world = world;
    this.#skewMs = skewMs;
    this.clock = {
      nowNs: () => DAY_ONE_NS + BigInt(Math.round(world.nowMs + this.#skewMs)) * 1_000_000n,
      monotonicMs: () => world.nowMs,
      sleep: (delayMs, signal) => this.#sleep(delayMs, signal),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends it as `kill -9` does. */
  kill(): void {
    this.#alive = false;
  }

  /** Nothing reaches it for `durationMs`. */
  pause(durationMs: number): void {
    this.#resumeMs = Math.max(this.#resumeMs, this.world.nowMs + durationMs);
  }

  /** Whether nothing reaches it now. */
  get paused(): boolean {
    return this.#resumeMs > this.world.nowMs;
  }

  /** Its wall clock moves, forward or back. */
  jumpClock(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** Has `effect` done outside in `delayMs`, and resolves or rejects as it does, if the process is there to hear. */
  call<T>(delayMs: number, effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.#alive) return;
      this.world.schedule(delayMs, () => {
        try {
          const value = effect();
          this.#deliver(() => resolve(value));
        } catch (error) {
          this.#deliver(() => reject(error));
        }
      });
    });
  }

  #sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (!this.#alive) return;
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.world.schedule(Math.max(0, delayMs), () => {
        signal?.removeEventListener("abort", onAbort);
        this.#deliver(resolve);
      });
    });
  }

  #deliver(run: () => void): void {
    if (!this.#alive) return;
    const restMs = this.#resumeMs - this.world.nowMs;
    if (restMs > 0) this.world.schedule(restMs, () => this.#deliver(run));
    else run();
  }
}
