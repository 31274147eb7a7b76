import type { Clock } from "#ports/clock.ts";
import type { Random } from "#ports/random.ts";

/** So long after the leader's connection has ended, half of it or half as much again, a follower campaigns: not all at once. */
const PAUSE_MS = 150;
/** Two that campaign at once may both lose: so often each tries, before it waits as long as for a leader that is missed. */
const CAMPAIGN_COUNT_MAX = 4;

export interface SuccessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends what waits. */
  readonly signal: AbortSignal;
  /** Campaigns, unless there is a leader again, and answers whether it did. */
  readonly campaign: () => boolean;
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
    for (let count = 0; count < CAMPAIGN_COUNT_MAX; count += 1) {
      await clock.sleep(PAUSE_MS * (0.5 + random.next()), signal).catch(() => undefined);
      if (signal.aborted || !campaign()) return;
    }
  }
}
