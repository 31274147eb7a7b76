import { createHash } from "node:crypto";
import { assert } from "#base/errors.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** What a world can do to those who live in it; each is counted when it is done. */
export type FaultKind =
  | "store_error"
  | "store_lost_answer"
  | "store_late_put"
  | "store_slow"
  | "store_late_answer"
  | "store_stale_list"
  | "store_reordered"
  | "damaged_read"
  | "crash"
  | "crash_in_start"
  | "engine_crash"
  | "pause"
  | "twin"
  | "stop_asked"
  | "closed_dead"
  | "closed_twice"
  | "closed_paused"
  | "removed"
  | "clock_jump"
  | "clock_hour"
  | "peer_silence"
  | "office_misheard"
  | "office_held"
  | "network_cut"
  | "pair_cut"
  | "standing_lost"
  | "standing_late"
  | "push_lost"
  | "push_delayed"
  | "push_doubled"
  | "push_reordered"
  | "push_forged";

/** One seeded universe of virtual time and chance. Nothing in it happens but by its events, in their order. */
export class World {
  readonly random: Random;
  readonly counts = new Map<FaultKind, number>();
  readonly #trace = createHash("sha256");
  readonly #events: Event[] = [];
  #nowMs = 0;
  #order = 0;
  #eventCount = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Milliseconds since this world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get eventCount(): number {
    return this.#eventCount;
  }

  /** A digest of all that was noted so far: equal seeds give equal digests. */
  get digest(): string {
    return this.#trace.copy().digest("hex");
  }

  /** Adds to the trace. */
  note(what: string): void {
    this.#trace.update(`${this.#nowMs} ${what}\n`);
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.note(kind);
  }

  /** True once in `1 / chance` times. */
  chance(chance: number): boolean {
    return this.random.next() < chance;
  }

  below(limit: number): number {
    return below(this.random, limit);
  }

  /** Runs `run` in `delayMs` of virtual time. */
  schedule(delayMs: number, run: () => void): void {
    const event = { atMs: this.#nowMs + delayMs, order: this.#order++, run };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle] as Event;
      // The list is sorted backwards, so that the next event is popped from its end.
      if (other.atMs > event.atMs || (other.atMs === event.atMs && other.order > event.order))
        low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  /** Resolves after `delayMs` of virtual time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delayMs, resolve));
  }

  /** Lets virtual time run until `work` settles; rejects when nothing is left to happen. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    while (true) {
      await drainMicrotasks();
      if (settled) return done;
      const event = this.#events.pop();
      assert(event !== undefined, "the world stands still: work waits for something outside it");
      this.#nowMs = event.atMs;
      this.#eventCount += 1;
      event.run();
    }
  }
}

/** Lets every promise that is ready now run to its next wait. */
function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
