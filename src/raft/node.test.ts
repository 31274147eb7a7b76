import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { MemoryStorage } from "./log/memory-storage.ts";
import { type Message, message, NOBODY, peerId } from "./message.ts";
import { RaftNode } from "./node.ts";
import { RAFT_DEFAULTS, type RaftOptions } from "./options.ts";
import type { Ready } from "./ready.ts";
import { Cluster, type NodeSettings } from "./testing/cluster.ts";
import { Output } from "./testing/output.ts";

const START = 5;

/** Nodes that vote, at one log; what they hand out is in `readys`. */
class Group {
  readonly readys: Ready[] = [];
  readonly #cluster: Cluster;

  constructor(count: number, settings: NodeSettings = {}) {
    const output = new Output();
    output.quiet = true;
    this.#cluster = new Cluster(output);
    const voters = Array.from({ length: count }, (_, i) => peerId(i + 1));
    const configuration = {
      voters,
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    };
    const snapshot = { index: START, term: 0, configuration, data: new Uint8Array() };
    for (const _ of voters) this.#cluster.add({ appliedIndex: START, ...settings }, snapshot);
    for (const { node } of this.#cluster.nodes) this.#record(node);
  }

  node(id: number): RaftNode {
    return this.#cluster.node(id).node;
  }

  /** Moves all messages of these nodes, or of all. */
  settle(...ids: readonly number[]): void {
    const nodes = ids.map((id) => this.#cluster.node(id));
    this.#cluster.stabilize(ids.length === 0 ? this.#cluster.nodes : nodes);
  }

  lose(...ids: readonly number[]): void {
    this.#cluster.deliver(ids.map((id) => ({ id: peerId(id), dropped: true })));
  }

  reads(): readonly [number, string][] {
    return this.readys.flatMap(({ readStates }) =>
      readStates.map(({ index, context }): [number, string] => [index, context]),
    );
  }

  #record(node: RaftNode): void {
    const ready = node.ready.bind(node);
    node.ready = () => {
      const made = ready();
      this.readys.push(made);
      return made;
    };
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

suite("reads of a raft node", () => {
  test("are answered once a quorum has heard of the leader after they came", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle();
    group.node(1).readIndex("one");
    group.settle(1);
    assert.deepEqual(group.reads(), []);
    group.settle(1, 2);
    assert.deepEqual(group.reads(), [[START + 1, "one"]]);
  });

  test("are not answered while a minority has heard of it", () => {
    const group = new Group(5);
    group.node(1).campaign();
    group.settle();
    group.node(1).readIndex("one");
    group.settle(1, 2);
    assert.deepEqual(group.reads(), []);
    group.settle(1, 2, 3);
    assert.deepEqual(group.reads(), [[START + 1, "one"]]);
  });

  test("are not answered by a leader that was deposed and does not know it", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle();
    group.node(2).campaign();
    group.settle(2, 3);
    group.lose(1);
    group.node(2).propose(bytes("newer"));
    group.settle(2, 3);
    group.node(1).readIndex("old");
    group.settle();
    assert.deepEqual(group.reads(), []);
  });

  test("go to the leader from a follower, and come back to it", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle();
    group.node(3).readIndex("far");
    group.settle();
    assert.deepEqual(group.reads(), [[START + 1, "far"]]);
  });

  test("one confirmation answers all that came before", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle();
    group.node(1).readIndex("one");
    group.settle(1);
    group.lose(2, 3);
    group.node(1).readIndex("two");
    group.settle();
    assert.deepEqual(group.reads(), [
      [START + 1, "one"],
      [START + 1, "two"],
    ]);
  });

