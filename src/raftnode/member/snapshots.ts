import { Mutex } from "#base/async.ts";
import { DbError, describeError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Message, PeerId, Snapshot } from "#raft/message.ts";
import type { LogItem, SnapshotMark } from "../log/items.ts";
import type { LogState } from "../log/log-state.ts";
import type { Chunks, SnapshotFolder } from "../snapshot/snapshot-folder.ts";
import type { RaftTransport } from "../transport/transport.ts";

/** To peers, at once. */
const SENDING_COUNT_MAX = 2;
/** Of data of the entries that stay. */
const KEPT_BYTES_MAX = 32 * 2 ** 20;
/** Between a snapshot that did not arrive and the next one. */
const PAUSE_MS = 500;

export interface SnapshotsOptions {
  readonly folder: SnapshotFolder;
  readonly state: LogState;
  readonly transport: RaftTransport;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what waits. */
  readonly signal: AbortSignal;
  /** Stores items when the disk is through with all before them. */
  readonly store: (make: () => readonly LogItem[]) => Promise<void>;
  /** A snapshot is there, as a file: the core decides whether it wants it. Answers whether it is being stored. */
  readonly receive: (message: Message) => boolean;
  readonly sent: (peer: PeerId, arrived: boolean) => void;
  /** Another may be made. */
  readonly made: () => void;
  readonly failed: (error: unknown) => void;
  /** Entries below a snapshot that stay, for followers that are a little behind. */
  readonly keptEntryCount: number;
}

/** Snapshots that this member makes, gets and sends; entries below one go. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** Takes one in at a time. Meanwhile others are made: a peer may be slow. */
  readonly #receiving = new Mutex();
  readonly #cleaning = new Mutex();
  /** What is being written, or is not in the log yet: its file stays. */
  readonly #held = new Set<SnapshotMark>();
  readonly #sending = new Set<PeerId>();
  readonly #working = new Set<Promise<void>>();
  #making = false;
  /** What was taken in and is on its way into the log. */
  #installing: Snapshot | undefined;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  get making(): boolean {
    return this.#making;
  }

  /** Makes a file of `chunks`, the state at `mark`, in the background; then drops entries below it. */
  make(mark: SnapshotMark, chunks: Chunks): void {
    this.#making = true;
    this.#own(
      this.#make(mark, chunks)
        .catch((error: unknown) => this.#options.failed(error))
        .finally(() => {
          this.#making = false;
          this.#options.made();
        }),
    );
  }

  /** Takes in the state of a peer's snapshot; resolves when it is a file, and the core has heard of it. */
  async receive(received: Message, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { snapshot } = received;
    if (snapshot === undefined) return;
    this.#refuseIfBusy();
    await this.#receiving.run(async () => {
      this.#refuseIfBusy();
      this.#held.add(snapshot);
      try {
        await this.#clean();
        const { configuration, index, term } = snapshot;
        // Where a newer one is here already, the core tells the leader how far it is.
        const isNewer = index > (this.#options.state.mark?.index ?? 0);
        if (isNewer) await this.#options.folder.write({ configuration, index, term }, chunks);
        if (this.#options.receive(received)) this.#installing = snapshot;
      } finally {
        if (this.#installing !== snapshot) this.#held.delete(snapshot);
      }
    });
  }

  /** The state machine is where a peer's snapshot put it. */
  installed(): void {
    if (this.#installing !== undefined) this.#held.delete(this.#installing);
    this.#installing = undefined;
  }

  /** Sends the state beside `sent`, in the background, and tells how that went. */
  send(sent: Message): void {
    const { log, transport } = this.#options;
    const { snapshot, to } = sent;
    if (snapshot === undefined) return;
    if (this.#sending.has(to) || this.#sending.size >= SENDING_COUNT_MAX) {
      // Not before this turn of the core is over.
      this.#own(Promise.resolve().then(() => this.#options.sent(to, false)));
      return;
    }
    this.#sending.add(to);
    const sending = transport.sendSnapshot(sent, this.#options.folder.read(snapshot)).then(
      () => true,
      (error: unknown) => {
        log.warn("A snapshot did not reach its raft peer.", {
          peer: to,
          error: describeError(error),
        });
        return false;
      },
    );
    this.#own(this.#reportSent(to, sending));
  }

  /** Resolves when nothing is under way any more. The transport is to be closed before. */
  async stop(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  async #make(mark: SnapshotMark, chunks: Chunks): Promise<void> {
    const { folder, keptEntryCount, log, state, store } = this.#options;
    this.#held.add(mark);
    try {
      await this.#clean();
      await folder.write(mark, chunks);
      await store(() => {
        // One of a peer may have come meanwhile.
        if (mark.index <= (state.mark?.index ?? 0)) return [];
        const items: LogItem[] = [{ kind: "snapshot", mark }];
        const position = state.compactable(mark.index, keptEntryCount, KEPT_BYTES_MAX);
        if (position !== undefined) items.push({ kind: "compacted", position });
        return items;
      });
    } finally {
      this.#held.delete(mark);
    }
    log.info("Made a snapshot of the raft group's state.", { index: mark.index });
    await this.#clean();
  }

  async #reportSent(peer: PeerId, sending: Promise<boolean>): Promise<void> {
    const arrived = await sending;
    const { clock, signal } = this.#options;
    if (!arrived) await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    this.#sending.delete(peer);
    this.#options.sent(peer, arrived);
  }

  /** Removes the files of all snapshots that are neither the newest nor in hand. Who writes one has all earlier removals behind it then. */
  #clean(): Promise<void> {
    const { folder, state } = this.#options;
    return this.#cleaning.run(() => {
      const kept: SnapshotMark[] = [...this.#held];
      if (state.mark !== undefined) kept.push(state.mark);
      return folder.keepOnly(kept);
    });
  }

  /** One that waits would time out. */
  #refuseIfBusy(): void {
    if (this.#installing !== undefined || this.#making)
      throw new DbError("unavailable", "raft_busy", "This member stores another snapshot now.");
  }

  #own(work: Promise<void>): void {
    const owned = work.finally(() => this.#working.delete(owned));
    this.#working.add(owned);
  }
}
