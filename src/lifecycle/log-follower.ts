import type { Signal } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { LogBuffer } from "#buffer/buffer.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";
import {
  type Adopted,
  type NodeLogState,
  nodeLogMachine,
  withoutAdopted,
} from "#nodelog/node-log-state.ts";
import { LogTracker, type TrackerObserver } from "#objectlog/log-tracker.ts";
import type { ObjectLog } from "#objectlog/object-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import { bufferObserver, type LogSource } from "#view/log-source.ts";
import { Nap } from "./nap.ts";

/** What is known of the end of a node log without asking the store. */
export interface KnownEnd {
  /** All that its node has acknowledged, but in the last seconds, stands at or below this position. */
  readonly told: Position | undefined;
  /** The epoch in which the node has stopped: nothing comes any more that another epoch does not bring. */
  readonly stoppedIn: Epoch | undefined;
}

export interface LogFollowerOptions {
  readonly node: NodeNumber;
  readonly log: ObjectLog;
  readonly buffer: LogBuffer;
  /** Whether its rows are wanted here, or only what its records say. */
  readonly keepRows: boolean;
  /** Whether rows of other nodes take all the memory that they may. */
  readonly isFull: () => boolean;
  /** Notified when the log has moved. */
  readonly changed: Signal;
  /** How far the manifest has it, as this process knows. */
  readonly adopted: () => Adopted;
  /** Where its end is known to be reached, it is not looked at. Nothing is ever known unless given. */
  readonly end?: () => KnownEnd;
  readonly intervalMs: number;
  /** Entries that it reads at once while it is behind; as `LogTracker` does unless given. */
  readonly readsMax?: number | undefined;
  readonly clock: Clock;
  readonly logger: Log;
}

/** A follower that sees nothing new for this long makes sure that there is nothing (rule 5). */
const STALLED_MS = 10_000;
/** Also where its end is known it is looked at so often: a net below those who told. */
const QUIET_LOOK_MS = 15 * 60_000;
const TROUBLE_PAUSE_MS_MAX = 5_000;

/** Reads another node's log along: its newest checkpoint, then what it appends. */
export class LogFollower implements LogSource {
  readonly node: NodeNumber;
  readonly buffer: LogBuffer;
  readonly #options: LogFollowerOptions;
  readonly #tracker: LogTracker<NodeLogState>;
  #wanted: Position = 0;
  /** How far the log goes, as others say. */
  #heard: Position = 0;
  /** The pause between two looks. */
  readonly #nap: Nap;
  /** When it last knew for certain where the tail is. */
  #certainMs = Number.NEGATIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** The epoch whose stop was known when the log was last read to its tail for certain. */
  #endedIn: Epoch | undefined;
  #trouble: DbError | undefined;

  constructor(options: LogFollowerOptions) {
    const { node, buffer, keepRows, log, changed, readsMax } = options;
    this.node = node;
    this.buffer = buffer;
    this.#options = options;
    this.#nap = new Nap(options.clock);
    const observer = keepRows
      ? this.#bounded(bufferObserver(buffer, changed))
      : { onShown: () => changed.notify() };
    this.#tracker = new LogTracker(log, nodeLogMachine, observer, readsMax);
  }

  get state(): NodeLogState {
    return this.#tracker.state;
  }

  /** Why the log cannot be read on: a damaged object, a record of a later version, or no memory for its rows. */
  get trouble(): DbError | undefined {
    return this.#trouble;
  }

