import type { Clock } from "#ports/clock.ts";

/** Something that is waited for. */
export interface Watched {
  /** Says that it moved: its time begins anew. */
  moved(): void;
  /** Forgets it. */
  end(): void;
}

interface Wait {
  movedMs: number;
  readonly stallMsMax: number;
  readonly onStall: () => void;
}

/**
 * Notices clients that neither send nor take anything for too long.
 *
 * One loop looks at all waits every `checkMs`, so that a request costs no timer of its own; a stall is noticed up to that late.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #checkMs: number;
  readonly #waits = new Set<Wait>();

  constructor(clock: Clock, checkMs: number) {
    this.#clock = clock;
    this.#checkMs = checkMs;
  }

  /** Calls `onStall` once when nothing moves for `stallMsMax`. */
  begin(stallMsMax: number, onStall: () => void): Watched {
    const wait: Wait = { movedMs: this.#clock.monotonicMs(), stallMsMax, onStall };
    this.#waits.add(wait);
    return {
      moved: () => {
        wait.movedMs = this.#clock.monotonicMs();
      },
      end: () => {
        this.#waits.delete(wait);
      },
    };
  }

  /** Looks until `signal` is aborted, and then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#checkMs, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      this.#check();
    }
  }

  #check(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const wait of this.#waits) {
      if (nowMs - wait.movedMs < wait.stallMsMax) continue;
      this.#waits.delete(wait);
      wait.onStall();
    }
  }
}
