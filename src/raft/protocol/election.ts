/** Campaigns and votes (raft.pdf §5.2, §5.4.1; pre-votes: raft dissertation §9.6). */
import { type EntryPosition, type Message, NOBODY, type PeerId } from "../message.ts";
import { allVoters } from "../quorum/joint.ts";
import { broadcastAppend } from "./replication.ts";
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from "./roles.ts";
import type { RaftState } from "./state.ts";

/** `transfer`: the leader asked for it, so voters need not wait until they miss it. */
export type Campaign = "pre_vote" | "vote" | "transfer";

/** Campaigns, unless this node leads, cannot lead, or has yet to apply a change of who votes. */
export function startCampaign(raft: RaftState, campaign: Campaign): void {
  if (raft.role === "leader" || !raft.canLead()) return;
  if (hasUnappliedChange(raft)) return;
  runCampaign(raft, campaign);
}

/** A vote has come in, also the node's own, once it is on disk. */
export function countVote(raft: RaftState, from: PeerId, yes: boolean): void {
  switch (raft.tracker.recordVote(from, yes)) {
    case "pending":
      return;
    case "won":
      if (raft.role === "pre_candidate") {
        runCampaign(raft, "vote");
      } else {
        becomeLeader(raft);
        broadcastAppend(raft);
      }
      return;
    case "lost":
      becomeFollower(raft, raft.term, NOBODY);
  }
}

/**
 * Answers a candidate. Learners do so as well: one may be a voter already and not know it yet, and without its vote there might
 * be no leader to tell it.
 */
export function castVote(raft: RaftState, request: Message): void {
  const { kind, from, term } = request;
  const forLater = kind === "pre_vote" && term > raft.term;
  const free = raft.vote === from || (raft.vote === NOBODY && raft.leader === NOBODY);
  const upToDate = raft.log.isUpToDate({ term: request.logTerm, index: request.index });
  const response = kind === "vote" ? "vote_response" : "pre_vote_response";
  if (!(free || forLater) || !upToDate) {
    const committed = knownCommitted(raft);
    raft.send({ kind: response, to: from, term: raft.term, rejected: true, committed });
    return;
  }
  // The term of the request: a pre-vote is granted for a term that this node has not reached.
  raft.send({ kind: response, to: from, term });
  if (kind === "vote") {
    raft.electionElapsed = 0;
    raft.vote = from;
  }
}

/** A vote was refused. Where the logs agree at what is committed there, it is committed here, and a change of the members may be among it. */
export function learnCommitted(raft: RaftState, { committed }: Message): void {
  if (committed === undefined || raft.role === "leader") return;
  if (!raft.log.matches(committed)) return;
  raft.log.commitTo(committed.index);
  // Who votes may be others now: they are asked once that is applied.
  if (raft.role !== "follower" && hasUnappliedChange(raft)) {
    becomeFollower(raft, raft.term, NOBODY);
  }
}

function hasUnappliedChange({ log }: RaftState): boolean {
  return log.someUnapplied(({ kind }) => kind !== "normal");
}

function knownCommitted({ log, options }: RaftState): EntryPosition | undefined {
  const term = log.term(log.committed);
  if (!options.commitByVotes || term === undefined) return undefined;
  return { term, index: log.committed };
}

function runCampaign(raft: RaftState, campaign: Campaign): void {
  const preVote = campaign === "pre_vote";
  if (preVote) becomePreCandidate(raft);
  else becomeCandidate(raft);
  const term = preVote ? raft.term + 1 : raft.term;
  const { term: logTerm, index } = raft.log.last();
  const voters = [...allVoters(raft.tracker.configuration)].toSorted((one, other) => one - other);
  for (const to of voters) {
    if (to === raft.id) {
      raft.send({ kind: preVote ? "pre_vote_response" : "vote_response", to, term });
    } else {
      const kind = preVote ? "pre_vote" : "vote";
      raft.send({ kind, to, term, index, logTerm, forced: campaign === "transfer" });
    }
  }
}
