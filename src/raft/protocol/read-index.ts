/** Reads without an entry in the log (raft dissertation §6.4). */
import type { Message, PeerId } from "../message.ts";
import { broadcastHeartbeat } from "./replication.ts";
import type { RaftState } from "./state.ts";

/** A leader is asked for an index at which a read sees all that was committed before it came. */
export function readAsLeader(raft: RaftState, request: Message): void {
  // Until an entry of its own term is committed, a leader does not know what its predecessors committed; nor does the only voter what it
  // committed itself before it was started again, for a commit index is not synced.
  if (!hasCommittedInTerm(raft)) {
    if (raft.earlyReads.length < raft.options.readCountMax) raft.earlyReads.push(request);
    return;
  }
  confirmRead(raft, request);
}

/** The commit index rose: reads that waited for the first of this term go on. */
export function releaseEarlyReads(raft: RaftState): void {
  if (raft.earlyReads.length === 0 || !hasCommittedInTerm(raft)) return;
  const reads = raft.earlyReads;
  raft.earlyReads = [];
  for (const read of reads) confirmRead(raft, read);
}

/** `from` has answered a heartbeat with `context`: it followed this leader after that read came. */
export function ackRead(raft: RaftState, from: PeerId, context: string): void {
  if (raft.options.readMode !== "safe" || context === "") return;
  const acks = raft.reads.ack(from, context);
  if (acks === undefined || !raft.tracker.isQuorum(acks)) return;
  for (const { request, index } of raft.reads.takeThrough(context)) {
    answerRead(raft, request, index);
  }
}

function confirmRead(raft: RaftState, request: Message): void {
  // Where this node votes alone, there is no quorum without it.
  if (raft.options.readMode === "lease" || raft.tracker.isOnlyVoter(raft.id)) {
    answerRead(raft, request, raft.log.committed);
    return;
  }
  if (raft.reads.count >= raft.options.readCountMax) return;
  raft.reads.add(request, raft.log.committed);
  raft.reads.ack(raft.id, raft.reads.last());
  broadcastHeartbeat(raft, raft.reads.last());
}

function answerRead(raft: RaftState, { from, context }: Message, index: number): void {
  if (from === raft.id) raft.readStates.push({ index, context });
  else raft.send({ kind: "read_index_response", to: from, index, context });
}

function hasCommittedInTerm(raft: RaftState): boolean {
  return raft.log.term(raft.log.committed) === raft.term;
}
