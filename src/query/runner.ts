import { Semaphore, untilAborted } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { SourceGroup } from "#model/query/plan.ts";
import { ALL_TIME, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import { parseWriteToken } from "#model/write-token.ts";
import type { Clock } from "#ports/clock.ts";
import type { View } from "#view/view.ts";
import type { Views } from "#view/views.ts";
import { QueryLog, type QueryRecord } from "./query-log.ts";
import { Running } from "./running.ts";

export interface RunnerOptions {
  readonly catalog: Catalog;
  readonly views: Views;
  readonly clock: Clock;
  readonly concurrentMax: number;
  /** Queries that `system.queries` remembers; none unless given. */
  readonly logEntriesMax?: number | undefined;
  readonly timeoutMs: number;
  /** Told of stored objects that turned out to be damaged or gone. */
  readonly onDamage: (error: DbError) => void;
}

/** What not all queries have alike. */
export interface RunOptions {
  /** Whether it waits for a place among the queries that run; true unless given. */
  readonly needsPlace?: boolean;
  /** Since when its time counts; now unless given. */
  readonly startMs?: number;
}

/** A query that was begun on one view. */
export interface Attempt<Rows> {
  /** What to let go of when the rows have ended; undefined where nothing is held. */
  readonly view: Disposable | undefined;
  readonly rows: AsyncIterator<Rows>;
}

/** Statements that are described at once. Each is planned on this thread: more would only wait for each other. */
const DESCRIBED_COUNT_MAX = 4;

const UNKNOWN_NAMES = new Set([
  "column_not_found",
  "database_not_found",
  "policy_not_found",
  "table_not_found",
]);

/** What the queries of a node share, in whatever language they are: places, time, views, and the log of them. */
export class QueryRunner {
  readonly log: QueryLog;
  readonly #options: RunnerOptions;
  readonly #permits: Semaphore;
  readonly #describing = new Semaphore(DESCRIBED_COUNT_MAX);

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#permits = new Semaphore(options.concurrentMax);
    const { catalog, clock, logEntriesMax = 0 } = options;
    this.log = new QueryLog(clock, logEntriesMax, () => catalog.writer);
  }

  /** Queries that run at once; more wait. */
  get concurrentMax(): number {
    return this.#permits.countMax;
  }

  /** As `Queries.limitConcurrency`. */
  limitConcurrency(countMax: number | undefined): void {
    const { concurrentMax } = this.#options;
    const wanted = countMax ?? concurrentMax;
    if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > concurrentMax)
      throw new DbError(
        "invalid",
        "query_limit_range",
        `the limit is a whole number from 1 to ${concurrentMax}, which --max-concurrent-queries set when the node was started`,
        { detail: { concurrentMax } },
      );
    this.#permits.countMax = wanted;
  }

  /**
   * Waits for a place, if it needs one, and resolves when the first rows are there. `attempt` is asked again where files of its view were gone. Aborting
   * `signal` ends the query at any time; so do the end of its time and letting go of the rows.
   *
   * Rejects with what `attempt` and its rows reject with, `exceeded` / `query_timeout`, `queries_full`.
   */
  async run<Rows>(
    record: QueryRecord,
    attempt: (running: Running<Rows>) => Promise<Attempt<Rows>>,
    signal: AbortSignal,
    { needsPlace = true, startMs }: RunOptions = {},
  ): Promise<Running<Rows>> {
    const running = new Running<Rows>({ ...this.#options, startMs }, record, signal);
    try {
      if (needsPlace) await running.enter(this.#permits);
      running.signal.throwIfAborted();
      return await this.#start(running, attempt);
    } catch (error) {
      running.fail();
      await running.end();
      throw error;
    }
  }

  /**
   * Does `work`, which plans and reads no rows: it waits for its like alone, and its time counts from now. Rejects with what `work` rejects with,
   * `exceeded` / `query_timeout`, `queries_full`.
   */
  async describe<T>(
    record: QueryRecord,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const running = new Running<never>(this.#options, record, signal);
    try {
      await running.enter(this.#describing);
      return await work(running.signal);
    } finally {
      await running.end();
    }
  }

  async #start<Rows>(
    running: Running<Rows>,
    attempt: (running: Running<Rows>) => Promise<Attempt<Rows>>,
  ): Promise<Running<Rows>> {
    let vanished: DbError | undefined;
    while (true) {
      const { rows, view } = await attempt(running);
      try {
        const first = await rows.next();
        return running.show(view, first, rows);
      } catch (error) {
        view?.[Symbol.dispose]();
        // Nothing was answered yet: a file that was replaced since the view was taken is not in a newer one.
        if (!isKind(error, "not_found") || error.code !== "file_vanished")
          throw running.reasonOf(error);
        await this.#options.views.refresh(running.signal);
        if (vanished !== undefined) throw await this.#goneAgain(error, running.signal);
        vanished = error;
      }
    }
  }

  /**
   * What `use` makes of a view, which is the caller's to dispose of. Names that this node has not heard of are asked for before they are
   * refused: where `use` throws that there is none, it is asked again with the newest catalog, which it is told.
   *
   * Rejects with what `use` throws, `unavailable` / `token_timeout`.
   */
  async onView<T>(
    tokens: readonly string[],
    signal: AbortSignal,
    use: (view: View, isNewest: boolean) => T,
  ): Promise<{ readonly view: View; readonly value: T }> {
    const { catalog, views } = this.#options;
    const parsed = tokens.map(parseWriteToken);
    for (let asked = false; ; asked = true) {
      const view = await views.acquire(parsed, signal);
      try {
        return { view, value: use(view, asked) };
      } catch (error) {
        view[Symbol.dispose]();
        const unknown = error instanceof DbError && UNKNOWN_NAMES.has(error.code);
        if (!unknown || asked) throw error;
        await untilAborted(catalog.refresh(), signal);
      }
    }
  }

  /** Files were gone in two views. It is damage where the newest still names one; else they were replaced again, and whoever asks again hears. */
  async #goneAgain(error: DbError, signal: AbortSignal): Promise<DbError> {
    using view = await this.#options.views.acquire([], signal);
    const key = error.detail["key"];
    if (typeof key !== "string" || view.names(key)) this.#options.onDamage(error);
    return error;
  }
}

/** Counts the data files that one query reads. */
export class FileCount {
  readonly #keys = new Set<string>();
  readonly #max: number;

  constructor(max = Number.POSITIVE_INFINITY) {
    this.#max = max;
  }

  get count(): number {
    return this.#keys.size;
  }

  /** Throws `exceeded` / `query_file_limit` when there are too many. */
  add(groups: readonly SourceGroup[]): void {
    for (const { sources } of groups)
      for (const source of sources) if (source.kind === "file") this.#keys.add(source.file.key);
    if (this.count <= this.#max) return;
    throw new DbError(
      "exceeded",
      "query_file_limit",
      `the query would read ${this.count} data files, at most ${this.#max} may be: ask for less time, or raise --query-file-limit`,
      { detail: { fileCount: this.count, filesMax: this.#max } },
    );
  }
}

/** The times of rows that are not past their retention. Compaction removes the others later, by a clock of its own. */
export function keptTime(retentionNs: bigint | undefined, nowNs: bigint): TimeRange {
  if (retentionNs === undefined) return ALL_TIME;
  const start = nowNs - retentionNs;
  return { ...ALL_TIME, start: start > TIME_MIN ? start : TIME_MIN };
}
