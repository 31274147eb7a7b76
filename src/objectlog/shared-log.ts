import { Mutex, Signal } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import { toJson } from "#base/schema.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";
import { fencedError, type LogMachine, LogTracker, type TrackedState } from "./log-tracker.ts";
import type { ObjectLog } from "./object-log.ts";
import type { LogEntry, LogRecord } from "./record.ts";

/** Who writes: a node in one of its epochs. */
export interface Writer {
  readonly node: NodeNumber;
  readonly epoch: Epoch;
}

export interface SharedMachine<State extends TrackedState> extends LogMachine<State> {
  /** The highest epoch of `node` that the state knows of; 0 for none. */
  writerEpoch(state: State, node: NodeNumber): Epoch;
  /** The record of a checkpoint of `state`; what it names is in the store. */
  checkpoint(state: State, writer: Writer): LogRecord | Promise<LogRecord>;
}

/** Entries between two checkpoints of a shared log, and bytes of entries: what a start replays. */
const CHECKPOINT_ENTRIES = 1_000;
const CHECKPOINT_SIZE = 16 * 2 ** 20;
/** Entries larger than this are replaced by stones under a checkpoint. */
const STONE_ENTRY_SIZE_MIN = 4_096;
const ATTEMPTS_MAX = 1_000;

export interface SharedLogOptions {
  readonly checkpointEntries?: number;
  readonly checkpointSizeBytes?: number;
}

/** Whether checkpoints of `state` are the matter of this process; of the process that wins their number unless given. */
export type Keeps<State> = (state: State) => boolean;

/** A log that every node may write: an entry holds if it was made on the state below it (rules 3, 4). */
export class SharedLog<State extends TrackedState> {
  /** Notified whenever the state has moved. */
  readonly changed = new Signal();
  readonly #tracker: LogTracker<State>;
  readonly #machine: SharedMachine<State>;
  readonly #turn = new Mutex();
  /** The read that was asked for and has not begun. */
  #refresh: Promise<State> | undefined;
  readonly #signal: AbortSignal;
  readonly #checkpointEntries: number;
  readonly #checkpointSizeBytes: number;
  readonly #keeps: Keeps<State> | undefined;
  /** Whether the tail was reached once, for certain. */
  #loaded = false;
  #wholeMs = Number.NEGATIVE_INFINITY;
  /** The state whose checkpoint falls to this process. */
  #due: State | undefined;
  /** Entries that a stone would make small, once they are under a checkpoint: without what makes them large. */
  #large: LogEntry[] = [];
  /** Of entries that were applied since the last checkpoint that fell to this process. */
  #uncoveredSizeBytes = 0;
  #uncoveredCount = 0;

  /** `signal` ends what waits for the store when the process closes. */
  constructor(
    log: ObjectLog,
    machine: SharedMachine<State>,
    signal: AbortSignal,
    options: SharedLogOptions & { readonly keeps?: Keeps<State> } = {},
  ) {
    this.#tracker = new LogTracker(log, machine, { onEntry: (entry) => this.#noteSize(entry) });
    this.#machine = machine;
    this.#signal = signal;
    this.#checkpointEntries = options.checkpointEntries ?? CHECKPOINT_ENTRIES;
    this.#checkpointSizeBytes = options.checkpointSizeBytes ?? CHECKPOINT_SIZE;
    this.#keeps = options.keeps;
  }

  /** The newest state this process has read. A value: it never changes. */
  get state(): State {
    return this.#tracker.state;
  }

  /** By the monotonic clock: everything that stood in the log then is in the state. */
  get wholeMs(): number {
    return this.#wholeMs;
  }

