import { Semaphore, untilAborted } from "#base/async.ts";
import { DbError, describeError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import {
  applyContinuousQueryChange,
  type ContinuousQueryRecord,
  continuousQueryKey,
  type RunClaim,
} from "#catalog/v1/continuous-queries.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { StatementResult } from "../answer.ts";
import { isExpired } from "../into/into.ts";
import type { InfluxQlRequest } from "../request.ts";
import { type Claimant, claimDue, finishRuns, isDone, isOwn, type WrittenRun } from "./claims.ts";
import { PartCounts } from "./parts.ts";
import { Schedule } from "./schedule.ts";

export interface ContinuousQueriesOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether another node was heard of lately; it may be wrong, and then a run is done by two. */
  readonly isAlive: (node: NodeNumber) => boolean;
  /** Runs statements on this node: SELECT INTO, whose rows are durable before its answer comes. */
  readonly influxQl: (
    request: InfluxQlRequest,
    signal: AbortSignal,
  ) => Promise<AsyncIterable<StatementResult>>;
}

const CHECK_MS = 1_000;
const PAUSE_MS_MAX = 60_000;
/** A run begins so long after it is due: rows of its last moment are there by then. */
const LATE_NS = 1_000_000_000n;
const RUNS_AT_ONCE_MAX = 2;
/** The end of all work waits no longer for runs that are ended, and for the catalog. */
const END_MS_MAX = 2_000;
/** What is refused for a while, whatever is asked. */
const BUSY: ReadonlySet<string> = new Set([
  "buffer_full",
  "engine_busy",
  "queries_full",
  "write_queue_full",
]);

/** A run that is to be done. */
interface Work {
  readonly query: ContinuousQueryRecord;
  readonly claim: RunClaim;
  readonly schedule: Schedule;
}

interface Running {
  readonly query: ContinuousQueryRecord;
  readonly claim: RunClaim;
  readonly end: AbortController;
  readonly ended: Promise<void>;
}

interface Failing {
  readonly count: number;
  readonly untilMs: number;
}

/**
 * Runs continuous queries, each run on one node of the cluster: a node claims it in the catalog, does it as SELECT INTO, and records that it
 * is finished; all claims and ends of a second are one entry there. Rows have the same series and times in whichever run they are written, so a run that is done again, after its node died,
 * or by two that do not hear each other, leaves what one leaves.
 */
export class ContinuousQueries {
  readonly counts = { finished: 0, failed: 0 };
  readonly #options: ContinuousQueriesOptions;
  /** By the text of the query; undefined for what is never run. */
  #schedules = new Map<string, Schedule | undefined>();
  /** By key. */
  readonly #running = new Map<string, Running>();
  /** What the catalog does not know yet, by key. */
  readonly #written = new Map<string, WrittenRun>();
  readonly #failing = new Map<string, Failing>();
  readonly #parts = new PartCounts();
  readonly #end = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  readonly #permits = new Semaphore(RUNS_AT_ONCE_MAX);

  constructor(options: ContinuousQueriesOptions) {
    this.#options = options;
  }

  /** Works until `signal` is aborted or it is told to finish, and resolves when all runs have ended. Called once. */
  async run(signal: AbortSignal): Promise<void> {
    this.#ended = this.#run(AbortSignal.any([signal, this.#end.signal]));
    await this.#ended;
  }

