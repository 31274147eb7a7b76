import { assert } from "#base/errors.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import { type Change, decodeChange, type Operation, TRANSITIONS } from "../configuration/change.ts";
import { MemoryStorage } from "../log/memory-storage.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfigurationState,
  type Entry,
  type HardState,
  type Message,
  type PeerId,
  peerId,
  type Snapshot,
} from "../message.ts";
import { RaftNode } from "../node.ts";
import { RAFT_DEFAULTS, type RaftOptions } from "../options.ts";
import type { Ready } from "../ready.ts";
import { History, termsOf } from "./history.ts";

export interface ChaosSettings {
  readonly nodeCount: number;
  /** Nodes up to this one are members from the beginning. */
  readonly memberCount: number;
  readonly stepCount: number;
  readonly changes: boolean;
  /** Of a hundred messages, how many are lost. */
  readonly lostPercent: number;
  readonly options: Partial<RaftOptions>;
}

/** What happened, so that a test can see that it did. */
export interface ChaosCounts {
  applied: number;
  reads: number;
  crashes: number;
  snapshots: number;
  changes: number;
  leaders: number;
}

const FIRST_INDEX = 2;
const CALM_ROUNDS_MAX = 400;
const MESSAGES_MAX = 2000;

/** The disk of a node, and the state machine above it: what it holds is the index up to which it applied, and the configuration. */
class Disk extends MemoryStorage {
  /** The state machine; lost with the process. */
  applied: Snapshot;
  #synced: HardState = this.initialState().hardState;
  #base: Snapshot;

  constructor(base: Snapshot) {
    super();
    this.#base = base;
    this.applied = base;
    super.applySnapshot(base);
  }

  override snapshot(): Snapshot | undefined {
    return this.applied.index === 0 ? undefined : this.applied;
  }

  /** What comes with entries, a snapshot, another term or another vote is synced; a commit index alone is not. */
  store(
    { entries, snapshot }: Pick<Ready, "entries" | "snapshot">,
    hardState: HardState | undefined,
  ): void {
    const written = hardState ?? this.initialState().hardState;
    const { term, vote } = this.#synced;
    this.setHardState(written);
    if (snapshot !== undefined) {
      super.applySnapshot(snapshot);
      this.#base = snapshot;
      this.applied = snapshot;
    }
    this.append(entries);
    const voted = written.term !== term || written.vote !== vote;
    if (entries.length > 0 || snapshot !== undefined || voted) this.#synced = written;
  }

  compactTo(index: number): void {
    if (index > this.applied.index) return;
    this.setSnapshot(this.applied);
    this.#base = this.applied;
    this.compact(index);
  }

  /** The process ended: the state machine is gone, and what was not synced may be. */
  crash(lose: boolean): void {
    this.applied = this.#base;
    if (lose) this.setHardState(this.#synced);
  }
}

interface ChaosNode {
  readonly id: PeerId;
  readonly disk: Disk;
  node: RaftNode;
  /** How often its process was started. */
  runCount: number;
  /** To the append and the apply thread, where storage is asynchronous. */
  work: Message[];
}

/**
 * A cluster in which everything that may happen does, as a seed says: messages are lost, doubled and reordered, nodes cut off, ended and
 * started again, members changed. `History` throws where a promise of raft is broken.
 */
export class Chaos {
  readonly counts: ChaosCounts = {
    applied: 0,
    reads: 0,
    crashes: 0,
    snapshots: 0,
    changes: 0,
    leaders: 0,
  };
  readonly #random: Random;
  readonly #settings: ChaosSettings;
  readonly #history = new History();
  readonly #nodes: readonly ChaosNode[];
  #messages: Message[] = [];
  /** Those on one side of a network that is divided: nothing passes from one side to the other. */
  #side: ReadonlySet<PeerId> = new Set();
  #proposed = 0;

  constructor(seed: number, settings: ChaosSettings) {
    this.#random = seededRandom(seed);
    this.#settings = settings;
    const ids = Array.from({ length: settings.nodeCount }, (_, i) => peerId(i + 1));
    const configuration: ConfigurationState = {
      voters: ids.slice(0, settings.memberCount),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    };
    const nobody = { ...configuration, voters: [] };
    this.#nodes = ids.map((id) => {
      const member = id <= settings.memberCount;
      const data = new Uint8Array();
      const disk = new Disk(
        member
          ? { index: FIRST_INDEX, term: 1, configuration, data }
          : { index: 0, term: 0, configuration: nobody, data },
      );
      return { id, disk, node: this.#start(id, disk), work: [], runCount: 1 };
    });
  }

