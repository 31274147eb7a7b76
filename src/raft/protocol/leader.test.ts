import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { NOBODY, peerId } from "../message.ts";
import { Group, START } from "../testing/group.ts";

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

suite("a joint configuration", () => {
  test("is left by the leader itself, also after a transfer that did not come about", () => {
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
    assert.deepEqual([...group.node(1).status().configuration.learners], [3]);
    assert.equal(group.node(1).status().configuration.votersOutgoing.size, 0);
  });
});
