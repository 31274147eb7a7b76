import { Signal, untilAborted } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { Position } from "#model/ids.ts";
import { nextStamp, type OrderStamp } from "#model/stamp.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Clock } from "#ports/clock.ts";
import { isStoreClosed } from "#ports/object-store.ts";
import { rowCountOf, type Stage, type StagedRows } from "#staging/stage.ts";
import { BATCH_ROW_COUNT_MAX } from "./rows.ts";

export interface FlusherOptions {
  readonly catalog: Catalog;
  readonly writer: NodeLogWriter;
  readonly stage: Stage;
  readonly clock: Clock;
  /** Least time between the starts of two flushes. */
  readonly flushIntervalMs: number;
  /** Bytes of requests that are not settled, as they came, above which more are refused. */
  readonly pendingSizeMax: number;
  /** Requests that are not settled above which more are refused; any number unless given. */
  readonly pendingCountMax?: number | undefined;
  /** Bytes that buffered rows take now, and above which more are refused. */
  readonly bufferSizeBytes: () => number;
  readonly bufferSizeMax: number;
}

/** Where rows of one request went. */
export interface FlushReceipt {
  readonly position: Position;
  readonly stamp: OrderStamp;
  /** The catalog as it was at the tail while the rows were made durable. */
  readonly catalog: CatalogState;
}

interface Waiting {
  readonly rows: readonly StagedRows[];
  /** The version that gave the rows their ids. */
  readonly catalogVersion: Position;
  readonly stampFloor: OrderStamp;
  readonly settle: PromiseWithResolvers<FlushReceipt>;
  /** Lets go of the rows. */
  readonly release: () => void;
}

const CATALOG_RETRY_MS = 50;
/** A write waits so long for room in the buffer: about as long as a snapshot takes. */
const ROOM_MS_MAX = 1_000;
const ROOM_LOOK_MS = 20;

/**
 * Group commit: one flush is on its way at a time, and everything that arrives meanwhile rides the next one.
 *
 * A write is acknowledged after its flush stands in the log and its rows are in the buffer, never before (promise 1).
 */
export class Flusher {
  readonly #options: FlusherOptions;
  readonly #arrived = new Signal();
  readonly #flushed = new Signal();
  #waiting: Waiting[] = [];
  /** What is on its way. */
  #flushing: readonly Waiting[] = [];
  #pendingSizeBytes = 0;
  /** Ends when those who wait for room look again. */
  #look: Promise<void> | undefined;
  #pendingCount = 0;
  #trouble: DbError | undefined;
  #dead: DbError | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  /** Why the store takes no writes now; undefined when it does. */
  get trouble(): DbError | undefined {
    return this.#dead ?? this.#trouble;
  }

  /** Bytes of requests that were let in and are not settled. */
  get pendingSizeBytes(): number {
    return this.#pendingSizeBytes;
  }