  /** Everything happens, then nothing bad does any more: all members agree in the end. */
  run(): ChaosCounts {
    for (let i = 0; i < this.#settings.stepCount; i += 1) this.#step();
    this.#calm();
    return this.counts;
  }

  #start(id: PeerId, storage: Disk): RaftNode {
    return new RaftNode({
      ...RAFT_DEFAULTS,
      electionTicks: 4,
      messageBytesMax: 1,
      inflightCountMax: 4,
      applyingBytesMax: 300,
      ...this.#settings.options,
      id,
      storage,
      appliedIndex: storage.applied.index,
      random: this.#random,
    });
  }

  #step(): void {
    const chosen = this.#any(this.#nodes);
    const dice = below(this.#random, 1000);
    if (dice < 150) chosen.node.tick();
    else if (dice < 500) this.#work(chosen, below(this.#random, 100) === 0);
    else if (dice < 880) this.#deliverAny();
    else if (dice < 920) this.#propose(chosen);
    else if (dice < 935) this.#read(chosen);
    else if (dice < 938) this.#crash(chosen);
    else if (dice < 945) this.#compact(chosen);
    else if (dice < 960) this.#divide(chosen);
    else this.#disturb(chosen);
  }

  /** Stores, sends and applies some of what is due. `crash`: the process ends between two of these. */
  #work(one: ChaosNode, crash: boolean): void {
    const { node } = one;
    if (one.work.length > 0 && below(this.#random, 2) === 0) {
      this.#workThread(one);
      return;
    }
    if (!node.hasReady()) return;
    const ready = node.ready();
    this.#noteReady(one, ready);
    if (this.#settings.options.asyncStorageWrites === true) {
      for (const sent of ready.messages) {
        if (sent.to === APPEND_THREAD || sent.to === APPLY_THREAD) one.work.push(sent);
        else this.#messages.push(sent);
      }
      return;
    }
    const crashAfter = crash ? below(this.#random, 4) : -1;
    const parts = [
      () => this.#store(one, ready, ready.hardState),
      () => this.#messages.push(...ready.messages),
      () => this.#apply(one, ready.committedEntries),
      () => node.advance(),
    ];
    for (const [part, work] of parts.entries()) {
      if (part === crashAfter) {
        this.#crash(one);
        return;
      }
      work();
    }
    this.#noteLeader(one);
  }

  /** The append and the apply thread are each in order; which of them is first is not said. */
  #workThread(one: ChaosNode): void {
    const thread = this.#any(one.work).to;
    const at = one.work.findIndex(({ to }) => to === thread);
    const work = one.work[at];
    if (work === undefined) return;
    one.work.splice(at, 1);
    if (thread === APPLY_THREAD) {
      this.#apply(one, work.entries);
    } else {
      const { term, vote, commit } = work;
      const empty = term === 0 && vote === 0 && commit === 0;
      this.#store(one, work, empty ? undefined : { term, vote, commit });
    }
    for (const response of work.responses) {
      if (response.to === one.id) one.node.step(response);
      else this.#messages.push(response);
    }
    // Its log is on the disk then.
    if (one.work.length === 0 && !one.node.hasReady()) this.#noteLeader(one);
  }

