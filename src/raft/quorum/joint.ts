/** Two majorities that must both agree, while a configuration changes (raft dissertation §4.3). Usually the second is empty. */
import type { PeerId } from "../message.ts";
import { type AckedIndex, majorityCommitted, majorityVote, type VoteResult } from "./majority.ts";

export interface JointQuorum {
  readonly voters: ReadonlySet<PeerId>;
  /** Who voted before the change; empty when no change is on its way. */
  readonly votersOutgoing: ReadonlySet<PeerId>;
}

/** Everybody who votes in either half. */
export function allVoters({ voters, votersOutgoing }: JointQuorum): ReadonlySet<PeerId> {
  return votersOutgoing.size === 0 ? voters : voters.union(votersOutgoing);
}

/** The greatest index that is committed in both halves. */
export function committedIndex(quorum: JointQuorum, acked: AckedIndex): number {
  return Math.min(
    majorityCommitted(quorum.voters, acked),
    majorityCommitted(quorum.votersOutgoing, acked),
  );
}

/** Won when both halves are, lost as soon as one is. */
export function voteResult(quorum: JointQuorum, votes: ReadonlyMap<PeerId, boolean>): VoteResult {
  const one = majorityVote(quorum.voters, votes);
  const other = majorityVote(quorum.votersOutgoing, votes);
  if (one === other) return one;
  return one === "lost" || other === "lost" ? "lost" : "pending";
}
