import { Mutex } from "#base/async.ts";
import { assert, DbError } from "#base/errors.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { Position } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import { fencedError, LogTracker, type TrackerObserver } from "#objectlog/log-tracker.ts";
import type { ObjectLog } from "#objectlog/object-log.ts";
import type { LogRecord, Needs } from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import {
  type Adopted,
  type NodeLogState,
  nodeLogMachine,
  withoutAdopted,
} from "./node-log-state.ts";
import { encodeCheckpoint, encodeFlush, type Snapshot } from "./records.ts";

export interface NodeLogWriterOptions {
  readonly log: ObjectLog;
  /** The node, in the epoch that the catalog gave this start. */
  readonly writer: Writer;
  readonly observer: TrackerObserver<NodeLogState>;
  /** Ends what waits for the store when the process closes. */
  readonly signal: AbortSignal;
  /** What the fence is read together with. */
  readonly needs: Needs;
  /** Entries below its end that stay although they are covered, for readers that are behind; none unless given. */
  readonly coveredEntriesToKeep?: number;
  /** Entries that a start reads at once; as `LogTracker` does unless given. */
  readonly readsMax?: number | undefined;
}

type RecordContent = Pick<LogRecord, "kind" | "body" | "payload">;

const DELETES_AT_ONCE = 8;
const NO_PAYLOAD = new Uint8Array(0);

/**
 * The live epoch of a node log: the only one that may append to it and delete from it.
 *
 * One entry is on its way at a time; its number is not left before it is settled. When a newer epoch is found, every call rejects with
 * `conflict` / `node_fenced`, for ever: the process stops and deletes nothing (rule 3).
 */
export class NodeLogWriter {
  readonly #options: NodeLogWriterOptions;
  readonly #tracker: LogTracker<NodeLogState>;
  readonly #turn = new Mutex();
  #fenced: DbError | undefined;
  #checkpointed: Position = 0;

  private constructor(options: NodeLogWriterOptions) {
    this.#options = options;
    const { log, observer, readsMax } = options;
    this.#tracker = new LogTracker(log, nodeLogMachine, observer, readsMax);
  }

  /** Replays the log and wins its fence: from then on no older epoch can append. */
  static async start(options: NodeLogWriterOptions): Promise<NodeLogWriter> {
    const writer = new NodeLogWriter(options);
    await writer.#winFence();
    writer.#checkpointed = await options.log.newestCheckpoint();
    return writer;
  }

  /** The node whose log it is, in the epoch that writes it here. */
  get owner(): Writer {
    return this.#options.writer;
  }

  /** What the log adds up to, this process's settled entries included. */
  get state(): NodeLogState {
    return this.#tracker.state;
  }

  /** Makes `blocks` durable under `stamp`. Resolves when they are settled and the observer has them. */
  async appendFlush(
    stamp: OrderStamp,
    blocks: readonly FlushBlock[],
    options: { needs: Needs; onTrouble: (error: DbError) => void },
  ): Promise<Position> {
    return this.#turn.run(async () => {
      assert(stamp > this.state.lastStamp, "order stamps rise within a node log");
      const content: RecordContent = { kind: "flush", ...encodeFlush(stamp, blocks) };
      return this.#append(content, options.needs, options.onTrouble);
    });
  }

  /** Records that `snapshot.files`, all of which are in the store, hold this log up to `snapshot.through`. */
  async appendSnapshot(snapshot: Snapshot, needs: Needs): Promise<Position> {
    return this.#turn.run(async () => {
      const { state } = this;
      assert(snapshot.through > state.snapshotted, "a snapshot goes beyond the one before");
      assert(snapshot.through <= state.position, "a snapshot is of settled entries");
      return this.#append({ kind: "snapshot", body: snapshot, payload: NO_PAYLOAD }, needs);
    });
  }

  /** Looks whether somebody else stands at the next number: an idle writer learns that it is fenced (rule 3). */
  async lookAhead(): Promise<void> {
    await this.#turn.run(async () => {
      if (this.#fenced !== undefined) throw this.#fenced;
      const found = await this.#options.log.read(this.state.position + 1);
      if (found !== undefined) throw this.#refuse(found.epoch);
    });
  }

  /** Entries above the newest checkpoint: how long a replay would be. */
  get replayCount(): number {
    return this.state.position - this.#checkpointed;
  }

  /**
   * Writes a checkpoint of now, and deletes the entries that it and `adopted` cover, by list, but the last few as the options say.
   * Fences are never deleted, for a late writer of an older epoch must find them (rules 3, 4). Appends go on meanwhile: the checkpoint
   * is of a state, which is a value.
   */
  async checkpoint(adopted: Adopted): Promise<void> {
    if (this.#fenced !== undefined) throw this.#fenced;
    const { coveredEntriesToKeep = 0, log, writer } = this.#options;
    const state = await this.#turn.run(async () => {
      this.#tracker.amend(withoutAdopted(this.state, adopted));
      return this.state;
    });
    const record = { kind: "node_checkpoint", ...writer, needs: state.needs } as const;
    await log.writeCheckpoint(state.position, { ...record, ...encodeCheckpoint(state) });
    this.#checkpointed = state.position;
    await log.deleteOldCheckpoints();
    const fences = new Set(state.fences.map(({ position }) => position));
    const covered = Math.min(state.position - coveredEntriesToKeep, adopted.position);
    const deletable = (await log.listEntries(covered)).filter((position) => !fences.has(position));
    for (let index = 0; index < deletable.length; index += DELETES_AT_ONCE)
      await Promise.all(
        deletable
          .slice(index, index + DELETES_AT_ONCE)
          .map((position) => log.deleteEntry(position)),
      );
  }

  async #winFence(): Promise<void> {
    const { log, writer, needs, signal } = this.#options;
    const fence: LogRecord = { kind: "fence", ...writer, needs, body: {}, payload: NO_PAYLOAD };
    while (true) {
      await this.#tracker.advance({ certain: true });
      if (this.state.epoch >= writer.epoch) throw this.#refuse(this.state.epoch);
      const settled = await log.append(this.state.position + 1, fence, { signal });
      if (!settled.won) continue;
      // A starter that was slow may have won a number that was deleted under a checkpoint: such a fence is void.
      if (await this.#tracker.restoreNewest()) continue;
      return this.#tracker.take(settled.entry);
    }
  }

  async #append(
    content: RecordContent,
    needs: Needs,
    onTrouble?: (error: DbError) => void,
  ): Promise<Position> {
    if (this.#fenced !== undefined) throw this.#fenced;
    const { log, writer, signal } = this.#options;
    const settled = await log.append(
      this.state.position + 1,
      { ...writer, needs, ...content },
      { signal, ...(onTrouble && { onTrouble }) },
    );
    if (!settled.won) throw this.#refuse(settled.found.epoch);
    await this.#tracker.take(settled.entry);
    return this.state.position;
  }

  #refuse(foundEpoch: number): DbError {
    const { log, writer } = this.#options;
    this.#fenced =
      foundEpoch > writer.epoch
        ? fencedError(log.prefix, writer.node, { own: writer.epoch, found: foundEpoch })
        : new DbError(
            "corrupt",
            "log_entry_foreign",
            `${log.prefix}: an entry of epoch ${foundEpoch} stands at the next number of epoch ${writer.epoch}: the log is damaged`,
            { detail: { node: writer.node, epoch: foundEpoch } },
          );
    return this.#fenced;
  }
}
