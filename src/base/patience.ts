import { DbError } from "./errors.ts";

/** How slowly a client may take an answer. */
export interface PatienceLimits {
  /** How long a client may take nothing at first. */
  readonly answerGraceMs: number;
  /** Bytes a second that it takes at least, over time. */
  readonly answerRateMin: number;
  /** How long it may take nothing at most, whatever it took before. */
  readonly answerStallMsMax: number;
}

/**
 * How much longer a client is waited for that takes an answer too slowly: waiting uses time up, and what the client takes gives it more, a
 * second for each `answerRateMin` bytes.
 *
 * Time is saved up, though not without a bound: what the system's buffers take in counts as taken, and they take megabytes at once and
 * then nothing for long, however evenly the client reads.
 */
export class Patience {
  readonly #limits: PatienceLimits;
  #leftMs: number;

  constructor(limits: PatienceLimits) {
    this.#limits = limits;
    this.#leftMs = Math.min(limits.answerGraceMs, limits.answerStallMsMax);
  }

  /** How long the client may take nothing now. */
  get leftMs(): number {
    return this.#leftMs;
  }

  /** How long the client may leave what buffers hold, once there is no more to send: as long as it might have at first, at least. */
  get lastMs(): number {
    const { answerGraceMs, answerStallMsMax } = this.#limits;
    return Math.max(this.#leftMs, Math.min(answerGraceMs, answerStallMsMax));
  }

  took(sizeBytes: number): void {
    const { answerRateMin, answerStallMsMax } = this.#limits;
    const earnedMs = (sizeBytes / answerRateMin) * 1_000;
    this.#leftMs = Math.min(this.#leftMs + earnedMs, answerStallMsMax);
  }

  waited(durationMs: number): void {
    this.#leftMs = Math.max(0, this.#leftMs - durationMs);
  }

  /** Why its answer is broken off, once no time is left. */
  end(): DbError {
    const { answerRateMin, answerStallMsMax } = this.#limits;
    return new DbError(
      "unavailable",
      "answer_stalled",
      `the client took less than ${answerRateMin} bytes a second of its answer; what was held for it is let go`,
      { detail: { answerRateMin, answerStallMsMax } },
    );
  }
}