  /**
   * Ends the runs at work and begins no more. Those that are written are finished in the catalog then, which has to be open still; what
   * cannot be recorded within a while is done again by another node.
   */
  async finish(): Promise<void> {
    this.#end.abort(
      new DbError("unavailable", "node_stopping", "this node is stopping: ask another"),
    );
    await this.#withinTime(this.#ended);
    if (this.#written.size > 0) await this.#withinTime(this.#recordEnds());
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let failureCount = 0; !signal.aborted; ) {
      try {
        await this.#look(signal);
        failureCount = 0;
      } catch (error) {
        if (signal.aborted) break;
        if (isKind(error, "internal")) throw error;
        failureCount += 1;
        log.warn("continuous queries could not be claimed and will be looked at again", {
          reason: describeError(error),
        });
      }
      await clock.sleep(pauseMs(failureCount), signal).catch(() => undefined);
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { catalog, clock, isAlive } = this.#options;
    this.#forget();
    const claimant: Claimant = {
      writer: catalog.writer,
      nowNs: clock.nowNs() - LATE_NS,
      scheduleOf: (text) => this.#schedules.get(text),
      isAlive,
      isBusy: (key) => this.#running.has(key) || this.#waits(key),
    };
    if (this.#written.size > 0 || claimDue(catalog.state, claimant).length > 0)
      await this.#record(claimant);
    this.#start(signal);
  }

  /** The runs that are written, and what is taken then, are one entry of the catalog. */
  async #record(claimant: Claimant): Promise<void> {
    let written: readonly WrittenRun[] = [];
    await this.#options.catalog.change((state) => {
      // Others may have ended since the last try.
      written = [...this.#written.values()];
      const finished = finishRuns(state, written);
      const after = { ...state, ...finished.reduce(applyContinuousQueryChange, state) };
      return [...finished, ...claimDue(after, claimant)];
    });
    for (const { query } of written) this.#written.delete(continuousQueryKey(query));
  }

  async #recordEnds(): Promise<void> {
    await this.#options.catalog.change((state) => finishRuns(state, [...this.#written.values()]));
    this.#written.clear();
  }

  /** Waits for `work` until it settles, but not for long; that it fails is no matter any more. */
  async #withinTime(work: Promise<void>): Promise<void> {
    const settled = new AbortController();
    const late = new AbortController();
    const end = () => late.abort();
    const sleeping = this.#options.clock
      .sleep(END_MS_MAX, settled.signal)
      .then(end, () => undefined);
    await untilAborted(work, late.signal).catch(() => undefined);
    settled.abort();
    await sleeping;
  }

  /** Reads new statements, forgets old ones, and ends runs that nobody needs. */
  #forget(): void {
    const { continuousQueries } = this.#options.catalog.state;
    const schedules = new Map<string, Schedule | undefined>();
    for (const { text } of continuousQueries.values())
      schedules.set(text, this.#schedules.has(text) ? this.#schedules.get(text) : this.#read(text));
    this.#schedules = schedules;
    for (const key of this.#failing.keys())
      if (!continuousQueries.has(key)) this.#failing.delete(key);
    this.#parts.forget((key) => continuousQueries.has(key));
    for (const [key, { claim, end, query }] of this.#running) {
      const now = continuousQueries.get(key);
      if (now?.text !== query.text || isDone(now, claim.dueNs)) end.abort(notNeeded(query));
    }
  }

  #read(text: string): Schedule | undefined {
    try {
      return Schedule.of(text);
    } catch (error) {
      if (!(error instanceof DbError)) throw error;
      this.#options.log.warn("a continuous query cannot be run", { reason: error.message });
      return undefined;
    }
  }

  /** Begins what this process has claimed, and what it failed at before. */
  #start(signal: AbortSignal): void {
    const { catalog } = this.#options;
    for (const [key, query] of catalog.state.continuousQueries) {
      const claim = query.run?.claim;
      const schedule = this.#schedules.get(query.text);
      if (schedule === undefined || !isOwn(claim, catalog.writer)) continue;
      if (this.#running.has(key) || this.#written.has(key) || this.#waits(key)) continue;
      const end = new AbortController();
      const work = { query, claim, schedule };
      const ended = this.#work(work, AbortSignal.any([signal, end.signal])).finally(() =>
        this.#running.delete(key),
      );
      this.#running.set(key, { query, claim, end, ended });
    }
  }

  /** Does one run, never to reject. */
  async #work(work: Work, signal: AbortSignal): Promise<void> {
    const { claim, query, schedule } = work;
    const key = continuousQueryKey(query);
    try {
      const leave = await this.#permits.acquire(signal);
      try {
        for (const text of schedule.statementsOf(claim, this.#parts.of(key)))
          await this.#select(query.database, text, signal);
      } finally {
        leave();
      }
      this.#written.set(key, { query, claim });
      this.#failing.delete(key);
      this.#parts.keep(key);
      this.counts.finished += 1;
    } catch (error) {
      if (!signal.aborted) this.#fail(work, error);
    }
  }

  async #select(database: string, text: string, signal: AbortSignal): Promise<void> {
    const rest = { retentionPolicy: undefined, parameters: new Map(), tokens: [] };
    const request = { text, database, ...rest, native: false, readOnly: false };
    for await (const result of await this.#options.influxQl(request, signal)) {
      if (result.kind === "answer") for await (const _ of result.answer.series);
      // Rows that are too old to be kept are none to wait for.
      else if (!isExpired(result.error)) throw result.error;
    }
  }

  /** A run that failed is done again, later and later; with it what is due by then. */
  #fail({ query, schedule }: Work, error: unknown): void {
    const { clock, log } = this.#options;
    const key = continuousQueryKey(query);
    const isCut = schedule.hasLoneWindows && isTooMuch(error) && this.#parts.raise(key);
    // Smaller parts may do at once.
    const count = isCut ? 1 : (this.#failing.get(key)?.count ?? 0) + 1;
    this.#failing.set(key, { count, untilMs: clock.monotonicMs() + pauseMs(count) });
    this.counts.failed += 1;
    const { database, name } = query;
    const reason = describeError(error);
    log.warn("a continuous query failed and will be tried again", { database, name, reason });
  }

  #waits(key: string): boolean {
    const untilMs = this.#failing.get(key)?.untilMs;
    return untilMs !== undefined && this.#options.clock.monotonicMs() < untilMs;
  }
}

/** Whether less may be done of what failed with `error`. */
function isTooMuch(error: unknown): boolean {
  return isKind(error, "exceeded") && !BUSY.has(error.code);
}

function pauseMs(failureCount: number): number {
  return Math.min(PAUSE_MS_MAX, CHECK_MS * 2 ** Math.min(failureCount, 10));
}

function notNeeded({ database, name }: ContinuousQueryRecord): DbError {
  return new DbError(
    "conflict",
    "continuous_query_over",
    "this run of a continuous query is needed no more: another node has done it, or the query was dropped",
    { detail: { database, name } },
  );
}
