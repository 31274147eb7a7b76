import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { type PeerId, peerId } from "../message.ts";
import { allVoters, committedIndex, type JointQuorum, voteResult } from "./joint.ts";

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 5 });
const quorums = fc.record({ one: ids, other: ids }).map(
  ({ one, other }): JointQuorum => ({
    voters: new Set(one.map(peerId)),
    votersOutgoing: new Set(other.map(peerId)),
  }),
);
/** What each of seven peers has, or nothing. */
const known = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.option(value, { nil: undefined }), { minLength: 7, maxLength: 7 }).map((values) => {
    const entries = values.flatMap((one, i) =>
      one === undefined ? [] : [[peerId(i + 1), one] as const],
    );
    return new Map(entries);
  });

suite("raft quorums", () => {
  test("an index is committed that a majority of each half holds, and none above", () => {
    fc.assert(
      fc.property(quorums, known(fc.nat({ max: 9 })), (quorum, acked) => {
        const committed = committedIndex(quorum, (id) => acked.get(id));
        if (allVoters(quorum).size === 0) {
          assert.equal(committed, Number.POSITIVE_INFINITY);
          return;
        }
        const holds = (index: number) =>
          isMajority(quorum.voters, (id) => (acked.get(id) ?? 0) >= index) &&
          isMajority(quorum.votersOutgoing, (id) => (acked.get(id) ?? 0) >= index);
        const greatest = Math.max(...Array.from({ length: 11 }, (_, i) => (holds(i) ? i : 0)));
        assert.equal(committed, greatest);
      }),
      { numRuns: 500 },
    );
  });

  test("a vote is won or lost when those who have not voted cannot change that", () => {
    fc.assert(
      fc.property(quorums, known(fc.boolean()), (quorum, votes) => {
        const missing = [...allVoters(quorum)].filter((id) => !votes.has(id));
        const outcomes = new Set<boolean>();
        for (let chosen = 0; chosen < 2 ** missing.length; chosen += 1) {
          const all = new Map(votes);
          for (const [i, id] of missing.entries()) all.set(id, (chosen & (1 << i)) !== 0);
          const yes = (id: PeerId) => all.get(id) === true;
          outcomes.add(isMajority(quorum.voters, yes) && isMajority(quorum.votersOutgoing, yes));
        }
        const decided = outcomes.has(true) ? "won" : "lost";
        const expected = outcomes.size === 2 ? "pending" : decided;
        const result = voteResult(quorum, votes);
        // Two halves that can each be won, not both, may be said to be pending: nobody wins by that.
        if (expected === "lost" && result === "pending") return;
        assert.equal(result, expected);
      }),
      { numRuns: 500 },
    );
  });

  test("which half comes first makes no difference", () => {
    fc.assert(
      fc.property(quorums, known(fc.boolean()), (quorum, votes) => {
        const turned = { voters: quorum.votersOutgoing, votersOutgoing: quorum.voters };
        assert.equal(voteResult(quorum, votes), voteResult(turned, votes));
      }),
    );
  });
});

function isMajority(voters: ReadonlySet<PeerId>, has: (id: PeerId) => boolean): boolean {
  const count = [...voters].filter(has).length;
  return voters.size === 0 || count * 2 > voters.size;
}
