/** What a leader sends: entries, snapshots, heartbeats (raft.pdf §5.3). */
import { assert } from "#base/errors.ts";
import { payloadSizeBytes } from "../log/size.ts";
import type { PeerId } from "../message.ts";
import type { Progress } from "../tracker/progress.ts";
import type { RaftState } from "./state.ts";

/** Sends entries to each member, or an empty message with the commit index, where one may be sent. */
export function broadcastAppend(raft: RaftState): void {
  for (const id of raft.tracker.progress.keys()) {
    if (id !== raft.id) sendAppend(raft, id, true);
  }
}

/**
 * Sends `to` the entries that it lacks, as many as one message takes, or the snapshot in their place. Answers whether a message was
 * sent: none is while the peer is paused, nor an empty one unless `emptyAllowed`.
 */
export function sendAppend(raft: RaftState, to: PeerId, emptyAllowed: boolean): boolean {
  const { log, options } = raft;
  const progress = progressOf(raft, to);
  if (progress.paused) return false;

  const previousIndex = progress.next - 1;
  const previousTerm = log.term(previousIndex);
  if (previousTerm === undefined) return sendSnapshot(raft, to, progress);
  // All that is on its way may be lost. An empty message comes through and is refused, which frees the way again.
  const full = progress.state === "replicate" && progress.inflights.full;
  const entries = full ? [] : log.entriesFrom(progress.next, options.messageBytesMax);
  if (entries === undefined) return sendSnapshot(raft, to, progress);
  if (entries.length === 0 && !emptyAllowed) return false;

  raft.send({
    kind: "append",
    to,
    index: previousIndex,
    logTerm: previousTerm,
    entries,
    commit: log.committed,
  });
  progress.sentEntries(entries.length, payloadSizeBytes(entries));
  progress.sentCommit(log.committed);
  return true;
}

/** Tells each member that the leader lives, and up to where it may commit. `context` is that of a read to be confirmed. */
export function broadcastHeartbeat(raft: RaftState, context: string): void {
  for (const [to, progress] of raft.tracker.progress) {
    if (to === raft.id) continue;
    // Beyond what is known to agree, the peer may hold other entries at these indexes.
    const commit = Math.min(progress.match, raft.log.committed);
    raft.send({ kind: "heartbeat", to, commit, context });
    progress.sentCommit(commit);
  }
}

/** Commits what a quorum holds, if it is of this term. Answers whether the commit index rose. */
export function maybeCommit(raft: RaftState): boolean {
  return raft.log.maybeCommit({ term: raft.term, index: raft.tracker.committed() });
}

function sendSnapshot(raft: RaftState, to: PeerId, progress: Progress): boolean {
  // To a peer that is not there it would be sent in vain, and at some cost.
  if (!progress.recentlyActive) return false;
  const snapshot = raft.log.snapshot();
  if (snapshot === undefined) return false;
  assert(snapshot.index > 0, "the log was compacted and there is no snapshot");
  progress.becomeSnapshot(snapshot.index);
  raft.send({ kind: "snapshot", to, snapshot });
  return true;
}

function progressOf(raft: RaftState, id: PeerId): Progress {
  const progress = raft.tracker.progress.get(id);
  assert(progress !== undefined, `peer ${id} is no member`);
  return progress;
}