  test("a heartbeat asks again where the first question was lost", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle();
    group.node(1).readIndex("one");
    group.settle(1);
    group.lose(2, 3);
    group.settle();
    assert.deepEqual(group.reads(), []);
    group.node(1).tick();
    group.settle();
    assert.deepEqual(group.reads(), [[START + 1, "one"]]);
  });

  test("wait until a new leader has committed an entry of its term", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle(1);
    group.settle(2);
    group.settle(1);
    assert.equal(group.node(1).status().role, "leader");
    group.node(1).readIndex("early");
    group.settle(1);
    assert.deepEqual(group.reads(), []);
    group.settle();
    assert.deepEqual(group.reads(), [[START + 1, "early"]]);
  });

  test("of one that votes alone are answered at once, and so are those under a lease", () => {
    const single = new Group(1);
    single.node(1).campaign();
    single.settle();
    single.node(1).readIndex("alone");
    single.settle();
    assert.deepEqual(single.reads(), [[START + 1, "alone"]]);

    const leased = new Group(3, { readMode: "lease", checkQuorum: true });
    leased.node(1).campaign();
    leased.settle();
    leased.node(1).readIndex("leased");
    leased.settle(1);
    assert.deepEqual(leased.reads(), [[START + 1, "leased"]]);
    leased.node(2).forgetLeader();
    assert.equal(leased.node(2).status().leader, 1);
  });

  test("beyond the limit are dropped, and can be asked again", () => {
    const group = new Group(3, { readCountMax: 1 });
    group.node(1).campaign();
    group.settle();
    group.node(1).readIndex("one");
    group.node(1).readIndex("two");
    group.settle();
    assert.deepEqual(group.reads(), [[START + 1, "one"]]);
    group.node(1).readIndex("two");
    group.settle();
    assert.equal(group.reads().length, 2);
  });
});

suite("proposals to a raft node", () => {
  test("are sent on by a follower, if it may, and dropped where nobody leads", () => {
    const group = new Group(3);
    assert.equal(group.node(2).propose(bytes("nobody")), "proposal_dropped");
    group.node(1).campaign();
    assert.equal(group.node(1).propose(bytes("candidate")), "proposal_dropped");
    group.settle();
    assert.equal(group.node(2).propose(bytes("sent on")), undefined);
    group.settle();
    assert.equal(group.node(2).status().applied, START + 2);

    const closed = new Group(3, { forwardProposals: false });
    closed.node(1).campaign();
    closed.settle();
    assert.equal(closed.node(2).propose(bytes("kept")), "proposal_dropped");
  });

  test("are dropped while too much is uncommitted, but one of any size fits alone", () => {
    const group = new Group(3, { uncommittedBytesMax: 10 });
    group.node(1).campaign();
    group.settle();
    assert.equal(group.node(1).propose(bytes("a large proposal")), undefined);
    assert.equal(group.node(1).propose(bytes("x")), "proposal_dropped");
    assert.equal(group.node(1).propose(bytes("")), undefined);
    group.settle();
    assert.equal(group.node(1).propose(bytes("x")), undefined);
  });
});

suite("snapshots at a raft node", () => {
  test("of what it holds already, or has compacted away, change nothing", () => {
    const { node, storage } = alone({ preVote: false });
    node.campaign();
    work(node, storage);
    storage.compact(2);
    const term = node.status().term + 1;
    node.step(snapshotMessage({ term, index: 1, snapshotTerm: 0 }));
    const { snapshot, messages } = node.ready();
    assert.equal(snapshot, undefined);
    assert.deepEqual(
      messages.map(({ kind, index }) => [kind, index]),
      [["append_response", 2]],
    );
  });

  test("of a group that it is no member of are not taken", () => {
    const { node } = alone();
    node.step(snapshotMessage({ term: 4, index: 9, snapshotTerm: 3, voters: [2, 3] }));
    assert.equal(node.ready().snapshot, undefined);
    assert.equal(node.status().commit, 1);
  });

  test("wait while entries are being applied, and are taken after that", () => {
    const { node } = alone();
    const from = peerId(2);
    const data = new Uint8Array();
    const entries = [{ term: 1, index: 2, kind: "normal", data } as const];
    const append = { kind: "append", from, to: peerId(1), term: 1, index: 1, commit: 2 } as const;
    node.step(message({ ...append, entries }));
    assert.equal(node.ready().committedEntries.length, 1);
    const snapshot = snapshotMessage({ term: 1, index: 9, snapshotTerm: 1, voters: [1, 2] });
    node.step(snapshot);
    assert.equal(node.status().configuration.voters.size, 1);
    node.advance();
    node.step(snapshot);
    assert.equal(node.ready().snapshot?.index, 9);
    assert.equal(node.status().configuration.voters.size, 2);
  });
});

