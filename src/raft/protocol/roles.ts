/** Follower, pre-candidate, candidate, leader: how a node becomes each (raft.pdf figure 4). */
import { assert } from "#base/errors.ts";
import { NOBODY, type PeerId } from "../message.ts";
import { appendAsLeader } from "./proposals.ts";
import type { RaftState } from "./state.ts";

/** Follows `leader`, or nobody yet, in `term`. */
export function becomeFollower(raft: RaftState, term: number, leader: PeerId): void {
  raft.reset(term);
  raft.leader = leader;
  raft.role = "follower";
}

/** Asks whether a campaign would be won. Neither term nor vote change. */
export function becomePreCandidate(raft: RaftState): void {
  assert(raft.role !== "leader", "a leader does not campaign");
  raft.tracker.clearVotes();
  raft.leader = NOBODY;
  raft.role = "pre_candidate";
}

/** Votes for itself in the next term. */
export function becomeCandidate(raft: RaftState): void {
  assert(raft.role !== "leader", "a leader does not campaign");
  raft.reset(raft.term + 1);
  raft.vote = raft.id;
  raft.role = "candidate";
}

/** Leads the present term, and begins it with an empty entry: when that is committed, so is all before it. */
export function becomeLeader(raft: RaftState): void {
  assert(raft.role === "candidate", "who leads has won an election");
  raft.reset(raft.term);
  raft.leader = raft.id;
  raft.role = "leader";
  const own = raft.tracker.progress.get(raft.id);
  assert(own !== undefined, "who leads is a member");
  own.becomeReplicate();
  own.recentlyActive = true;
  // There may be a change of the configuration in what is not applied; it is enough to wait for all of it.
  raft.pendingChangeIndex = raft.log.lastIndex();
  appendAsLeader(raft, [{ kind: "normal", data: new Uint8Array() }]);
}
