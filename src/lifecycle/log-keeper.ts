import { DbError, describeError, isKind } from "#base/errors.ts";
import type { Adopted } from "#nodelog/node-log-state.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";

export interface LogKeeperOptions {
  readonly writer: NodeLogWriter;
  /** Writes the buffered rows to files; answers whether there were any. */
  readonly takeSnapshot: (signal: AbortSignal) => Promise<boolean>;
  /** Bytes of this node's blocks that are in no file. */
  readonly unsavedSizeBytes: () => number;
  /** Rows of this node that are in no file. */
  readonly unsavedRowCount: () => number;
  /** Bytes that this node's buffered rows take. */
  readonly bufferSizeBytes: () => number;
  readonly adopted: () => Adopted;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: SnapshotLimits;
}

/** When a snapshot is due: whichever is met first. */
export interface SnapshotLimits {
  readonly snapshotSizeBytes: number;
  readonly snapshotAgeMs: number;
  /** Rows that the engine may have to take in at once, for the first who asks for them. */
  readonly snapshotRowCount: number;
  /** Undefined: flushes are not counted. */
  readonly flushesPerSnapshot: number | undefined;
  readonly bufferSizeMax: number;
  /** Entries after which a checkpoint bounds the replay. */
  readonly checkpointEntries: number;
  /** Time after which a checkpoint is written, if there is anything to cover; undefined: time does not count. */
  readonly checkpointIntervalMs?: number | undefined;
}

/** Snapshots that stand in the log since the start of this process. */
export interface SnapshotCounts {
  readonly taken: number;
  /** How long they took, together. */
  readonly ms: number;
}

const CHECK_MS = 100;
const IDLE_LOOK_MS = 5 * 60_000;
const TROUBLE_PAUSE_MS = 1_000;

/** Keeps this node's log short: snapshots when they are due, checkpoints, deletion of what they cover. */
export class LogKeeper {
  readonly #options: LogKeeperOptions;
  /** When the oldest flush that is in no file was first seen here. */
  #unsavedSinceMs: number | undefined;
  #lookedMs: number;
  #checkpointedMs: number;
  #counts: SnapshotCounts = { taken: 0, ms: 0 };

  constructor(options: LogKeeperOptions) {
    this.#options = options;
    this.#lookedMs = options.clock.monotonicMs();
    this.#checkpointedMs = this.#lookedMs;
  }

  get counts(): SnapshotCounts {
    return this.#counts;
  }

  /** Works until `signal` is aborted; rejects with `conflict` / `node_fenced` or damage, which end this process. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      let pauseMs = CHECK_MS;
      try {
        await this.step(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "corrupt") || isKind(error, "internal") || isFenced(error)) throw error;
        log.warn("a snapshot or checkpoint failed and will be tried again", {
          reason: describeError(error),
        });
        pauseMs = TROUBLE_PAUSE_MS;
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** Does what is due now. */
  async step(signal: AbortSignal): Promise<void> {
    const { adopted, clock, writer } = this.#options;
    if (this.#snapshotDue()) {
      await this.#takeSnapshot(signal);
      this.#unsavedSinceMs = undefined;
    }
    if (this.#checkpointDue()) {
      await writer.checkpoint(adopted());
      this.#checkpointedMs = clock.monotonicMs();
    }
    if (clock.monotonicMs() - this.#lookedMs < IDLE_LOOK_MS) return;
    this.#lookedMs = clock.monotonicMs();
    await writer.lookAhead();
  }

  /** Leaves the log as short as it can be: for a clean stop. */
  async finish(signal: AbortSignal): Promise<void> {
    const { adopted, writer } = this.#options;
    const taken = await this.#takeSnapshot(signal);
    if (taken || writer.replayCount > 1) await writer.checkpoint(adopted());
  }

  async #takeSnapshot(signal: AbortSignal): Promise<boolean> {
    const { clock, takeSnapshot } = this.#options;
    const startedMs = clock.monotonicMs();
    if (!(await takeSnapshot(signal))) return false;
    const { ms, taken } = this.#counts;
    this.#counts = { taken: taken + 1, ms: ms + clock.monotonicMs() - startedMs };
    return true;
  }

  #checkpointDue(): boolean {
    const { clock, limits, writer } = this.#options;
    const { checkpointEntries, checkpointIntervalMs = Number.POSITIVE_INFINITY } = limits;
    if (writer.replayCount >= checkpointEntries) return true;
    return (
      writer.replayCount > 0 && clock.monotonicMs() - this.#checkpointedMs >= checkpointIntervalMs
    );
  }

  #snapshotDue(): boolean {
    const { bufferSizeBytes, clock, limits, unsavedRowCount, unsavedSizeBytes, writer } =
      this.#options;
    const { length } = writer.state.flushes;
    const nowMs = clock.monotonicMs();
    if (length === 0) this.#unsavedSinceMs = undefined;
    else this.#unsavedSinceMs ??= nowMs;
    if (this.#unsavedSinceMs === undefined) return false;
    return (
      unsavedSizeBytes() >= limits.snapshotSizeBytes ||
      unsavedRowCount() >= limits.snapshotRowCount ||
      nowMs - this.#unsavedSinceMs >= limits.snapshotAgeMs ||
      length >= (limits.flushesPerSnapshot ?? Number.POSITIVE_INFINITY) ||
      bufferSizeBytes() >= limits.bufferSizeMax
    );
  }
}

function isFenced(error: unknown): boolean {
  return error instanceof DbError && error.code === "node_fenced";
}
