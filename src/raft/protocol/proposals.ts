/** What is proposed becomes entries of the leader's log; what was applied makes room for more. */
import { decodeChange, encodeChange, LEAVE_JOINT } from "../configuration/change.ts";
import { changeConfiguration } from "../configuration/changer.ts";
import { isJoint } from "../configuration/configuration.ts";
import { payloadSizeBytes } from "../log/size.ts";
import { NOBODY, type Proposal } from "../message.ts";
import { broadcastAppend } from "./replication.ts";
import type { RaftState, Refusal } from "./state.ts";

const NOTHING: Proposal = { kind: "normal", data: new Uint8Array() };

/** A leader takes `proposals` into its log and sends them. A change that does not fit now becomes an empty entry. */
export function proposeAsLeader(
  raft: RaftState,
  proposals: readonly Proposal[],
): Refusal | undefined {
  // A leader that is no member any more, or hands its office on, takes nothing.
  if (!raft.tracker.progress.has(raft.id) || raft.transferee !== NOBODY) return "proposal_dropped";
  if (!fits(raft, proposals)) return "proposal_dropped";

  const start = raft.log.lastIndex() + 1;
  const accepted = proposals.map((proposal, position) => {
    if (proposal.kind === "normal") return proposal;
    if (!raft.options.changesUnchecked && !mayChange(raft, proposal)) return NOTHING;
    raft.pendingChangeIndex = start + position;
    return proposal;
  });
  appendAsLeader(raft, accepted);
  broadcastAppend(raft);
  return undefined;
}

/** Puts `proposals` at the end of the log. Once they are on disk, the leader counts itself among those that hold them. */
export function appendAsLeader(raft: RaftState, proposals: readonly Proposal[]): void {
  const { term, log } = raft;
  const start = log.lastIndex() + 1;
  raft.uncommittedBytes += payloadSizeBytes(proposals);
  log.append(proposals.map(({ kind, data }, i) => ({ term, index: start + i, kind, data })));
  raft.send({ kind: "append_response", to: raft.id, index: log.lastIndex() });
}

/** Entries up to `index` are applied; they counted `sizeBytes`. */
export function noteApplied(raft: RaftState, index: number, sizeBytes: number): void {
  raft.log.appliedTo(Math.max(index, raft.log.applied), sizeBytes);
  leaveJointIfDue(raft);
}

/**
 * A leader whose joint configuration is to be left by itself proposes that, again until it is taken: while it hands its office on, it takes
 * nothing.
 */
export function leaveJointIfDue(raft: RaftState): void {
  const { autoLeave } = raft.tracker.configuration;
  if (autoLeave && raft.role === "leader" && raft.log.applied >= raft.pendingChangeIndex) {
    proposeAsLeader(raft, [encodeChange(LEAVE_JOINT)]);
  }
}

/** What is empty always fits, and anything does where nothing else is uncommitted. */
function fits(raft: RaftState, proposals: readonly Proposal[]): boolean {
  const sizeBytes = payloadSizeBytes(proposals);
  const { uncommittedBytes, options } = raft;
  if (uncommittedBytes === 0 || sizeBytes === 0) return true;
  return uncommittedBytes + sizeBytes <= options.uncommittedBytesMax;
}

/** One change at a time: the next may be proposed when the last is applied, and must fit what that made. */
function mayChange(raft: RaftState, proposal: Proposal): boolean {
  if (raft.pendingChangeIndex > raft.log.applied) return false;
  const change = decodeChange(proposal);
  if (change === undefined) return true;
  const { configuration } = raft.tracker;
  if (isJoint(configuration) !== (change.operations.length === 0)) return false;
  return !("problem" in changeConfiguration(configuration, change));
}
