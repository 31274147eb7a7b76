/** How a leader takes what others send it, and what it does as time passes. */
import { type Message, NOBODY, type PeerId } from "../message.ts";
import type { Progress } from "../tracker/progress.ts";
import { proposeAsLeader } from "./proposals.ts";
import { ackRead, readAsLeader, releaseEarlyReads } from "./read-index.ts";
import { broadcastAppend, maybeCommit, sendAppend } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState, Refusal } from "./state.ts";

export function stepLeader(raft: RaftState, received: Message): Refusal | undefined {
  if (received.kind === "propose") return proposeAsLeader(raft, received.entries);
  if (received.kind === "read_index") {
    readAsLeader(raft, received);
    return undefined;
  }
  const { from } = received;
  const progress = raft.tracker.progress.get(from);
  if (progress === undefined) return undefined;
  if (received.kind === "append_response") {
    progress.recentlyActive = true;
    if (received.rejected) goBack(raft, progress, received);
    else goOn(raft, progress, received);
  } else if (received.kind === "heartbeat_response") {
    takeHeartbeatResponse(raft, progress, received);
  } else if (received.kind === "transfer_leader") {
    transferTo(raft, from);
  }
  return undefined;
}

/** Steps down if no quorum was heard of since the last time. */
export function checkQuorum(raft: RaftState): void {
  const active = raft.tracker.isQuorumActive();
  if (!active) becomeFollower(raft, raft.term, NOBODY);
  for (const [id, progress] of raft.tracker.progress) {
    if (id !== raft.id) progress.recentlyActive = false;
  }
}

/** A message to `id` was lost, it is likely: it is probed again. */
export function noteUnreachable(raft: RaftState, id: PeerId): void {
  const progress = raft.tracker.progress.get(id);
  if (raft.role === "leader" && progress?.state === "replicate") progress.becomeProbe();
}

/** The snapshot that was sent to `id` has arrived, or not. Its own answer, or a heartbeat, brings the next entries. */
export function noteSnapshot(raft: RaftState, id: PeerId, arrived: boolean): void {
  const progress = raft.tracker.progress.get(id);
  if (raft.role !== "leader" || progress?.state !== "snapshot") return;
  if (!arrived) progress.abandonSnapshot();
  progress.becomeProbe();
  progress.appendPaused = true;
}

/** The peer refused entries: the next ones follow the last that may agree. */
function goBack(raft: RaftState, progress: Progress, received: Message): void {
  const { from, index, hintIndex, logTerm } = received;
  const probe =
    logTerm > 0 ? raft.log.findConflict({ term: logTerm, index: hintIndex }).index : hintIndex;
  if (!progress.maybeDecrease(index, probe)) return;
  if (progress.state === "replicate") progress.becomeProbe();
  sendAppend(raft, from, true);
}

/** The peer holds the log up to an index: more may be committed, and more sent. */
function goOn(raft: RaftState, progress: Progress, { from, index }: Message): void {
  const known = !progress.maybeUpdate(index);
  // No news, but the answer to a probe: the logs agree where they were known to, and the peer can be sent entries.
  if (known && !(progress.match === index && progress.state === "probe")) return;
  advance(raft, progress, index);

  if (maybeCommit(raft)) {
    releaseEarlyReads(raft);
    broadcastAppend(raft);
  } else if (from !== raft.id && progress.canRaiseCommit(raft.log.committed)) {
    sendAppend(raft, from, true);
  }
  if (from !== raft.id) {
    // There may be room for several messages now.
    while (sendAppend(raft, from, false));
  }
  if (from === raft.transferee && progress.match === raft.log.lastIndex()) {
    raft.send({ kind: "timeout_now", to: from });
  }
}

function advance(raft: RaftState, progress: Progress, index: number): void {
  switch (progress.state) {
    case "probe":
      progress.becomeReplicate();
      return;
    case "replicate":
      progress.inflights.freeThrough(index);
      return;
    case "snapshot":
      // Whichever snapshot it took: from here the log suffices. Others stay until theirs has arrived.
      if (progress.match + 1 < raft.log.firstIndex()) return;
      progress.becomeProbe();
      progress.becomeReplicate();
  }
}

function takeHeartbeatResponse(raft: RaftState, progress: Progress, received: Message): void {
  const { from, context } = received;
  progress.recentlyActive = true;
  progress.appendPaused = false;
  // Also an empty message: it shows what was lost on a way that is full, and ends a probe that nobody answered.
  if (progress.match < raft.log.lastIndex() || progress.state === "probe") {
    sendAppend(raft, from, true);
  }
  ackRead(raft, from, context);
}

/** Hands the office to `id`, as soon as it holds the whole log (raft dissertation §3.10). */
function transferTo(raft: RaftState, id: PeerId): void {
  if (raft.tracker.isLearner(id) || raft.transferee === id) return;
  raft.transferee = NOBODY;
  if (id === raft.id) return;
  // One election timeout is what it may take.
  raft.electionElapsed = 0;
  raft.transferee = id;
  const match = raft.tracker.progress.get(id)?.match;
  if (match === raft.log.lastIndex()) raft.send({ kind: "timeout_now", to: id });
  else sendAppend(raft, id, true);
}
