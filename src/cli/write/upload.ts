import { DbError } from "#base/errors.ts";
import type { Batch, Place } from "./batches.ts";

export interface UploadOptions {
  /** Requests at a time. */
  readonly concurrency: number;
  /** Sends one batch; resolves when its good lines are stored. Ends its waiting when the signal is aborted. */
  readonly send: (batch: Batch, signal: AbortSignal) => Promise<void>;
  /** Aborted: no further batch is begun. */
  readonly signal: AbortSignal;
}

/** Batches that may be stored beyond the first that is not, for each request at a time. */
const AHEAD_MAX = 4;

/** Sends batches, several at a time, and knows up to where the input is stored. */
export class Upload {
  /** Where the first batch begins, once there is one. */
  start: Place | undefined;
  /** All lines from `start` to here are stored. */
  stored: Place | undefined;
  /** Of all batches that are stored. */
  rowCount = 0;
  byteCount = 0;
  readonly #options: UploadOptions;
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;
  /** Batches from the first that is not stored on, in the order of the input. */
  readonly #open: OpenBatch[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(options: UploadOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#failed.signal]);
  }

  /** Whether it is known that nothing behind `stored` is. */
  get isExact(): boolean {
    return this.#open.every(({ state }) => state === "refused");
  }

  /**
   * Sends all of `batches`. The first failure ends it, as the signal does: what is on its way is waited for. Resolves with
   * whether all is stored, which it is unless the signal stopped it; rejects with the first failure.
   */
  async run(batches: AsyncIterable<Batch>): Promise<boolean> {
    let sentAll = false;
    try {
      sentAll = await this.#sendAll(batches);
    } catch (error) {
      // A read that the signal ended is no failure.
      if (!this.#options.signal.aborted) this.#failed.abort(error);
    }
    await Promise.all(this.#running);
    this.#failed.signal.throwIfAborted();
    return sentAll && this.#open.length === 0;
  }

  async #sendAll(batches: AsyncIterable<Batch>): Promise<boolean> {
    // The next batch is read while others are on their way.
    for await (const batch of batches) {
      await this.#untilRoom();
      if (this.#signal.aborted) return false;
      this.#begin(batch);
    }
    return true;
  }

  async #untilRoom(): Promise<void> {
    const { concurrency } = this.#options;
    while (this.#running.size >= concurrency) await Promise.race(this.#running);
    while (this.#open.length >= concurrency * AHEAD_MAX && !this.#signal.aborted) {
      await this.#open[0]?.sending;
    }
  }

  #begin(batch: Batch): void {
    this.start ??= batch.start;
    this.stored ??= batch.start;
    const open: OpenBatch = { end: batch.end, state: "unknown", sending: Promise.resolve() };
    this.#open.push(open);
    open.sending = this.#send(batch, open);
    this.#running.add(open.sending);
    void open.sending.finally(() => this.#running.delete(open.sending));
  }

  /** Never rejects. */
  async #send(batch: Batch, open: OpenBatch): Promise<void> {
    try {
      await this.#options.send(batch, this.#signal);
    } catch (error) {
      if (isRefusal(error)) open.state = "refused";
      if (!this.#signal.aborted) this.#failed.abort(error);
      return;
    }
    open.state = "stored";
    this.rowCount += batch.rowCount;
    this.byteCount += batch.bytes.length;
    while (this.#open[0]?.state === "stored") this.stored = this.#open.shift()?.end;
  }
}

interface OpenBatch {
  readonly end: Place;
  /** Of a write whose answer was lost, or which the node could not finish, nobody knows. */
  state: "stored" | "refused" | "unknown";
  sending: Promise<void>;
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof DbError &&
    error.code === "server_refused" &&
    Number(error.detail["status"]) < 500
  );
}
