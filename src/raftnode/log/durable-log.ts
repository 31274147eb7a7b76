import type { DbError } from "#base/errors.ts";
import type { FileSystem, OpenFile } from "#ports/file-system.ts";
import type { Log } from "#ports/log.ts";
import { below, type Random } from "#ports/random.ts";
import type { HardState } from "#raft/message.ts";
import { diskErrorOf, errnoOf, logFailedError } from "./disk-error.ts";
import { encodeItems, type LogItem } from "./items.ts";
import type { LogState } from "./log-state.ts";
import { indexMaxOf, recoverLog, type Segment, segmentPath } from "./recover.ts";
import { encodeRecord, encodeSegmentHeader, SEGMENT_HEADER_SIZE } from "./segment.ts";

/** A segment that has reached it is followed by another. */
const SEGMENT_SIZE = 32 * 2 ** 20;
/** What one record takes of those who wait; a larger append goes alone. */
const BATCH_SIZE_MAX = 8 * 2 ** 20;

export interface DurableLogOptions {
  readonly random: Random;
  readonly log: Log;
  readonly segmentSize?: number;
}

interface Waiting {
  readonly items: readonly LogItem[];
  readonly lazy: boolean;
  readonly sizeBytes: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * A log of entries, hard states and snapshots' marks in files of one folder (docs/formats/raft-log.md). What is appended while a write
 * is on its way goes together with the next one, which is synced once.
 *
 * After a write or sync that failed, a full disk included, the log takes nothing any more: what is on the disk is known only to
 * who opens it anew. One process at a time may have a folder open.
 */
export class DurableLog {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #options: DurableLogOptions;
  readonly #segmentSize: number;
  readonly #state: LogState;
  readonly #segments: Segment[];
  #file: OpenFile | undefined;
  #sequence: number;
  #sizeBytes: number;
  /** What rides with the next record. */
  #lazy: LogItem | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: DbError | undefined;
  #syncCount = 0;
  /** How many segments there were when one could not be removed: with the next one it is tried again. */
  #stuckCount = 0;

  /**
   * Opens the log in `folder`, which is made when it is missing.
   *
   * Rejects with `corrupt` / `raft_log_damaged`, `unsupported` / `raft_log_unknown`, or `unavailable` / `raft_log_failed` where the disk refuses.
   */
  static async open(
    files: FileSystem,
    folder: string,
    options: DurableLogOptions,
  ): Promise<DurableLog> {
    try {
      await files.makeFolder(folder);
      const { segments, sequence, sizeBytes, state } = await recoverLog(files, folder, options.log);
      const log = new DurableLog(files, folder, options, state);
      log.#segments.push(...segments);
      log.#sequence = Math.max(1, sequence);
      log.#sizeBytes = sizeBytes;
      await log.#resume();
      return log;
    } catch (error) {
      throw diskErrorOf(error, folder);
    }
  }

  private constructor(
    files: FileSystem,
    folder: string,
    options: DurableLogOptions,
    state: LogState,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#options = options;
    this.#segmentSize = options.segmentSize ?? SEGMENT_SIZE;
    this.#state = state;
    this.#segments = [];
    this.#sequence = 1;
    this.#sizeBytes = 0;
  }

  /** What is durable. */
  get state(): LogState {
    return this.#state;
  }