  /**
   * Lets a request of `sizeBytes` in; resolves with what to call when it is settled, be it that nobody waits for it any more. Where the
   * buffer is full it waits a moment: a snapshot that is being made frees some, and a client that waits is better than one that
   * sends the same again.
   * Rejects where nothing more can be taken: `exceeded` / `write_queue_full`, `buffer_full`, or the store's trouble.
   */
  async admit(sizeBytes: number, signal: AbortSignal): Promise<() => void> {
    this.#refuseWhenQueueFull();
    this.#pendingSizeBytes += sizeBytes;
    this.#pendingCount += 1;
    const release = () => {
      this.#pendingSizeBytes -= sizeBytes;
      this.#pendingCount -= 1;
    };
    try {
      await this.#room(signal);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Resolves when the rows, at most BATCH_ROW_COUNT_MAX rows together, are durable and in the buffer. */
  async add(item: Omit<Waiting, "settle" | "release">): Promise<FlushReceipt> {
    if (this.trouble !== undefined) throw this.trouble;
    const settle = Promise.withResolvers<FlushReceipt>();
    const holds = item.rows.map(({ body }) => body.hold());
    const release = () => {
      for (const leave of holds) leave();
    };
    this.#waiting.push({ ...item, settle, release });
    this.#arrived.notify();
    return settle.promise;
  }

  /** Resolves when everything that was added has been flushed or refused. */
  async drain(): Promise<void> {
    while (this.#flushing.length > 0 || this.#waiting.length > 0) await this.#flushed.wait();
  }

  /** Flushes until `signal` is aborted; rejects when the log refuses this process. Called once. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, flushIntervalMs } = this.#options;
    try {
      while (true) {
        if (this.#waiting.length === 0) await this.#arrived.wait(signal);
        const startedMs = clock.monotonicMs();
        this.#flushing = this.#takeGroup();
        // A store that never answers does not keep a node from stopping.
        await untilAborted(this.#flush(this.#flushing, signal), signal);
        const restMs = flushIntervalMs - (clock.monotonicMs() - startedMs);
        if (restMs > 0) await clock.sleep(restMs, signal);
      }
    } catch (error) {
      this.#die(error, signal);
      if (!signal.aborted) throw error;
    }
  }

  #refuseWhenQueueFull(): void {
    if (this.trouble !== undefined) throw this.trouble;
    const { pendingCountMax = Number.POSITIVE_INFINITY, pendingSizeMax } = this.#options;
    if (this.#pendingCount >= pendingCountMax)
      throw new DbError(
        "exceeded",
        "write_queue_full",
        `${this.#pendingCount} writes wait to be made durable, at most ${pendingCountMax} may (--wal-max-buffered-writes): send again later`,
        { detail: { pendingCountMax } },
      );
    if (this.#pendingSizeBytes < pendingSizeMax) return;
    throw new DbError(
      "exceeded",
      "write_queue_full",
      `${this.#pendingSizeBytes} bytes of writes wait to be made durable, at most ${pendingSizeMax} may: send again later`,
      { detail: { pendingSizeMax } },
    );
  }

  /** Resolves when the buffer takes more; rejects with `buffer_full` when it does not before long, and with trouble. */
  async #room(signal: AbortSignal): Promise<void> {
    const { bufferSizeBytes, bufferSizeMax, clock } = this.#options;
    const untilMs = clock.monotonicMs() + ROOM_MS_MAX;
    while (bufferSizeBytes() >= bufferSizeMax) {
      if (clock.monotonicMs() >= untilMs)
        throw new DbError(
          "exceeded",
          "buffer_full",
          `the rows that are not in files yet take ${bufferSizeBytes()} bytes, at most ${bufferSizeMax} may: send again later`,
          { detail: { bufferSizeMax } },
        );
      // One timer for all who wait.
      this.#look ??= clock.sleep(ROOM_LOOK_MS).finally(() => (this.#look = undefined));
      await untilAborted(this.#look, signal);
      if (this.trouble !== undefined) throw this.trouble;
    }
  }

  #takeGroup(): readonly Waiting[] {
    let rowCount = 0;
    let count = 0;
    for (const { rows } of this.#waiting) {
      for (const part of rows) rowCount += rowCountOf(part.rows);
      if (count > 0 && rowCount > BATCH_ROW_COUNT_MAX) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #flush(group: readonly Waiting[], signal: AbortSignal): Promise<void> {
    try {
      const blocks = await this.#encode(group);
      if (blocks !== undefined) await this.#append(group, blocks, signal);
    } catch (error) {
      for (const { settle } of group) settle.reject(error);
      throw error;
    } finally {
      for (const { release } of group) release();
      this.#flushing = [];
      this.#flushed.notify();
    }
  }

  /**
   * Undefined where the rows are lost, or cannot become blocks, as those who wait are told: nothing of them is stored, and the writes
   * of others go on.
   */
  async #encode(group: readonly Waiting[]): Promise<readonly FlushBlock[] | undefined> {
    try {
      return await this.#options.stage.encode(group.flatMap(({ rows }) => rows));
    } catch (error) {
      for (const { settle } of group) settle.reject(error);
      return undefined;
    }
  }

  async #append(
    group: readonly Waiting[],
    blocks: readonly FlushBlock[],
    signal: AbortSignal,
  ): Promise<void> {
    const { catalog, writer, clock } = this.#options;
    const floor = maxOf([writer.state.lastStamp, ...group.map(({ stampFloor }) => stampFloor)]);
    const stamp = nextStamp(catalog.writer.node, clock.nowNs(), floor);
    const version = Math.max(...group.map(({ catalogVersion }) => catalogVersion));
    const appended = writer.appendFlush(stamp, blocks, {
      needs: { catalog: version, manifest: 0 },
      onTrouble: (error) => this.#onTrouble(error, group),
    });
    // Asked in parallel with the put: whether a table was dropped before these writes came.
    const [position, state] = await Promise.all([appended, this.#catalogNow(signal)]);
    this.#trouble = undefined;
    for (const { settle } of group) settle.resolve({ position, stamp, catalog: state });
  }

  /** The catalog at its tail, asked for until the store answers. */
  async #catalogNow(signal: AbortSignal): Promise<CatalogState> {
    const { catalog, clock } = this.#options;
    while (true) {
      try {
        return await catalog.refresh();
      } catch (error) {
        if (!isKind(error, "unavailable")) throw error;
        await clock.sleep(CATALOG_RETRY_MS, signal);
      }
    }
  }

  /**
   * A store that is full, denies or is not there does not come back by waiting a little: those who wait are told at once. What
   * they sent stays here, for part of it may be in the store by now; more is not taken.
   */
  #onTrouble(error: DbError, group: readonly Waiting[]): void {
    if (!isStoreClosed(error)) return;
    this.#trouble = error;
    const unclear = new DbError(
      "unavailable",
      error.code,
      `the write is not confirmed, and may be stored later: ${error.message}`,
      { cause: error },
    );
    for (const { settle } of [...group, ...this.#waiting]) settle.reject(unclear);
  }

  #die(error: unknown, signal: AbortSignal): void {
    this.#dead =
      isKind(error, "conflict") || !signal.aborted
        ? new DbError("unavailable", "node_stopped", "this node takes no more writes", {
            cause: error,
          })
        : new DbError("unavailable", "node_stopping", "this node is stopping: write to another");
    const waiting = this.#waiting.splice(0);
    for (const { release } of waiting) release();
    const left = [...this.#flushing, ...waiting];
    this.#flushing = [];
    for (const { settle } of left) settle.reject(this.#dead);
    this.#flushed.notify();
  }
}

function maxOf(stamps: readonly OrderStamp[]): OrderStamp {
  return stamps.reduce((most, stamp) => (stamp > most ? stamp : most));
}
