import { hex } from "#base/bytes.ts";
import { assert, describeError } from "#base/errors.ts";
import type { Entry, HardState, PeerId } from "#raft/message.ts";
import type { RaftNode } from "#raft/node.ts";
import { History } from "#raft/testing/history.ts";
import type { DurableLog } from "#raftnode/log/durable-log.ts";
import type { LogState } from "#raftnode/log/log-state.ts";
import type { Command } from "#raftnode/member/state-machine.ts";

/** What a member has just done. `began`: it has committed something for the first time since it leads. */
export type Moment = "led" | "began" | "committed" | "voted" | "changed" | "restored";

/** One run of a member, from its start to its end. */
export interface Run {
  readonly id: PeerId;
  /** From 1. */
  readonly number: number;
}

export interface WitnessOptions {
  readonly violate: (what: string) => void;
  readonly moment: (moment: Moment, id: PeerId) => void;
}

/** What was seen of one run. */
interface Seen {
  readonly core: RaftNode;
  commit: number;
  /** Up to here what is committed in its log was looked at. */
  durableCommit: number;
  syncCount: number;
  ledTerm: number;
  /** Whether it has committed something since then. */
  began: boolean;
  hardState: HardState;
  configuration: unknown;
  snapshotIndex: number;
  appliedIndex: number;
  /** Whether its registers are those of `appliedIndex`, and not of a snapshot that came since. */
  appliedLast: boolean;
}

/**
 * Looks at each member after each turn of its core, and at all that it applies: election safety, log matching, leader completeness and state
 * machine safety (raft.pdf figure 3) hold at each step, over all runs, and what is durable once stays.
 */