  #store(
    { id, disk }: ChaosNode,
    written: Pick<Ready, "entries" | "snapshot">,
    hardState: HardState | undefined,
  ): void {
    for (const entry of written.entries) this.#history.noteEntry(entry);
    disk.store(written, hardState);
    if (written.snapshot !== undefined) this.counts.snapshots += 1;
    if (hardState !== undefined) this.#history.noteHardState(id, hardState);
    this.#history.noteLog(termsOf(disk));
  }

  #apply({ id, node, disk }: ChaosNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { index, term } = entry;
      assert(index === disk.applied.index + 1, `node ${id} applied ${index} out of order`);
      const { commit, term: inTerm } = node.status();
      assert(index <= commit, `node ${id} applied ${index}, and only ${commit} is committed`);
      this.#history.noteCommitted(index, term, inTerm);
      this.#history.noteApplied(entry);
      this.counts.applied += 1;
      const change = decodeChange(entry);
      if (change !== undefined) this.counts.changes += 1;
      const configuration =
        change === undefined ? disk.applied.configuration : node.applyChange(change);
      disk.applied = { ...disk.applied, index, term, configuration };
    }
  }

  #noteReady({ id }: ChaosNode, { readStates }: Ready): void {
    for (const { index, context } of readStates) {
      this.counts.reads += 1;
      this.#history.noteRead(id, context, index);
    }
  }

  #noteLeader({ disk, id, node, runCount }: ChaosNode): void {
    const { role, term } = node.status();
    if (role !== "leader") return;
    const who = `${id} in run ${runCount}`;
    if (this.#history.noteLeader(who, term, termsOf(disk))) this.counts.leaders += 1;
  }

  #deliverAny(): void {
    if (this.#messages.length === 0) return;
    // Mostly in order, as networks are.
    const far = below(this.#random, 4) === 0;
    const at = far ? below(this.#random, this.#messages.length) : 0;
    const sent = this.#messages[at];
    if (sent === undefined) return;
    if (below(this.#random, 40) > 0) this.#messages.splice(at, 1);
    if (this.#messages.length > MESSAGES_MAX) this.#messages = [];
    if (this.#side.has(sent.from) !== this.#side.has(sent.to)) return;
    if (below(this.#random, 100) < this.#settings.lostPercent) return;
    this.#nodes[sent.to - 1]?.node.step(sent);
  }

  #propose({ node }: ChaosNode): void {
    this.#proposed += 1;
    node.propose(new TextEncoder().encode(`proposal ${this.#proposed}`));
  }

  #read({ id, node }: ChaosNode): void {
    node.readIndex(this.#history.beginRead(id));
  }

  #crash(one: ChaosNode): void {
    this.counts.crashes += 1;
    one.disk.crash(below(this.#random, 2) === 0);
    one.work = [];
    one.node = this.#start(one.id, one.disk);
    one.runCount += 1;
  }

  #compact({ disk }: ChaosNode): void {
    disk.compactTo(disk.applied.index - below(this.#random, 4));
  }

  #divide({ id }: ChaosNode): void {
    if (this.#side.size > 0 && below(this.#random, 3) === 0) this.#side = new Set();
    else this.#side = new Set([id, this.#any(this.#nodes).id]);
  }

  #disturb({ node }: ChaosNode): void {
    const other = this.#any(this.#nodes).id;
    const dice = below(this.#random, 10);
    if (dice <= 1) node.campaign();
    else if (dice === 2) node.transferLeader(other);
    else if (dice === 3) node.forgetLeader();
    else if (dice === 4) node.reportUnreachable(other);
    else if (dice === 5) node.reportSnapshot(other, below(this.#random, 2) === 0);
    else if (this.#settings.changes) node.proposeChange(this.#anyChange());
  }

  #anyChange(): Change {
    const kinds = ["add_voter", "add_voter", "add_learner", "remove"] as const;
    const operations = Array.from({ length: below(this.#random, 5) }, (): Operation => {
      return { kind: this.#any(kinds), peer: this.#any(this.#nodes).id };
    });
    const transition = operations.length === 0 ? "auto" : this.#any(TRANSITIONS);
    return { transition, operations, context: "" };
  }

  /** Nothing is lost any more; within a bounded time some leader has all members apply one more entry. */
  #calm(): void {
    this.#side = new Set();
    for (let round = 0; round < CALM_ROUNDS_MAX; round += 1) {
      for (const one of this.#nodes) {
        one.node.tick();
        while (one.node.hasReady() || one.work.length > 0) this.#work(one, false);
      }
      const messages = this.#messages;
      this.#messages = [];
      for (const sent of messages) this.#nodes[sent.to - 1]?.node.step(sent);
      if (round % 20 < 19) continue;
      if (this.#isDone()) return;
      this.#reportSnapshots();
    }
    throw new Error("the members did not agree in the end");
  }

  /** Nobody knows whether a snapshot has arrived whose answer was lost, until the driver says so. */
  #reportSnapshots(): void {
    for (const { node } of this.#nodes) {
      for (const [id, { state }] of node.status().members) {
        if (state === "snapshot") node.reportSnapshot(id, false);
      }
    }
  }

  #isDone(): boolean {
    const leader = this.#nodes.find(({ node }) => node.status().role === "leader");
    if (leader === undefined) return false;
    const { members, configuration, term } = leader.node.status();
    if (configuration.votersOutgoing.size > 0) {
      leader.node.proposeChange({ transition: "auto", operations: [], context: "" });
      return false;
    }
    const { index } = leader.disk.applied;
    const last = leader.disk.term(leader.disk.lastIndex());
    const all = [...members.keys()].every(
      (id) => this.#nodes[id - 1]?.disk.applied.index === index,
    );
    return all && last === term && leader.disk.lastIndex() === index;
  }

  #any<T>(choices: readonly T[]): T {
    const chosen = choices[below(this.#random, choices.length)];
    assert(chosen !== undefined, "there is nothing to choose from");
    return chosen;
  }
}
