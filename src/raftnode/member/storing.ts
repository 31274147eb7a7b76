import type { Clock } from "#ports/clock.ts";
import type { HardState, Message, Snapshot } from "#raft/message.ts";
import { Jobs } from "../jobs.ts";
import type { DurableLog } from "../log/durable-log.ts";
import type { LogItem } from "../log/items.ts";

/** Of entries that wait for the disk. */
const QUEUE_BYTES_MAX = 64 * 2 ** 20;
/** A disk that takes longer does not answer. */
const STALL_MS_MAX = 2_000;

type Job =
  | { readonly kind: "append"; readonly message: Message; readonly done?: undefined }
  | {
      readonly kind: "items";
      readonly make: () => readonly LogItem[];
      readonly done: PromiseWithResolvers<void>;
    };

export interface StoringOptions {
  readonly log: DurableLog;
  readonly clock: Clock;
  /** All that depends on this message being stored may be sent. */
  readonly stored: (message: Message) => void;
  /** Puts the state machine where a snapshot says that it is; resolves when that is done. */
  readonly install: (snapshot: Snapshot) => Promise<void>;
  /** Nothing waits any more. */
  readonly idle: () => void;
  /** The log is dead. */
  readonly failed: (error: unknown) => void;
}

/** The append thread: what the core wants stored, in order; what comes while the disk works goes there at once, and is synced once. */
export class Storing {
  readonly #options: StoringOptions;
  readonly #jobs: Jobs<Job>;
  #queueBytes = 0;
  /** When the disk was given what it does now. */
  #begunMs: number | undefined;

  constructor(options: StoringOptions) {
    this.#options = options;
    const { failed, idle } = options;
    this.#jobs = new Jobs<Job>({ countOf, work: (batch) => this.#storeBatch(batch), idle, failed });
  }

  /** Whether the disk has work. */
  get busy(): boolean {
    return this.#jobs.busy;
  }

  /** Whether so much waits for the disk that no more is to be taken from peers. */
  get full(): boolean {
    return this.#queueBytes > QUEUE_BYTES_MAX;
  }

  /** Whether the disk does not answer. Its member does nothing then: who leads and cannot write is not to lead. */
  get stalled(): boolean {
    const begunMs = this.#begunMs;
    return begunMs !== undefined && this.#options.clock.monotonicMs() - begunMs > STALL_MS_MAX;
  }

  append(message: Message): void {
    this.#queueBytes += bytesOf(message);
    this.#jobs.add({ kind: "append", message });
  }

  /** Stores what `make` gives when its turn has come; resolves when it is durable, and rejects where that does not come. */
  addItems(make: () => readonly LogItem[]): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#jobs.add({ kind: "items", make, done });
    return done.promise;
  }

  /** Takes nothing more, and resolves when the disk is done with what it has. */
  stop(): Promise<void> {
    return this.#jobs.stop();
  }

  async #storeBatch(batch: readonly Job[]): Promise<void> {
    try {
      await this.#write(batch);
    } catch (error) {
      for (const job of batch) if (job.kind === "items") job.done.reject(error);
      throw error;
    }
    for (const job of batch) {
      if (job.kind === "items") {
        job.done.resolve();
        continue;
      }
      this.#queueBytes -= bytesOf(job.message);
      const { snapshot } = job.message;
      if (snapshot !== undefined) await this.#options.install(snapshot);
      if (!this.#jobs.stopped) this.#options.stored(job.message);
    }
  }

  async #write(batch: readonly Job[]): Promise<void> {
    const { clock, log } = this.#options;
    const known = log.state.hardState;
    const items = batch.flatMap((job) =>
      job.kind === "append" ? itemsOf(job.message) : job.make(),
    );
    const commit = onlyCommit(items, known);
    this.#begunMs = clock.monotonicMs();
    try {
      if (commit !== undefined) await log.noteCommit(commit);
      else if (items.length > 0) await log.append(items);
    } finally {
      this.#begunMs = undefined;
    }
  }
}

/** All that waits, up to a snapshot and with it: the state machine goes there before anything later is answered. */
function countOf(queue: readonly Job[]): number {
  const end = queue.findIndex((job) => job.kind === "append" && job.message.snapshot !== undefined);
  return end < 0 ? queue.length : end + 1;
}

function itemsOf({ commit, entries, snapshot, term, vote }: Message): readonly LogItem[] {
  const items: LogItem[] = [];
  if (snapshot !== undefined) {
    const { configuration, index, term: snapshotTerm } = snapshot;
    items.push({ kind: "installed", mark: { index, term: snapshotTerm, configuration } });
  }
  if (entries.length > 0) items.push({ kind: "entries", entries });
  // A message without a hard state has no term.
  if (term > 0) items.push({ kind: "hardState", hardState: { term, vote, commit } });
  return items;
}

/** The last hard state, where all of `items` change the commit index alone. */
function onlyCommit(items: readonly LogItem[], known: HardState): HardState | undefined {
  let last: HardState | undefined;
  for (const item of items) {
    if (item.kind !== "hardState") return undefined;
    const { term, vote } = item.hardState;
    if (term !== known.term || vote !== known.vote) return undefined;
    last = item.hardState;
  }
  return last;
}

function bytesOf({ entries }: Message): number {
  return entries.reduce((sum, { data }) => sum + data.length, 0);
}