export class Witness {
  readonly #options: WitnessOptions;
  readonly #history = new History();
  readonly #runs = new Map<Run, Seen>();
  /** Up to here each member has held what is committed. */
  readonly #held = new Map<PeerId, number>();
  readonly #terms = new Map<PeerId, number>();
  /** Entries that were looked at where they stand. */
  readonly #entries = new WeakSet<Entry>();
  readonly #applied = new Map<number, string>();
  #appliedMax = 0;
  #leaderCount = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  get leaderCount(): number {
    return this.#leaderCount;
  }

  /** The core of `run` has done something. */
  turned(run: Run, core: RaftNode, durable: DurableLog): void {
    this.#hold(() => this.#look(run, core, durable));
  }

  /** `run` applies `commands`. */
  applies(run: Run, commands: readonly Command[]): void {
    this.#hold(() => {
      for (const command of commands) this.#apply(run, command);
    });
  }

  /** The registers of `run` become those of a snapshot. */
  restores(run: Run): void {
    const seen = this.#runs.get(run);
    if (seen !== undefined) seen.appliedLast = false;
  }

  /** A read begins at `run`; what this answers is called when its registers are looked at: they hold all that anybody has applied before it began. */
  beginRead(run: Run): () => void {
    const index = this.#appliedMax;
    return () => {
      const seen = this.#runs.get(run);
      if (seen?.appliedLast !== true || seen.appliedIndex >= index) return;
      this.#options.violate(
        `a read at ${run.id} sees what was applied up to ${seen.appliedIndex}, and ${index} was before it came`,
      );
    };
  }

  #look(run: Run, core: RaftNode, durable: DurableLog): void {
    const { applied, commit, configuration, role, term } = core.status();
    const { state } = durable;
    const seen = this.#seenOf(run, core, state);
    assert(commit >= seen.commit, `${run.id} commits ${commit} after ${seen.commit}`);
    assert(applied <= commit, `${run.id} has applied ${applied}, and ${commit} is committed`);
    if (durable.syncCount !== seen.syncCount) {
      seen.syncCount = durable.syncCount;
      this.#lookAtLog(state);
    }
    if (state.hardState !== seen.hardState) this.#lookAtHardState(run, state.hardState);
    this.#lookAtCommitted(run, seen, state);
    const leads = role === "leader";
    const isNew = leads && seen.ledTerm !== term;
    const commits = leads && commit > seen.commit;
    const changes = configuration !== seen.configuration;
    seen.commit = commit;
    seen.configuration = configuration;
    if (isNew) {
      Object.assign(seen, { ledTerm: term, began: false });
      if (this.#history.noteLeader(`${run.id} in run ${run.number}`, term, state))
        this.#leaderCount += 1;
    }
    this.#tellMoments(run, seen, state, { changes, commits, isNew });
  }

  /** What was written: entries that stand where they did not before. */
  #lookAtLog(state: LogState): void {
    const { firstIndex, lastIndex } = state;
    const entries = state.slice(firstIndex, lastIndex + 1, Number.POSITIVE_INFINITY);
    const known = entries.findLastIndex((entry) => this.#entries.has(entry));
    for (const entry of entries.slice(known + 1)) {
      this.#entries.add(entry);
      this.#history.noteEntry(entry);
    }
    // What was written may overwrite: below it stands what was there.
    const from = Math.max(firstIndex - 1, firstIndex + known);
    this.#history.noteLog({ firstIndex: from, lastIndex, term: (index) => state.term(index) });
  }

  /** A vote that was cast is not taken back, nor a term. */
  #lookAtHardState({ id }: Run, hardState: HardState): void {
    this.#history.noteHardState(id, hardState);
    const term = this.#terms.get(id) ?? 0;
    assert(hardState.term >= term, `${id} is back in term ${hardState.term} after ${term}`);
    this.#terms.set(id, hardState.term);
  }

  /** The commit index that is stored speaks of entries that are stored. */
  #lookAtCommitted({ id }: Run, seen: Seen, state: LogState): void {
    const { firstIndex, hardState, lastIndex } = state;
    const held = this.#held.get(id) ?? 0;
    assert(lastIndex >= held, `${id} held all up to ${held}, and its log ends at ${lastIndex}`);
    const end = Math.min(hardState.commit, lastIndex);
    for (let index = Math.max(seen.durableCommit + 1, firstIndex); index <= end; index += 1)
      this.#history.noteCommitted(index, state.term(index) ?? 0, hardState.term);
    seen.durableCommit = Math.max(seen.durableCommit, end);
    this.#held.set(id, Math.max(held, end));
  }

  #tellMoments(
    { id }: Run,
    seen: Seen,
    state: LogState,
    { changes, commits, isNew }: Readonly<Record<"changes" | "commits" | "isNew", boolean>>,
  ): void {
    const { moment } = this.#options;
    const { hardState } = state;
    const voted = hardState.vote !== seen.hardState.vote && hardState.vote > 0;
    const snapshotIndex = state.compacted.index;
    const restored = snapshotIndex > seen.snapshotIndex && state.mark?.index === snapshotIndex;
    Object.assign(seen, { hardState, snapshotIndex });
    const begins = commits && !seen.began;
    seen.began ||= commits;
    if (isNew) moment("led", id);
    if (begins) moment("began", id);
    if (commits) moment("committed", id);
    if (voted) moment("voted", id);
    if (changes) moment("changed", id);
    if (restored) moment("restored", id);
  }

  #apply(run: Run, { data, index }: Command): void {
    const seen = this.#runs.get(run);
    if (seen !== undefined) {
      const { commit } = seen.core.status();
      assert(index <= commit, `${run.id} applies ${index}, and ${commit} is committed`);
      assert(index > seen.appliedIndex, `${run.id} applies ${index} after ${seen.appliedIndex}`);
      seen.appliedIndex = index;
      seen.appliedLast = true;
    }
    const text = hex(data);
    const known = this.#applied.get(index) ?? text;
    assert(known === text, `state machine safety: ${index} is applied as two, now by ${run.id}`);
    this.#applied.set(index, text);
    this.#appliedMax = Math.max(this.#appliedMax, index);
  }

  #seenOf(run: Run, core: RaftNode, state: LogState): Seen {
    const known = this.#runs.get(run);
    if (known !== undefined) return known;
    const { configuration } = core.status();
    const seen: Seen = {
      core,
      commit: 0,
      durableCommit: 0,
      syncCount: -1,
      ledTerm: 0,
      began: false,
      hardState: state.hardState,
      configuration,
      snapshotIndex: state.compacted.index,
      appliedIndex: 0,
      appliedLast: false,
    };
    this.#runs.set(run, seen);
    return seen;
  }

  #hold(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#options.violate(describeError(error));
    }
  }
}