  /**
   * Reads on to the tail of now. Entries of a shared log are never deleted, so nothing there is the tail; the first time that is
   * made sure of, for a log with a hole would otherwise grow two ends. Rejects with `corrupt` / `log_hole` where there is one.
   * Whoever asks before a read begins shares it, so that a store that does not answer gathers no more than one.
   */
  refresh(): Promise<State> {
    this.#refresh ??= this.#turn.run(async () => {
      this.#refresh = undefined;
      await this.#advance();
      return this.state;
    });
    return this.#refresh;
  }

  /** Reads on until the state is at or past `position`. */
  async reach(position: Position): Promise<State> {
    if (this.state.position < position) await this.refresh();
    if (this.state.position >= position) return this.state;
    throw new DbError(
      "unavailable",
      "log_behind",
      `${this.#tracker.log.prefix} ends at ${this.state.position}, and ${position} is named elsewhere`,
      { detail: { prefix: this.#tracker.log.prefix, position } },
    );
  }

  /**
   * Appends what `decide` makes of the newest state; where somebody else was faster, decides again on the state after that.
   * `decide` answers undefined when nothing is left to do. Resolves with the state that holds the entry.
   * Rejects with what `decide` throws, or `conflict` / `node_fenced` when the state knows a newer epoch of the writer. A record that the
   * machine refuses is a bug here: it is not put, for nobody could read on above it.
   */
  async transact(
    writer: () => Writer,
    decide: (state: State) => LogRecord | undefined,
  ): Promise<State> {
    return this.#turn.run(async () => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        this.#refuseWhenFenced(writer());
        const record = decide(this.state);
        if (record === undefined) return this.state;
        const position = this.state.position + 1;
        const askedMs = this.#tracker.log.clock.monotonicMs();
        this.#machine.apply(this.state, { ...record, position, nonce: "" });
        const settled = await this.#tracker.log.append(position, record, { signal: this.#signal });
        if (settled.won) {
          await this.#tracker.take(settled.entry);
          this.#wholeMs = askedMs;
          this.changed.notify();
          this.#noteWon(settled.entry);
          return this.state;
        }
        await this.#advance();
      }
      throw new DbError(
        "unavailable",
        "log_contended",
        `${this.#tracker.log.prefix}: lost ${ATTEMPTS_MAX} races in a row; try again`,
      );
    });
  }

  /**
   * Does the housekeeping that is due, beside reading and writing: the checkpoint, then stones over the large entries under it that
   * this process has seen. Rejects as the store does; it is then due again. What is never done costs replay time and space, nothing else.
   */
  async keep(writer: Writer): Promise<void> {
    const state = this.#due;
    if (state === undefined) return;
    // It may have ceased to be the matter of this process.
    if (this.#keeps?.(state) === false) {
      this.#due = undefined;
      return;
    }
    const { log } = this.#tracker;
    await log.writeCheckpoint(state.position, await this.#machine.checkpoint(state, writer));
    const isCovered = ({ position }: LogEntry) => position <= state.position;
    for (const entry of this.#large.filter(isCovered)) await log.layStone(entry, state.position);
    await log.deleteOldCheckpoints();
    this.#large = this.#large.filter((entry) => !isCovered(entry));
    if (this.#due === state) this.#due = undefined;
  }

  async #advance(): Promise<void> {
    const before = this.state.position;
    const askedMs = this.#tracker.log.clock.monotonicMs();
    await this.#tracker.advance({ certain: !this.#loaded });
    this.#loaded = true;
    this.#wholeMs = askedMs;
    if (this.state.position > before) this.changed.notify();
  }

  #refuseWhenFenced({ node, epoch }: Writer): void {
    const found = this.#machine.writerEpoch(this.state, node);
    if (found > epoch) throw fencedError(this.#tracker.log.prefix, node, { own: epoch, found });
  }

  /** Notes what is to do when a checkpoint is due: it falls to the one who won its number, or to who keeps the log alone. */
  #noteWon(entry: LogEntry): void {
    const isMany =
      this.#keeps === undefined
        ? entry.position % this.#checkpointEntries === 0
        : this.#uncoveredCount >= this.#checkpointEntries;
    const due = isMany || this.#uncoveredSizeBytes >= this.#checkpointSizeBytes;
    if (!due || this.#keeps?.(this.state) === false) return;
    this.#due = this.state;
    this.#uncoveredSizeBytes = 0;
    this.#uncoveredCount = 0;
  }

  #noteSize(entry: LogEntry): void {
    // Large ones of the section before are the concern of whoever won its last number.
    const begins = entry.position % this.#checkpointEntries === 1;
    if (begins && this.#due === undefined) this.#large = [];
    const sizeBytes = toJson(entry.body).length + entry.payload.length;
    this.#uncoveredSizeBytes += sizeBytes;
    this.#uncoveredCount += 1;
    if (entry.kind !== "stone" && sizeBytes >= STONE_ENTRY_SIZE_MIN)
      this.#large.push({ ...entry, body: {}, payload: new Uint8Array(0) });
  }
}