suite("a raft node", () => {
  test("takes nothing of strangers' answers, nor storage's words from a peer", () => {
    const { node } = alone();
    const from = peerId(9);
    const to = peerId(1);
    const answer = message({ kind: "append_response", from, to, term: 1, index: 9 });
    assert.equal(node.step(answer), "peer_unknown");
    const stored = message({ kind: "storage_append_response", from, to, term: 1 });
    assert.equal(node.step(stored), "message_local");
    assert.equal(node.hasReady(), false);
  });

  test("goes on after a crash from what was stored", () => {
    const { node, storage, options } = alone();
    node.campaign();
    work(node, storage);
    node.propose(bytes("kept"));
    work(node, storage);
    const again = new RaftNode({ ...options, appliedIndex: 2 });
    assert.equal(again.status().term, 1);
    assert.equal(again.status().vote, 1);
    assert.equal(again.status().role, "follower");
    again.campaign();
    const entries = work(again, storage);
    assert.deepEqual(
      entries.map(({ index }) => index),
      [3, 4],
    );
  });

  test("that applied more than it knows to be committed knows it then", () => {
    const { node, storage, options } = alone();
    node.campaign();
    work(node, storage);
    const { term, vote } = storage.initialState().hardState;
    storage.setHardState({ term, vote, commit: 1 });
    assert.equal(new RaftNode({ ...options, appliedIndex: 2 }).status().commit, 2);
  });

  test("has no two Readys at once, and no use for options that contradict themselves", () => {
    const { node, options } = alone();
    node.campaign();
    assert.throws(() => node.advance(), /no Ready/);
    node.ready();
    assert.throws(() => node.ready(), /before the last was done/);
    const wrong: readonly Partial<RaftOptions>[] = [
      { id: NOBODY },
      { electionTicks: 1 },
      { readMode: "lease", checkQuorum: false },
      { inflightCountMax: 0 },
    ];
    for (const some of wrong) assert.throws(() => new RaftNode({ ...options, ...some }));
  });

  test("campaigns after one to two timeouts, each time after another", () => {
    const waits = new Set<number>();
    for (let seed = 1; seed <= 50; seed += 1) {
      const { node } = alone({ random: seededRandom(seed) });
      let ticks = 0;
      while (node.status().role === "follower") {
        node.tick();
        ticks += 1;
      }
      waits.add(ticks);
    }
    assert.deepEqual([Math.min(...waits), Math.max(...waits)], [10, 19]);
  });

  test("leaves a joint configuration by itself, also after a transfer that did not come about", () => {
    const group = new Group(3);
    group.node(1).campaign();
    group.settle();
    const operations = [{ kind: "add_learner", peer: peerId(3) } as const];
    group.node(1).proposeChange({ transition: "implicit", operations, context: "" });
    group.settle(1);
    group.node(1).transferLeader(peerId(2));
    group.lose(2);
    group.settle(1, 3);
    assert.equal(group.node(1).status().configuration.autoLeave, true);
    assert.equal(group.node(1).status().transferee, 2);
    for (let i = 0; i < 3; i += 1) group.node(1).tick();
    assert.equal(group.node(1).status().transferee, NOBODY);
    group.settle();
    group.node(1).propose(bytes("next"));
    group.settle();
    assert.deepEqual([...group.node(1).status().configuration.learners], [3]);
    assert.equal(group.node(1).status().configuration.votersOutgoing.size, 0);
  });
});

/** A node that votes alone, at the entry before index 2. */
function alone(some: Partial<RaftOptions> = {}): {
  node: RaftNode;
  storage: MemoryStorage;
  options: RaftOptions;
} {
  const storage = new MemoryStorage();
  const configuration = {
    voters: [peerId(1)],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  storage.applySnapshot({ index: 1, term: 0, configuration, data: new Uint8Array() });
  const random = seededRandom(1);
  const options = { ...RAFT_DEFAULTS, preVote: false, id: peerId(1), storage, random, ...some };
  return { node: new RaftNode(options), storage, options };
}

function snapshotMessage(about: {
  term: number;
  index: number;
  snapshotTerm: number;
  voters?: readonly number[];
}): Message {
  const { term, index, snapshotTerm, voters = [1] } = about;
  const configuration = {
    voters: voters.map(peerId),
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const snapshot = { index, term: snapshotTerm, configuration, data: new Uint8Array() };
  return message({ kind: "snapshot", from: peerId(2), to: peerId(1), term, snapshot });
}

/** Does all that `node` asks for; answers the entries that it applied. */
function work(node: RaftNode, storage: MemoryStorage): Ready["committedEntries"] {
  const applied: Ready["committedEntries"][number][] = [];
  while (node.hasReady()) {
    const { hardState, entries, committedEntries } = node.ready();
    if (hardState !== undefined) storage.setHardState(hardState);
    storage.append(entries);
    applied.push(...committedEntries);
    node.advance();
  }
  return applied;
}
