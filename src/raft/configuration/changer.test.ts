import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { type PeerId, peerId } from "../message.ts";
import { voteResult } from "../quorum/joint.ts";
import { type Change, OPERATION_KINDS, TRANSITIONS } from "./change.ts";
import { changeConfiguration, changeDirectly } from "./changer.ts";
import {
  type Configuration,
  configurationState,
  EMPTY_CONFIGURATION,
  isJoint,
  members,
  restoreConfiguration,
} from "./configuration.ts";

const PEER_MAX = 6;
const changes: fc.Arbitrary<Change> = fc.record({
  transition: fc.constantFrom(...TRANSITIONS),
  operations: fc.array(
    fc.record({
      kind: fc.constantFrom(...OPERATION_KINDS),
      peer: fc.integer({ min: 0, max: PEER_MAX }).map(peerId),
    }),
    { maxLength: 4 },
  ),
  context: fc.constant(""),
});

const START: Configuration = {
  ...EMPTY_CONFIGURATION,
  voters: new Set([1, 2, 3].map(peerId)),
};

suite("changes of a raft configuration", () => {
  test("any quorum before shares a peer with any quorum after", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 8 }), (all) => {
        let present = START;
        for (const change of all) {
          const next = changeConfiguration(present, change);
          if ("problem" in next) continue;
          assertShared(present, next);
          present = next;
        }
      }),
      { numRuns: 300 },
    );
  });

  test("so it is where several operations take place directly", () => {
    fc.assert(
      fc.property(changes, ({ operations }) => {
        const next = changeDirectly(START, operations);
        if (!("problem" in next)) assertShared(START, next);
      }),
      { numRuns: 300 },
    );
  });

  test("nobody votes and learns at once, and a joint configuration can be left", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 8 }), (all) => {
        let present = START;
        for (const change of all) {
          const next = changeConfiguration(present, change);
          if ("problem" in next) continue;
          present = next;
          const { voters, votersOutgoing, learners, learnersNext } = present;
          assert.ok(voters.size > 0);
          assert.ok(learners.isDisjointFrom(voters));
          assert.ok(learners.isDisjointFrom(votersOutgoing));
          assert.ok(learnersNext.isSubsetOf(votersOutgoing));
          assert.ok(learnersNext.isDisjointFrom(voters));
          assert.ok(isJoint(present) || (learnersNext.size === 0 && !present.autoLeave));
          assert.deepEqual(restoreConfiguration(configurationState(present)), {
            ...present,
            ...sortedSets(present),
          });
        }
        const left = changeConfiguration(present, {
          transition: "auto",
          operations: [],
          context: "",
        });
        assert.equal("problem" in left, !isJoint(present));
      }),
      { numRuns: 300 },
    );
  });

  test("all members are sent the log, once each, in rising order", () => {
    const some = restoreConfiguration({
      voters: [4, 1].map(peerId),
      votersOutgoing: [1, 3].map(peerId),
      learners: [2].map(peerId),
      learnersNext: [3].map(peerId),
      autoLeave: false,
    });
    assert.deepEqual(members(some), [1, 2, 3, 4]);
  });
});

/** Sets of peers are compared in their order too. */
function sortedSets(configuration: Configuration): Partial<Configuration> {
  const { voters, votersOutgoing, learners, learnersNext } = configurationState(configuration);
  return {
    voters: new Set(voters),
    votersOutgoing: new Set(votersOutgoing),
    learners: new Set(learners),
    learnersNext: new Set(learnersNext),
  };
}

/** There are no two quorums, one of each, without a common peer: if some win in one, the others never do in the other. */
function assertShared(one: Configuration, other: Configuration): void {
  for (let chosen = 0; chosen < 2 ** PEER_MAX; chosen += 1) {
    const inside = votesOf((i) => (chosen & (1 << i)) !== 0);
    const outside = votesOf((i) => (chosen & (1 << i)) === 0);
    const both = voteResult(one, inside) === "won" && voteResult(other, outside) === "won";
    assert.ok(!both, `a quorum of one and one of the other are apart: ${chosen.toString(2)}`);
  }
}

function votesOf(yes: (i: number) => boolean): ReadonlyMap<PeerId, boolean> {
  return new Map(Array.from({ length: PEER_MAX }, (_, i) => [peerId(i + 1), yes(i)] as const));
}
