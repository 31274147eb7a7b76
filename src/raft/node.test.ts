import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { seededRandom } from "#ports/random.ts";
import { decodeChange, encodeSingleChange } from "./configuration/change.ts";
import { MemoryStorage } from "./log/memory-storage.ts";
import {
  APPEND_THREAD,
  type EntryPosition,
  type Message,
  message,
  NOBODY,
  type Proposal,
  peerId,
} from "./message.ts";
import { RaftNode } from "./node.ts";
import { RAFT_DEFAULTS, type RaftOptions } from "./options.ts";
import type { Ready } from "./ready.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

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

suite("votes that are refused", () => {
  const normal = { kind: "normal", data: bytes("x") } as const;

  test("tell what is committed, where the logs agree", () => {
    const { node, refuse } = candidate(normal);
    refuse({ term: 2, index: 2 });
    refuse({ term: 1, index: 3 });
    assert.equal(node.status().commit, 1);
    refuse({ term: 1, index: 2 });
    assert.equal(node.status().commit, 2);
  });

  test("end a campaign among those who do not decide any more", () => {
    const operation = { kind: "remove", peer: peerId(3) } as const;
    const { node, storage, refuse } = candidate(encodeSingleChange(operation));
    refuse({ term: 1, index: 2 });
    assert.equal(node.status().role, "follower");
    work(node, storage);
    assert.deepEqual([...node.status().configuration.voters], [1, 2]);
  });

  test("are told by who refuses, unless it may not", () => {
    for (const commitByVotes of [true, false]) {
      const { node } = alone({ commitByVotes });
      const [from, to] = [peerId(2), peerId(1)];
      node.step(message({ kind: "vote", from, to, term: 3, index: 0, logTerm: 0 }));
      const [answer] = node.ready().messages;
      assert.equal(answer?.rejected, true);
      assert.deepEqual(answer?.committed, commitByVotes ? { term: 0, index: 1 } : undefined);
    }
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

  test("asks for votes when its term and its own vote are on disk, unless it may ask before", () => {
    for (const votesAfterAppend of [true, false]) {
      const { node } = alone({ voters: [1, 2, 3], asyncStorageWrites: true, votesAfterAppend });
      node.campaign();
      const { messages } = node.ready();
      const append = messages.find(({ to }) => to === APPEND_THREAD);
      assert.deepEqual([append?.term, append?.vote], [1, 1]);
      const asked = votesAfterAppend ? append?.responses : messages;
      const voters = asked?.filter(({ kind }) => kind === "vote").map(({ to }) => to);
      assert.deepEqual(voters, [2, 3]);
    }
  });

  test("that applied more than it knows to be committed knows it then", () => {
    const { node, storage, options } = alone();
    node.campaign();
    work(node, storage);
    const { term, vote } = storage.initialState().hardState;
    storage.setHardState({ term, vote, commit: 1 });
    assert.equal(new RaftNode({ ...options, appliedIndex: 2 }).status().commit, 2);
  });

  test("that votes alone answers a read when it knows again what it had committed", () => {
    const { node, storage, options } = alone();
    node.campaign();
    work(node, storage);
    node.propose(bytes("kept"));
    work(node, storage);
    const { term, vote } = storage.initialState().hardState;
    storage.setHardState({ term, vote, commit: 1 });
    const again = new RaftNode(options);
    again.campaign();
    const { hardState } = again.ready();
    if (hardState !== undefined) storage.setHardState(hardState);
    again.advance();
    assert.equal(again.status().role, "leader");
    again.readIndex("one");
    const first = again.ready();
    assert.deepEqual(first.readStates, []);
    storage.append(first.entries);
    again.advance();
    assert.deepEqual(again.ready().readStates, [{ index: 4, context: "one" }]);
    again.advance();
    again.readIndex("two");
    assert.deepEqual(again.ready().readStates, [{ index: 4, context: "two" }]);
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
});

/** A node that votes, alone where nothing else is said, at the entry before index 2. */
function alone({
  voters = [1],
  ...some
}: Partial<RaftOptions> & { readonly voters?: readonly number[] } = {}): {
  node: RaftNode;
  storage: MemoryStorage;
  options: RaftOptions;
} {
  const storage = new MemoryStorage();
  const configuration = {
    voters: voters.map(peerId),
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

/** A candidate of term 2 that holds entry 2, of `kind`, and does not know that it is committed. */
function candidate(entry: Proposal, some: Partial<RaftOptions> = {}) {
  const made = alone({ voters: [1, 2, 3], ...some });
  const [from, to] = [peerId(2), peerId(1)];
  const entries = [{ ...entry, term: 1, index: 2 }];
  made.node.step(message({ kind: "append", from, to, term: 1, index: 1, entries, commit: 1 }));
  made.node.campaign();
  work(made.node, made.storage);
  assert.equal(made.node.status().role, "candidate");
  const refuse = (committed: EntryPosition) =>
    made.node.step(
      message({ kind: "vote_response", from, to, term: 2, rejected: true, committed }),
    );
  return { ...made, refuse };
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
    for (const entry of committedEntries) {
      const change = decodeChange(entry);
      if (change !== undefined) node.applyChange(change);
    }
    node.advance();
  }
  return applied;
}
