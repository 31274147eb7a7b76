/** Nodes, messages and Readys in the words of the scripts. */
import { decodeChange, type Operation } from "../configuration/change.ts";
import type { Configuration } from "../configuration/configuration.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfigurationState,
  type Entry,
  type EntryKind,
  type HardState,
  type Message,
  type MessageKind,
  NOBODY,
  type PeerId,
  type ReadState,
  type Role,
  type Snapshot,
  type SoftState,
} from "../message.ts";
import type { MemberStatus } from "../node.ts";
import type { Refusal } from "../protocol/state.ts";
import type { Ready } from "../ready.ts";

const MESSAGE_NAMES: Readonly<Record<MessageKind, string>> = {
  append: "MsgApp",
  append_response: "MsgAppResp",
  heartbeat: "MsgHeartbeat",
  heartbeat_response: "MsgHeartbeatResp",
  snapshot: "MsgSnap",
  vote: "MsgVote",
  vote_response: "MsgVoteResp",
  pre_vote: "MsgPreVote",
  pre_vote_response: "MsgPreVoteResp",
  propose: "MsgProp",
  read_index: "MsgReadIndex",
  read_index_response: "MsgReadIndexResp",
  transfer_leader: "MsgTransferLeader",
  timeout_now: "MsgTimeoutNow",
  storage_append: "MsgStorageAppend",
  storage_append_response: "MsgStorageAppendResp",
  storage_apply: "MsgStorageApply",
  storage_apply_response: "MsgStorageApplyResp",
};

const ENTRY_NAMES: Readonly<Record<EntryKind, string>> = {
  normal: "EntryNormal",
  change: "EntryConfChangeV2",
  single_change: "EntryConfChange",
};

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  follower: "StateFollower",
  pre_candidate: "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

const PROGRESS_NAMES: Readonly<Record<MemberStatus["state"], string>> = {
  probe: "StateProbe",
  replicate: "StateReplicate",
  snapshot: "StateSnapshot",
};

const OPERATION_LETTERS: Readonly<Record<Operation["kind"], string>> = {
  add_voter: "v",
  add_learner: "l",
  remove: "r",
  update: "u",
};

const REFUSALS: Readonly<Record<Refusal, string>> = {
  proposal_dropped: "raft proposal dropped",
  peer_unknown: "raft: cannot step as peer not found",
  message_local: "raft: cannot step raft local message",
};

export function describeRefusal(refusal: Refusal): string {
  return REFUSALS[refusal];
}

export function describeRole(role: Role): string {
  return ROLE_NAMES[role];
}

/** The kind of message that scripts call `name`. */
export function messageKind(name: string): MessageKind | undefined {
  const kinds = Object.keys(MESSAGE_NAMES) as MessageKind[];
  return kinds.find((kind) => MESSAGE_NAMES[kind] === name);
}

/** The operations that scripts write as `v1 l2 r3 u4`. */
export function parseOperations(text: string, toPeer: (value: string) => PeerId): Operation[] {
  const kinds = Object.keys(OPERATION_LETTERS) as Operation["kind"][];
  const tokens = text.split(/\s+/).filter((token) => token !== "");
  return tokens.map((token) => {
    const kind = kinds.find((one) => OPERATION_LETTERS[one] === token[0]);
    if (kind === undefined || token.length < 2) throw new Error(`unknown input: ${token}`);
    return { kind, peer: toPeer(token.slice(1)) };
  });
}

export function describeReady(ready: Ready): string {
  const lines = [
    ...(ready.softState === undefined ? [] : [describeSoftState(ready.softState)]),
    ...(ready.hardState === undefined ? [] : [describeHardState(ready.hardState)]),
    ...(ready.readStates.length === 0 ? [] : [describeReadStates(ready.readStates)]),
    ...titled("Entries:", describeEntries(ready.entries)),
    ...(ready.snapshot === undefined ? [] : [`Snapshot ${describeSnapshot(ready.snapshot)}`]),
    ...titled("CommittedEntries:", describeEntries(ready.committedEntries)),
    ...titled(
      "Messages:",
      ready.messages.map((sent) => describeMessage(sent)),
    ),
  ];
  if (lines.length === 0) return "<empty Ready>";
  return [`Ready MustSync=${ready.mustSync}:`, ...lines].join("\n");
}

