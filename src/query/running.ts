import type { Semaphore } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { QueryRecord } from "./query-log.ts";

export interface RunningOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Since when its time counts; now unless given. */
  readonly startMs?: number | undefined;
  /** Told of stored objects that turned out to be damaged. */
  readonly onDamage: (error: DbError) => void;
}

/** Queries that may wait for others to end. */
const WAITING_COUNT_MAX = 1_000;

/**
 * One query from its arrival to its end: its time, its place among the others, its view, and its rows, which it gives one batch
 * after the other. It ends with its rows, when they are let go, or when its signal is aborted, though nobody asks for rows.
 */
export class Running<Rows> implements AsyncIterableIterator<Rows, undefined> {
  /** Aborted when the client leaves, the time is over, or somebody kills it. */
  readonly signal: AbortSignal;
  readonly #options: RunningOptions;
  readonly #record: QueryRecord;
  /** Aborted when the client leaves. */
  readonly #client: AbortSignal;
  readonly #stop = new AbortController();
  #leave: (() => void) | undefined;
  #view: Disposable | undefined;
  #rows: AsyncIterator<Rows> | undefined;
  #first: IteratorResult<Rows> | undefined;
  #failed = false;
  #ended: Promise<void> | undefined;

  constructor(options: RunningOptions, record: QueryRecord, signal: AbortSignal) {
    const { clock, timeoutMs } = options;
    const nowMs = clock.monotonicMs();
    const leftMs = Math.max(0, (options.startMs ?? nowMs) + timeoutMs - nowMs);
    const timeout = new AbortController();
    this.#options = options;
    this.#record = record;
    this.#client = signal;
    this.signal = AbortSignal.any([signal, timeout.signal, record.killed]);
    const end = () => timeout.abort(queryTimeout(timeoutMs));
    if (leftMs === 0) end();
    else
      clock.sleep(leftMs, AbortSignal.any([signal, this.#stop.signal])).then(end, () => undefined);
  }

  /** Resolves when there is a place in `permits`. Rejects with `exceeded` / `queries_full`, or the signal's reason. */
  async enter(permits: Semaphore): Promise<void> {
    const { waitingCount } = permits;
    if (waitingCount >= WAITING_COUNT_MAX) {
      throw new DbError(
        "exceeded",
        "queries_full",
        `${waitingCount} queries wait already: ask again later`,
        { detail: { waitingCount } },
      );
    }
    this.#leave = await permits.acquire(this.signal);
    this.#record.permitted();
  }

  /** Gives `first` and then `rows`, which read `view`: all three are in its care from now on. */
  show(view: Disposable | undefined, first: IteratorResult<Rows>, rows: AsyncIterator<Rows>): this {
    this.#view = view;
    this.#rows = rows;
    this.#first = first;
    if (this.signal.aborted) void this.end();
    else this.signal.addEventListener("abort", () => void this.end(), { once: true });
    return this;
  }

  async next(): Promise<IteratorResult<Rows, undefined>> {
    try {
      const next = this.#first ?? (await this.#rows?.next());
      this.#first = undefined;
      // Rows that end because the query was ended are not the whole answer.
      this.signal.throwIfAborted();
      if (next !== undefined && next.done !== true) return next;
    } catch (error) {
      this.fail();
      await this.end();
      throw this.reasonOf(error);
    }
    this.#record.end("success");
    return this.return();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Whether its rows ended with an error. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Notes that it came to no good end: who leaves ends it, whatever fails then. */
  fail(): void {
    this.#failed = true;
    this.#record.end(this.#client.aborted ? "cancel" : "fail");
  }

  /** Lets go of everything; resolves when the engine does nothing for it any more. Safe to call twice. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  /** What to say of `error`, which the engine gave: damage of files is noted. */
  reasonOf(error: unknown): unknown {
    if (isKind(error, "corrupt")) this.#options.onDamage(error);
    return error;
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    // Who lets go of rows that were not all wanted has left as well.
    this.#record.end(this.signal.aborted && !this.#client.aborted ? "fail" : "cancel");
    try {
      await this.#rows?.return?.();
    } catch {
      // Whoever asked for rows has heard of it.
    }
    // Only now, for the engine may have read until here what the view names.
    this.#view?.[Symbol.dispose]();
    this.#leave?.();
  }
}

function queryTimeout(timeoutMs: number): DbError {
  return new DbError(
    "exceeded",
    "query_timeout",
    `the query ran longer than ${timeoutMs} ms: ask for less, or raise --query-timeout`,
    { detail: { timeoutMs } },
  );
}
