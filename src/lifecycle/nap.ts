import type { Clock } from "#ports/clock.ts";

/** The pause of a loop, which somebody may end before its time. One at a time. */
export class Nap {
  readonly #clock: Clock;
  /** Undefined while nobody naps. */
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the nap of now; none that comes later. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves after `delayMs`, when somebody calls `wake`, or when `signal` is aborted. */
  async take(delayMs: number, signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const wake = () => end.abort();
    this.#wake = wake;
    signal.addEventListener("abort", wake, { once: true });
    if (signal.aborted) wake();
    await this.#clock.sleep(delayMs, end.signal).catch(() => undefined);
    signal.removeEventListener("abort", wake);
    this.#wake = undefined;
  }
}
