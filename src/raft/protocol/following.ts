/** What a follower does with the entries, heartbeats and snapshots of its leader (raft.pdf §5.3, §7). */
import type { ConfigurationState, Message, PeerId, Snapshot } from "../message.ts";
import { NOBODY } from "../message.ts";
import { restoreMembers } from "./membership.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState } from "./state.ts";

/** Whether `kind` comes from a leader alone. */
export function isOfLeader({ kind }: Message): boolean {
  return kind === "append" || kind === "heartbeat" || kind === "snapshot";
}

/** Takes a message of the leader of this term. */
export function follow(raft: RaftState, received: Message): void {
  if (received.kind === "append") takeEntries(raft, received);
  else if (received.kind === "heartbeat") takeHeartbeat(raft, received);
  else takeSnapshot(raft, received);
}

function takeEntries(raft: RaftState, { from, index, logTerm, entries, commit }: Message): void {
  const { log } = raft;
  if (index < log.committed) {
    raft.send({ kind: "append_response", to: from, index: log.committed });
    return;
  }
  const last = log.maybeAppend({ term: logTerm, index }, entries, commit);
  if (last !== undefined) {
    raft.send({ kind: "append_response", to: from, index: last });
    return;
  }
  // Entries of later terms than the leader's at this index cannot agree with its log: they are passed over at once.
  const hint = log.findConflict({ term: logTerm, index: Math.min(index, log.lastIndex()) });
  raft.send({
    kind: "append_response",
    to: from,
    index,
    rejected: true,
    hintIndex: hint.index,
    logTerm: hint.term,
  });
}

function takeHeartbeat(raft: RaftState, { from, commit, context }: Message): void {
  raft.log.commitTo(commit);
  raft.send({ kind: "heartbeat_response", to: from, context });
}

function takeSnapshot(raft: RaftState, { from, snapshot }: Message): void {
  const { log } = raft;
  const restored = snapshot !== undefined && restore(raft, snapshot);
  const index = restored ? log.lastIndex() : log.committed;
  raft.send({ kind: "append_response", to: from, index });
}

/** Whether `snapshot` took the place of the log. */
function restore(raft: RaftState, snapshot: Snapshot): boolean {
  const { log } = raft;
  if (snapshot.index <= log.committed) return false;
  if (raft.role !== "follower") {
    // A snapshot is taken by followers alone; whoever else came here must not go on in this term.
    becomeFollower(raft, raft.term + 1, NOBODY);
    return false;
  }
  if (!isMember(snapshot.configuration, raft.id)) return false;
  if (log.matches(snapshot)) {
    // All of it is here. The entries are worth more than the snapshot, and are committed.
    log.commitTo(snapshot.index);
    return false;
  }
  // Changes among what is being applied belong to the configuration before. The leader sends it again.
  if (log.isApplying) return false;
  log.restore(snapshot);
  restoreMembers(raft, snapshot.configuration);
  return true;
}

/** Those in `learnersNext` vote in the outgoing half. */
function isMember({ voters, votersOutgoing, learners }: ConfigurationState, id: PeerId): boolean {
  return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id);
}
