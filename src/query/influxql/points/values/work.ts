import { setImmediate } from "node:timers/promises";
import { DbError } from "#base/errors.ts";

/** Steps of some ten nanoseconds, after which others have their turn: some milliseconds. */
const STEPS_A_TURN = 300_000;
const BLOCK_ROWS = 4096;
/** What a row of a column costs. */
const ROW_STEPS = 10;
/** Of all fits of a statement: some thirty seconds. */
const FIT_STEPS_MAX = 3_000_000_000;

/** The work of one statement in JavaScript: when others have their turn meanwhile, and how much of it may be. */
export class Work {
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  #steps = 0;
  #fitSteps = 0;

  /** `signal`: of the statement. */
  constructor(signal: AbortSignal) {
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Notes steps that are done. A promise: others have their turn until it resolves; it rejects with the signal's reason. */
  did(steps: number): Promise<void> | undefined {
    this.#steps += steps;
    return this.#steps < STEPS_A_TURN ? undefined : this.#turn();
  }

  /** As `did`, of steps of a fit. Throws `exceeded` / `influxql_forecast_too_long`. */
  didFit(steps: number): Promise<void> | undefined {
    this.#fitSteps += steps;
    if (this.#fitSteps > FIT_STEPS_MAX) throw tooMuchFitting();
    return this.did(steps);
  }

  /** Calls `each` for rows `start` to before `end`, one block after the other, until all `count` had theirs. */
  async inBlocks(count: number, each: (start: number, end: number) => void): Promise<void> {
    for (let start = 0; start < count; start += BLOCK_ROWS) {
      const end = Math.min(count, start + BLOCK_ROWS);
      each(start, end);
      await this.did((end - start) * ROW_STEPS);
    }
  }

  /** Ends what is at work at its next turn: nobody waits for it. */
  stop(): void {
    this.#stop.abort();
  }

  async #turn(): Promise<void> {
    this.#steps = 0;
    await setImmediate();
    this.#signal.throwIfAborted();
  }
}

function tooMuchFitting(): DbError {
  return new DbError(
    "exceeded",
    "influxql_forecast_too_long",
    `holt_winters() of all series together needs more than ${FIT_STEPS_MAX} steps: ask for fewer series, larger buckets, a shorter time range or a shorter season`,
    { detail: { max: FIT_STEPS_MAX } },
  );
}
