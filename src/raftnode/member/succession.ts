import type { Clock } from "#ports/clock.ts";
import type { Random } from "#ports/random.ts";

/** So long after the leader's connection has ended, half of it or half as much again, a follower campaigns: not all at once. */
const PAUSE_MS = 150;

export interface SuccessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends what waits. */
  readonly signal: AbortSignal;
  /** Campaigns, unless there is a leader again. */
  readonly campaign: () => void;
}

/** Looks for another leader when the connection of the last one has ended: long before it is missed. */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #waiting = new Set<Promise<void>>();

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  begin(): void {
    const waiting = this.#wait().finally(() => this.#waiting.delete(waiting));
    this.#waiting.add(waiting);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#waiting);
  }

  async #wait(): Promise<void> {
    const { campaign, clock, random, signal } = this.#options;
    await clock.sleep(PAUSE_MS * (0.5 + random.next()), signal).catch(() => undefined);
    if (!signal.aborted) campaign();
  }
}
