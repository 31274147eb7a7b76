/** What a node does with a message: first the terms are compared, then each role has its way. */
import { entriesSizeBytes, payloadSizeBytes } from "../log/size.ts";
import { type Message, NOBODY, type Snapshot } from "../message.ts";
import { castVote, countVote, learnCommitted, startCampaign } from "./election.ts";
import { follow, isOfLeader } from "./following.ts";
import { stepLeader } from "./leader.ts";
import { noteApplied } from "./proposals.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState, Refusal } from "./state.ts";

/** Takes one message. A message of term 0 is of this node itself, or belongs to no term. */
export function step(raft: RaftState, received: Message): Refusal | undefined {
  const { term } = received;
  if (term > raft.term && !takeLaterTerm(raft, received)) return undefined;
  if (term > 0 && term < raft.term) {
    takeEarlierTerm(raft, received);
    return undefined;
  }
  switch (received.kind) {
    case "vote":
    case "pre_vote":
      castVote(raft, received);
      return undefined;
    case "storage_append_response":
      if (received.index > 0) {
        raft.log.stableTo({ term: received.logTerm, index: received.index });
      }
      noteSnapshotStored(raft, received.snapshot);
      return undefined;
    case "storage_apply_response":
      noteEntriesApplied(raft, received);
      return undefined;
    default:
      learnCommitted(raft, received);
      return stepRole(raft, received);
  }
}

/** A message of a term that this node has not reached. Answers whether it is to be looked at further. */
function takeLaterTerm(raft: RaftState, received: Message): boolean {
  const { kind, from, term, forced, rejected } = received;
  if (kind === "vote" || kind === "pre_vote") {
    // Who hears of a leader lets nobody depose it (raft dissertation §4.2.3), except with the leader's own will.
    const { checkQuorum, electionTicks } = raft.options;
    const leased = raft.leader !== NOBODY && raft.electionElapsed < electionTicks;
    if (checkQuorum && leased && !forced) return false;
  }
  // Pre-votes are asked for and granted in a term that nobody has begun.
  if (kind === "pre_vote" || (kind === "pre_vote_response" && !rejected)) return true;
  becomeFollower(raft, term, isOfLeader(received) ? from : NOBODY);
  return true;
}

function takeEarlierTerm(raft: RaftState, received: Message): void {
  const { kind, from } = received;
  const { checkQuorum, preVote } = raft.options;
  if ((kind === "heartbeat" || kind === "append") && (checkQuorum || preVote)) {
    // This node was cut off, campaigned, and came back. Its own votes are ignored, so it says its term: the leader must step down,
    // or this node would never follow one again.
    raft.send({ kind: "append_response", to: from });
  } else if (kind === "pre_vote") {
    raft.send({ kind: "pre_vote_response", to: from, term: raft.term, rejected: true });
  } else if (kind === "storage_append_response") {
    // Entries may have been overwritten since and look alike; a snapshot is committed, whatever the term.
    noteSnapshotStored(raft, received.snapshot);
  }
}

function stepRole(raft: RaftState, received: Message): Refusal | undefined {
  switch (raft.role) {
    case "leader":
      return stepLeader(raft, received);
    case "follower":
      return stepFollower(raft, received);
    case "pre_candidate":
    case "candidate":
      return stepCandidate(raft, received);
  }
}

function stepCandidate(raft: RaftState, received: Message): Refusal | undefined {
  if (received.kind === "propose") return "proposal_dropped";
  if (isOfLeader(received)) {
    // Somebody else has won this term.
    becomeFollower(raft, received.term, received.from);
    follow(raft, received);
    return undefined;
  }
  const awaited = raft.role === "pre_candidate" ? "pre_vote_response" : "vote_response";
  if (received.kind === awaited) countVote(raft, received.from, !received.rejected);
  return undefined;
}

function stepFollower(raft: RaftState, received: Message): Refusal | undefined {
  if (isOfLeader(received)) {
    raft.electionElapsed = 0;
    raft.leader = received.from;
    follow(raft, received);
    return undefined;
  }
  const { kind, index, context } = received;
  switch (kind) {
    case "propose":
      if (raft.leader === NOBODY || !raft.options.forwardProposals) return "proposal_dropped";
      forward(raft, received);
      break;
    case "transfer_leader":
    case "read_index":
      if (raft.leader !== NOBODY) forward(raft, received);
      break;
    case "timeout_now":
      startCampaign(raft, "transfer");
      break;
    case "read_index_response":
      raft.readStates.push({ index, context });
      break;
    default:
  }
  return undefined;
}

/** Sends on to the leader, in the name of who sent it here. */
function forward(raft: RaftState, { kind, from, entries, context }: Message): void {
  raft.send({ kind, from, to: raft.leader, entries, context });
}

function noteEntriesApplied(raft: RaftState, { entries }: Message): void {
  const last = entries.at(-1);
  if (last === undefined) return;
  noteApplied(raft, last.index, entriesSizeBytes(entries));
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - payloadSizeBytes(entries));
}

function noteSnapshotStored(raft: RaftState, snapshot: Snapshot | undefined): void {
  if (snapshot === undefined) return;
  raft.log.stableSnapshotTo(snapshot.index);
  noteApplied(raft, snapshot.index, 0);
}