  /** Bytes of entries that wait for the disk. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** How often it has waited for the disk since it was opened. */
  get syncCount(): number {
    return this.#syncCount;
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  /** Why it takes nothing any more. */
  get failure(): DbError | undefined {
    return this.#failure;
  }

  /**
   * Resolves when `items` are durable and in `state`; all appends are in the order they came, each whole or not there at all.
   * Rejects with `unavailable` / `raft_log_failed` when the disk refused this or an earlier one: it may be there, or not.
   */
  append(items: readonly LogItem[]): Promise<void> {
    return this.#enqueue({ items, lazy: false });
  }

  /**
   * A hard state that a crash may take back, for it differs from the last in its commit index alone. Resolves when all earlier appends
   * are durable, without waiting for the disk; it goes there with the next append.
   */
  noteCommit(hardState: HardState): Promise<void> {
    return this.#enqueue({ items: [{ kind: "hardState", hardState }], lazy: true });
  }

  /** Lets what was appended reach the disk, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    this.#failure ??= logFailedError(this.#folder, "the log was closed");
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #enqueue({ items, lazy }: Pick<Waiting, "items" | "lazy">): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const done = Promise.withResolvers<void>();
    const sizeBytes = sizeOf(items);
    this.#waiting.push({ items, lazy, sizeBytes, done });
    this.#waitingBytes += sizeBytes;
    this.#writing ??= this.#writeAll();
    return done.promise;
  }

  async #writeAll(): Promise<void> {
    // Those who append in the same turn ride along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#write(batch);
      } catch (error) {
        this.#failure = diskErrorOf(error, this.#folder);
        for (const { done } of [...batch, ...this.#waiting]) done.reject(this.#failure);
        this.#waiting = [];
        this.#waitingBytes = 0;
        break;
      }
      for (const { done } of batch) done.resolve();
      await this.#dropSegments();
    }
    this.#writing = undefined;
  }

  #takeBatch(): readonly Waiting[] {
    let sizeBytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && sizeBytes + waiting.sizeBytes > BATCH_SIZE_MAX) break;
      sizeBytes += waiting.sizeBytes;
      count += 1;
    }
    this.#waitingBytes -= sizeBytes;
    return this.#waiting.splice(0, count);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const items = batch.flatMap((waiting) => waiting.items);
    if (batch.every(({ lazy }) => lazy)) {
      this.#lazy = items.at(-1);
    } else {
      if (this.#sizeBytes >= this.#segmentSize) await this.#beginSegment();
      await this.#writeRecord(this.#lazy === undefined ? items : [this.#lazy, ...items]);
      this.#lazy = undefined;
    }
    for (const item of items) this.#state.apply(item);
  }

  async #writeRecord(items: readonly LogItem[]): Promise<void> {
    const segment = this.#segments.at(-1);
    if (segment === undefined || this.#file === undefined)
      throw logFailedError(this.#folder, "no segment is open");
    const record = encodeRecord(this.#sequence, encodeItems(items), segment.header.salt);
    await this.#file.write(this.#sizeBytes, record);
    await this.#file.sync();
    this.#syncCount += 1;
    this.#sizeBytes += record.length;
    this.#sequence += 1;
    segment.indexMax = Math.max(segment.indexMax, indexMaxOf(items));
  }

  /** Goes on in the last segment, or in a first one. */
  async #resume(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) return this.#beginSegment();
    this.#file = await this.#files.open(last.path);
    if (this.#sequence === last.header.firstSequence)
      await this.#writeRecord(this.#state.summary());
  }

  /** A new segment, which begins with all that earlier ones add up to but entries: those may go later. */
  async #beginSegment(): Promise<void> {
    const firstSequence = this.#sequence;
    const header = { firstSequence, salt: below(this.#options.random, 2 ** 32) };
    const path = segmentPath(this.#folder, firstSequence);
    await this.#file?.close();
    this.#file = await this.#files.create(path);
    await this.#file.write(0, encodeSegmentHeader(header));
    await this.#file.sync();
    await this.#files.syncFolder(this.#folder);
    this.#sizeBytes = SEGMENT_HEADER_SIZE;
    this.#segments.push({ path, header, indexMax: 0 });
    await this.#writeRecord(this.#state.summary());
  }

  /** Removes the oldest segments whose entries are all compacted. What stays behind does no harm. */
  async #dropSegments(): Promise<void> {
    while (this.#segments.length > Math.max(1, this.#stuckCount)) {
      const [oldest] = this.#segments;
      if (oldest === undefined || oldest.indexMax > this.#state.compacted.index) return;
      try {
        await this.#files.remove(oldest.path).catch((error: unknown) => {
          // Removed before, when the folder could not be synced.
          if (errnoOf(error) !== "ENOENT") throw error;
        });
        // One at a time lasts, so that never a later one is gone while an earlier one is there.
        await this.#files.syncFolder(this.#folder);
      } catch (error) {
        this.#options.log.warn("A segment of the raft log could not be removed.", {
          path: oldest.path,
          error: String(error),
        });
        this.#stuckCount = this.#segments.length;
        return;
      }
      this.#stuckCount = 0;
      this.#segments.shift();
    }
  }
}

/** Bytes of the entries of `items`. */
function sizeOf(items: readonly LogItem[]): number {
  let sizeBytes = 0;
  for (const item of items)
    if (item.kind === "entries") for (const { data } of item.entries) sizeBytes += data.length;
  return sizeBytes;
}