/** One message, over several lines where it holds a snapshot, several entries or responses. */
export function describeMessage(sent: Message, indent = ""): string {
  const { term, logTerm, index, commit, vote, entries, snapshot, responses } = sent;
  const route = `${describePeer(sent.from)}->${describePeer(sent.to)}`;
  return [
    `${indent}${route} ${MESSAGE_NAMES[sent.kind]} Term:${term} Log:${logTerm}/${index}`,
    sent.rejected ? ` Rejected (Hint: ${sent.hintIndex})` : "",
    commit === 0 ? "" : ` Commit:${commit}`,
    vote === NOBODY ? "" : ` Vote:${vote}`,
    describeEntryList(entries, indent),
    snapshot === undefined ? "" : `\n${indent}  Snapshot: ${describeSnapshot(snapshot)}`,
    describeResponses(responses, indent),
  ].join("");
}

export function describeEntries(entries: readonly Entry[]): readonly string[] {
  return entries.map(describeEntry);
}

export function describeConfiguration(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  return [
    `voters=(${sorted(voters)})`,
    votersOutgoing.size === 0 ? "" : `&&(${sorted(votersOutgoing)})`,
    learners.size === 0 ? "" : ` learners=(${sorted(learners)})`,
    learnersNext.size === 0 ? "" : ` learners_next=(${sorted(learnersNext)})`,
    autoLeave ? " autoleave" : "",
  ].join("");
}

export function describeMembers(members: ReadonlyMap<PeerId, MemberStatus>): readonly string[] {
  return [...members].map(([id, status]) => `${id}: ${describeMember(status)}`);
}

function describeMember(status: MemberStatus): string {
  const { inflightCount, pendingSnapshotIndex } = status;
  const full = status.inflightFull ? "[full]" : "";
  return [
    `${PROGRESS_NAMES[status.state]} match=${status.match} next=${status.next}`,
    status.learner ? " learner" : "",
    status.paused ? " paused" : "",
    pendingSnapshotIndex > 0 ? ` pendingSnap=${pendingSnapshotIndex}` : "",
    status.recentlyActive ? "" : " inactive",
    inflightCount > 0 ? ` inflight=${inflightCount}${full}` : "",
  ].join("");
}

function describeSoftState({ leader, role }: SoftState): string {
  return `Lead:${leader} State:${ROLE_NAMES[role]}`;
}

function describeHardState({ term, vote, commit }: HardState): string {
  return `HardState Term:${term}${vote === NOBODY ? "" : ` Vote:${vote}`} Commit:${commit}`;
}

function describeReadStates(readStates: readonly ReadState[]): string {
  const states = readStates.map(
    ({ index, context }) => `{${index} [${new TextEncoder().encode(context).join(" ")}]}`,
  );
  return `ReadStates [${states.join(" ")}]`;
}

function describeEntry(entry: Entry): string {
  const change = decodeChange(entry);
  const content =
    change === undefined
      ? JSON.stringify(new TextDecoder().decode(entry.data))
      : change.operations.map(({ kind, peer }) => `${OPERATION_LETTERS[kind]}${peer}`).join(" ");
  const name = ENTRY_NAMES[entry.kind];
  return `${entry.term}/${entry.index} ${name}${content === "" ? "" : ` ${content}`}`;
}

function describeEntryList(entries: readonly Entry[], indent: string): string {
  const [first, ...rest] = describeEntries(entries);
  if (first === undefined) return "";
  if (rest.length === 0) return ` Entries:[${first}]`;
  const lines = [first, ...rest].map((entry) => `\n${indent}  ${entry}`);
  return ` Entries:[${lines.join("")}\n${indent}]`;
}

function describeResponses(responses: readonly Message[], indent: string): string {
  if (responses.length === 0) return "";
  const lines = responses.map((response) => `\n${describeMessage(response, `${indent}  `)}`);
  return ` Responses:[${lines.join("")}\n${indent}]`;
}

function describeSnapshot({ index, term, configuration }: Snapshot): string {
  return `Index:${index} Term:${term} ConfState:${describeState(configuration)}`;
}

function describeState(state: ConfigurationState): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = state;
  return [
    `Voters:[${voters.join(" ")}]`,
    `VotersOutgoing:[${votersOutgoing.join(" ")}]`,
    `Learners:[${learners.join(" ")}]`,
    `LearnersNext:[${learnersNext.join(" ")}]`,
    `AutoLeave:${autoLeave}`,
  ].join(" ");
}

function describePeer(id: PeerId): string {
  if (id === APPEND_THREAD) return "AppendThread";
  return id === APPLY_THREAD ? "ApplyThread" : String(id);
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function sorted(ids: ReadonlySet<PeerId>): string {
  return [...ids].toSorted((one, other) => one - other).join(" ");
}
