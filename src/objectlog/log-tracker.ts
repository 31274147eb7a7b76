import { assert, DbError, isKind } from "#base/errors.ts";
import type { Epoch, NodeNumber, Position } from "#model/ids.ts";
import { EntriesAhead, READS_AHEAD_MAX } from "./entries-ahead.ts";
import type { ObjectLog } from "./object-log.ts";
import type { LogEntry } from "./record.ts";

/** What a log adds up to. `apply` is pure: it gives the next state and changes nothing. */
export interface LogMachine<State extends TrackedState> {
  readonly empty: State;
  /** The state after `entry`, whose position is the next one. */
  apply(state: State, entry: LogEntry): State;
  /**
   * The state that the checkpoint stands for. Rejects with `not_found` / `checkpoint_vanished` where something that it names is gone,
   * as a newer one has come.
   */
  restore(checkpoint: LogEntry): State | Promise<State>;
}

export interface TrackedState {
  readonly position: Position;
}

/** Hears of each step; what it awaits delays the step. */
export interface TrackerObserver<State> {
  /** Before an entry is applied; a checkpoint that is jumped to has none. */
  onEntry?(entry: LogEntry): void;
  /** Before `next` is shown: makes ready what those who see it will ask for. */
  onNext?(next: State): Promise<void> | void;
  /** After `state` is shown: lets go of what only the states before it needed. */
  onShown?(state: State): Promise<void> | void;
}

/** So often in a row the newest checkpoint may be found to be gone: a list may be older than what it lists. */
const VANISHED_COUNT_MAX = 3;

/**
 * Reads one log along: the newest checkpoint, then entry after entry.
 *
 * One caller at a time: `advance` and `take` must not run at once.
 */
export class LogTracker<State extends TrackedState> {
  readonly log: ObjectLog;
  readonly #machine: LogMachine<State>;
  readonly #observer: TrackerObserver<State>;
  readonly #readsMax: number;
  #state: State;
  /** Up to here no entry brings what a leap goes to. */
  #leapless: Position = 0;

