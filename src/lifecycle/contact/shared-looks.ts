import { describeError, isKind } from "#base/errors.ts";
import type { Position } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import { Nap } from "../nap.ts";
import type { LogEnd } from "./standing.ts";

/** A shared log as this process reads it: the catalog, or the manifest. */
export interface SharedReader {
  readonly state: { readonly position: Position };
  /** By the monotonic clock: what stood in the log then is in the state. */
  readonly wholeMs: number;
  /** Reads on to the tail of now. */
  refresh(): Promise<unknown>;
  /** Does the housekeeping that is due, if any is. */
  keep(): Promise<void>;
}

export interface SharedLooksOptions {
  readonly reader: SharedReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How old what is known of the log's end may be while somebody may have written who is not heard. */
  readonly intervalMs: number;
  /** How old it may be otherwise; up to twice as old, by chance, so that nodes do not look at the same time. */
  readonly quietMs: number;
  readonly isQuiet: () => boolean;
}

const TICK_MS = 1_000;

/**
 * When a shared log is looked at in the store: when somebody knows more of it, and when nobody has looked for too long.
 *
 * What others say of its end comes with its age, so one look serves all who hear of it, and no age is lost on the way.
 */
export class SharedLooks {
  readonly #options: SharedLooksOptions;
  readonly #nap: Nap;
  /** The highest position that somebody named, until it was looked for. */
  #named: Position = 0;
  /** As `SharedReader.wholeMs`, by what others said. */
  #heardMs = Number.NEGATIVE_INFINITY;
  /** How old what is known may be this time. */
  #quietMs: number;

  constructor(options: SharedLooksOptions) {
    this.#options = options;
    this.#nap = new Nap(options.clock);
    this.#quietMs = this.#drawQuiet();
  }

  /** The end of the log, as far as is known here. */
  get end(): LogEnd {
    const { clock, reader } = this.#options;
    const ageMs = Math.max(0, clock.monotonicMs() - this.#wholeMs);
    return { position: reader.state.position, ageMs };
  }

  /** Somebody who was asked at `askedMs` answered that the log ends so. */
  hear({ position, ageMs }: LogEnd, askedMs: number): void {
    const { quietMs, reader } = this.#options;
    this.hearPosition(position);
    // Whoever knows less than the state says nothing new of it, and all that was there then is in the state.
    if (position > reader.state.position) return;
    const wholeMs = askedMs - ageMs;
    // Somebody has looked: who is next is open again.
    if (wholeMs - this.#wholeMs > quietMs / 2) this.#quietMs = this.#drawQuiet();
    this.#heardMs = Math.max(this.#heardMs, wholeMs);
  }

  /** Somebody says that the log goes up to `position`: it is looked for at once. True or not, nothing else comes of it. */
  hearPosition(position: Position): void {
    if (position <= this.#options.reader.state.position) return;
    this.#named = Math.max(this.#named, position);
    this.#nap.wake();
  }

  /** Reads the log along until `signal` is aborted. Rejects with damage, and with what ends this process. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs, log, reader } = this.#options;
    for (let failed = false; !signal.aborted; ) {
      // What was named while this process was busy woke nobody. After a failure even that waits.
      if (failed || !this.#isAhead) await this.#nap.take(Math.min(TICK_MS, intervalMs), signal);
      if (signal.aborted) return;
      try {
        failed = false;
        if (this.#isDue()) await this.#look();
        await reader.keep();
      } catch (error) {
        if (!isKind(error, "unavailable")) throw error;
        failed = true;
        log.debug("the object store did not answer", { reason: describeError(error) });
      }
    }
  }

  get #wholeMs(): number {
    return Math.max(this.#options.reader.wholeMs, this.#heardMs);
  }

  /** Whether somebody has named a position that is yet to be looked for. */
  get #isAhead(): boolean {
    return this.#named > this.#options.reader.state.position;
  }

  #isDue(): boolean {
    const { clock, intervalMs, isQuiet } = this.#options;
    if (this.#isAhead) return true;
    const ageMsMax = isQuiet() ? Math.max(intervalMs, this.#quietMs) : intervalMs;
    return clock.monotonicMs() - this.#wholeMs >= ageMsMax;
  }

  async #look(): Promise<void> {
    const named = this.#named;
    await this.#options.reader.refresh();
    // What is not there now was never there: it is not looked for again and again.
    if (this.#named === named) this.#named = 0;
    this.#quietMs = this.#drawQuiet();
  }

  #drawQuiet(): number {
    const { quietMs, random } = this.#options;
    return quietMs * (1 + random.next());
  }
}