  /** Somebody waits for `position`, which was there when it was named: the next poll looks for it for certain. */
  want(position: Position): void {
    if (position > this.#wanted) this.#wanted = position;
  }

  /**
   * Somebody says that `position` is there: it is looked for at once. True or not, nothing else comes of it; after a failure even
   * that waits for the next look.
   */
  hear(position: Position): void {
    if (position <= this.state.position) return;
    this.#heard = Math.max(this.#heard, position);
    this.#nap.wake();
  }

  /** Reads to the tail of now, for certain. After a failure `trouble` says whether it will last. */
  async load(): Promise<void> {
    try {
      await this.poll();
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  /** Reads on until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs, logger } = this.#options;
    for (let failureCount = 0; !signal.aborted; ) {
      let pauseMs = intervalMs;
      try {
        if (failureCount > 0 || this.#isDue()) await this.poll();
        else this.#rest();
        this.#trouble = undefined;
        failureCount = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "internal")) throw error;
        failureCount += 1;
        pauseMs = Math.min(TROUBLE_PAUSE_MS_MAX, intervalMs * 2 ** failureCount);
        this.#note(error);
        if (failureCount === 1)
          logger.warn("cannot read on in a node log", describe(error, this.node));
      }
      await this.#pause(pauseMs, { wakeable: failureCount === 0, signal });
    }
  }

  /** Reads what is there now; after a push, as far as it says: what comes later has a push of its own, or the next look. */
  async poll(): Promise<void> {
    const { adopted, clock } = this.#options;
    const before = this.state.position;
    const wanted = this.#wanted;
    const heard = this.#heard;
    const { stoppedIn } = this.#end;
    const overtaken = Math.max(adopted().position, wanted) > before;
    const ended = stoppedIn !== undefined && stoppedIn !== this.#endedIn;
    this.#lookedMs = clock.monotonicMs();
    const stalled = !this.#isWhole() && this.#lookedMs - this.#certainMs >= STALLED_MS;
    const through = heard > before ? heard : Number.POSITIVE_INFINITY;
    if (this.#options.isFull()) await this.#passOver();
    await this.#tracker.advance({ certain: overtaken || ended || stalled, through });
    this.#forgetAdopted();
    if (ended) this.#endedIn = stoppedIn;
    // What a certain look did not find is not there, whatever a token says: it is not looked for again and again.
    if (this.#wanted === wanted) this.#wanted = 0;
    if (this.#heard === heard) this.#heard = 0;
    if (stalled || this.state.position > before) this.#certainMs = clock.monotonicMs();
  }

  get #end(): KnownEnd {
    return this.#options.end?.() ?? { told: undefined, stoppedIn: undefined };
  }

  /** Whether all that was acknowledged is in the state, as far as is known without the store. */
  #isWhole(): boolean {
    const { stoppedIn, told } = this.#end;
    if (told !== undefined) return told <= this.state.position;
    return stoppedIn !== undefined && stoppedIn === this.#endedIn;
  }

  /** Whether it is time to look: always, unless nothing can have come. */
  #isDue(): boolean {
    const { adopted, clock } = this.#options;
    if (this.#trouble !== undefined || !this.#isWhole()) return true;
    if (clock.monotonicMs() - this.#lookedMs >= QUIET_LOOK_MS) return true;
    return Math.max(this.#wanted, this.#heard, adopted().position) > this.state.position;
  }

  /** Nothing can have come: that is as good as a look that found the tail (rule 5). */
  #rest(): void {
    this.#certainMs = this.#options.clock.monotonicMs();
    this.#forgetAdopted();
  }

  #forgetAdopted(): void {
    this.#tracker.amend(withoutAdopted(this.state, this.#options.adopted()));
  }

  /** Goes to where rows that would come next are in files already, if it is known by now. */
  async #passOver(): Promise<void> {
    const { snapshotted } = this.state;
    // A newer checkpoint may bring more rows, and stand before the record that makes room.
    const wanted = (state: NodeLogState) => state.snapshotted > snapshotted;
    if (await this.#tracker.leap(wanted, ({ kind }) => kind === "snapshot")) return;
    await this.#tracker.restoreNewest();
  }

  /** Takes no state with more rows while there is no room for them; one with more rows in files makes room. */
  #bounded(observer: TrackerObserver<NodeLogState>): TrackerObserver<NodeLogState> {
    return {
      ...observer,
      onNext: async (next) => {
        const { flushes, snapshotted } = this.state;
        const grows = next.flushes.length > flushes.length && next.snapshotted === snapshotted;
        if (grows && this.#options.isFull()) throw peerRowsFull(this.node);
        await observer.onNext?.(next);
      },
    };
  }

  /** Waits until it is time for the next look, or until there is something that was heard of meanwhile. */
  async #pause(
    pauseMs: number,
    { wakeable, signal }: { wakeable: boolean; signal: AbortSignal },
  ): Promise<void> {
    if (!wakeable) await this.#options.clock.sleep(pauseMs, signal).catch(() => undefined);
    else if (this.#heard <= this.state.position) await this.#nap.take(pauseMs, signal);
  }

  #note(error: unknown): void {
    if (isKind(error, "corrupt") || isKind(error, "unsupported") || isFullError(error))
      this.#trouble = error;
  }
}

function peerRowsFull(node: NodeNumber): DbError {
  return new DbError(
    "unavailable",
    "peer_rows_full",
    "rows of other nodes that are in no file yet take all the memory that they may here: ask another node, or again when they have made snapshots",
    { detail: { node } },
  );
}

function isFullError(error: unknown): error is DbError {
  return error instanceof DbError && error.code === "peer_rows_full";
}

function describe(error: unknown, node: NodeNumber) {
  const code = error instanceof DbError ? error.code : "internal";
  return { node, code, reason: error instanceof Error ? error.message : String(error) };
}