  /** Who is behind reads at most `readsMax` entries at once. */
  constructor(
    log: ObjectLog,
    machine: LogMachine<State>,
    observer: TrackerObserver<State> = {},
    readsMax = READS_AHEAD_MAX,
  ) {
    this.log = log;
    this.#readsMax = readsMax;
    this.#machine = machine;
    this.#observer = observer;
    this.#state = machine.empty;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Applies what stands above the state, until nothing does. A position that is not there is the tail only if no
   * checkpoint, listed after it was asked for, stands at or above it (rule 5): `certain` makes sure of that, as everybody must who acts
   * on the tail. Without it, the state may end below a stretch of deleted entries, and it is enough to get to `through`, if given.
   * Whoever is far behind goes on from a newer checkpoint, where there is one: what it covers is not read entry by entry.
   */
  async advance(options: { certain: boolean; through?: Position }): Promise<void> {
    if (this.#state.position === 0) await this.restoreNewest();
    const { certain, through = Number.POSITIVE_INFINITY } = options;
    const askedMax = certain ? Number.POSITIVE_INFINITY : through;
    const ahead = new EntriesAhead(this.log, askedMax, this.#readsMax);
    for (let asked = this.#next; asked <= askedMax; asked = this.#next) {
      const entry = await ahead.read(asked);
      if (entry === undefined) {
        if (!certain) return;
        if ((await this.restoreNewest()) || (await this.#movedMeanwhile(asked))) continue;
        return;
      }
      if (entry.kind === "stone") await this.#passStone(entry);
      else if (await this.#isPassedOver(entry, ahead)) continue;
      else await this.take(entry);
    }
  }

  /**
   * Applies what stands above the state up to the first state that is `wanted`, and shows that alone; answers whether there is one
   * below the tail and the next fence. Only an entry that `brings` it makes a state wanted; each is read once to find it, and those below
   * it are kept only after that.
   */
  async leap(
    wanted: (state: State) => boolean,
    brings: (entry: LogEntry) => boolean,
  ): Promise<boolean> {
    while (true) {
      this.#leapless = Math.max(this.#leapless, this.#state.position);
      const entry = await this.log.read(this.#leapless + 1);
      if (entry === undefined || entry.kind === "stone" || entry.kind === "fence") return false;
      const next = brings(entry) ? await this.#stateAt(entry.position) : undefined;
      if (next !== undefined && wanted(next)) {
        await this.#show(next);
        return true;
      }
      this.#leapless = entry.position;
    }
  }

  /** The state after the entry at `position`, which was there; undefined where one below it is gone by now. */
  async #stateAt(position: Position): Promise<State | undefined> {
    let state = this.#state;
    while (state.position < position) {
      const entry = await this.log.read(state.position + 1);
      if (entry === undefined || entry.kind === "stone") return undefined;
      state = this.#machine.apply(state, entry);
    }
    return state;
  }

  /** Applies `entry`, which is the next one. */
  async take(entry: LogEntry): Promise<void> {
    assert(entry.position === this.#next, "entries are applied without holes");
    this.#observer.onEntry?.(entry);
    await this.#show(this.#machine.apply(this.#state, entry));
  }

  /** Replaces the state by `simpler`, which stands for the same entries and holds less. */
  amend(simpler: State): void {
    assert(simpler.position === this.#state.position, "what is simpler is at the same position");
    this.#state = simpler;
  }

  /**
   * Lists the checkpoints, and jumps to the newest if it stands above the state; answers whether it did. After a fence was won
   * or met at the next position, `true` says that the fence is void (rule 5).
   */
  async restoreNewest(): Promise<boolean> {
    let vanishedCount = 0;
    for (let before = 0; ; ) {
      const newest = await this.log.newestCheckpoint();
      if (newest <= this.#state.position) return false;
      try {
        const checkpoint = await this.log.readCheckpoint(newest);
        const next = await this.#machine.restore(checkpoint);
        assert(next.position === newest, "a checkpoint stands for its own position");
        await this.#show(next);
        return true;
      } catch (error) {
        if (!(isKind(error, "not_found") && error.code === "checkpoint_vanished")) throw error;
        vanishedCount = newest === before ? vanishedCount + 1 : 0;
        if (vanishedCount >= VANISHED_COUNT_MAX) throw await this.#goneFor(newest, error);
        before = newest;
      }
    }
  }

  /** Whether the state went on to a checkpoint instead of `entry`: a fence may be void, and whoever is far behind need not read it all. */
  async #isPassedOver(entry: LogEntry, ahead: EntriesAhead): Promise<boolean> {
    return (entry.kind === "fence" || ahead.manyInARow) && (await this.restoreNewest());
  }

  get #next(): Position {
    return this.#state.position + 1;
  }

  /** Whether `asked` is there after all; throws `corrupt` / `log_hole` where it is not, and later entries are. */
  async #movedMeanwhile(asked: Position): Promise<boolean> {
    if (!(await this.log.hasEntryAfter(asked))) return false;
    if ((await this.log.read(asked)) !== undefined || (await this.restoreNewest())) return true;
    throw new DbError(
      "corrupt",
      "log_hole",
      `entry ${asked} of ${this.log.prefix} is gone, and later ones are there: it was deleted by somebody else`,
      { detail: { prefix: this.log.prefix, position: asked } },
    );
  }

  /** What a newer checkpoint has replaced is gone; of the newest, nothing may be. It is not the newest if it is gone itself. */
  async #goneFor(position: Position, cause: DbError): Promise<DbError> {
    const { prefix } = this.log;
    if (!(await this.log.hasCheckpoint(position)))
      return new DbError(
        "unavailable",
        "list_stale",
        `the store lists checkpoint ${position} of ${prefix}, which is gone, and none that has replaced it: its lists are older than its objects`,
        { detail: { prefix, position }, cause },
      );
    return new DbError(
      "corrupt",
      "checkpoint_incomplete",
      `checkpoint ${position} of ${prefix} is the newest, and what it stands for cannot be read: ${cause.message}`,
      { detail: { ...cause.detail, prefix, position }, cause },
    );
  }

  async #show(next: State): Promise<void> {
    await this.#observer.onNext?.(next);
    this.#state = next;
    await this.#observer.onShown?.(next);
  }

  async #passStone(stone: LogEntry): Promise<void> {
    if (await this.restoreNewest()) return;
    throw new DbError(
      "corrupt",
      "checkpoint_missing",
      `entry ${stone.position} of ${this.log.prefix} was replaced under a checkpoint, and no checkpoint is there`,
      { detail: { prefix: this.log.prefix, position: stone.position } },
    );
  }
}

/** Says that a newer start of this node, or a newer term of this office, exists: this one stops and deletes nothing (rule 3). */
export function fencedError(what: string, node: NodeNumber, epochs: { own: Epoch; found: Epoch }) {
  return new DbError(
    "conflict",
    "node_fenced",
    `${what}: epoch ${epochs.found} of this node exists, this process is epoch ${epochs.own} and stops; another process has its node-id now, or has closed its log`,
    { detail: { node, ownEpoch: epochs.own, foundEpoch: epochs.found } },
  );
}
