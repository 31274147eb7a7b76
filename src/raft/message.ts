/** The nouns of the protocol: peers, entries, snapshots, and the messages that peers send each other. */

/** The number of a member, from 1; never used again once the member is gone. */
export type PeerId = number & { readonly __brand: "PeerId" };

/** `value` as the number of a member. */
export function peerId(value: number): PeerId {
  return value as PeerId;
}

/** In place of a peer: no leader, no vote. */
export const NOBODY = peerId(0);
/** Where a node that writes asynchronously sends what is to be stored, and who answers. */
export const APPEND_THREAD = peerId(-1);
/** Where a node that writes asynchronously sends what is to be applied, and who answers. */
export const APPLY_THREAD = peerId(-2);

/**
 * What an entry is for: the state machine, or a change of the configuration (`configuration/change.ts`). A `single` change is one
 * operation that never takes a joint configuration.
 */
export type EntryKind = "normal" | "change" | "single_change";

/** What is proposed. The bytes are not copied; do not change them. */
export interface Proposal {
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** One entry of the log. In a proposal that is on its way to the leader, term and index are 0. */
export interface Entry extends Proposal {
  readonly term: number;
  readonly index: number;
}

/** Where an entry stands, and of which term it is: two logs that share one share all below it. */
export interface EntryPosition {
  readonly term: number;
  readonly index: number;
}

/** What must be on disk before a message that depends on it is sent: `raft.pdf` figure 2, "persistent state". */
export interface HardState {
  readonly term: number;
  readonly vote: PeerId;
  readonly commit: number;
}

export type Role = "follower" | "pre_candidate" | "candidate" | "leader";

/** What a node knows of leadership; lost with the process. */
export interface SoftState {
  readonly leader: PeerId;
  readonly role: Role;
}

/** Who votes and who only listens, in rising order. While `votersOutgoing` is not empty both halves must agree. */
export interface ConfigurationState {
  readonly voters: readonly PeerId[];
  readonly votersOutgoing: readonly PeerId[];
  readonly learners: readonly PeerId[];
  /** Voters of the outgoing half that become learners when it is left. */
  readonly learnersNext: readonly PeerId[];
  readonly autoLeave: boolean;
}

/** The state machine after the entry at `index`, and the configuration then. `data` may name bytes that travel another way. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  readonly configuration: ConfigurationState;
  readonly data: Uint8Array;
}

/** A read that was asked for as `context` may be answered once the entry at `index` is applied. */
export interface ReadState {
  readonly index: number;
  readonly context: string;
}

export type MessageKind =
  | "append" // leader: entries after (index, logTerm)
  | "append_response" // holds all up to index; or rejected index, and matches at most up to (hintIndex, logTerm)
  | "heartbeat" // leader: commit as far as this peer holds the log; context of a read
  | "heartbeat_response"
  | "snapshot" // leader: what was compacted away
  | "vote" // candidate, with the end of its log; forced: the leader asked for it
  | "vote_response" // or rejected, with what is committed
  | "pre_vote" // would you vote for me in the next term?
  | "pre_vote_response"
  | "propose" // forwarded to the leader
  | "read_index" // forwarded to the leader: its commit index, confirmed
  | "read_index_response"
  | "transfer_leader" // forwarded to the leader: `from` is to become leader
  | "timeout_now" // leader: campaign at once
  | "storage_append" // to the append thread: hard state, entries, snapshot; then send the responses
  | "storage_append_response" // entries up to (index, logTerm) and the snapshot are on disk
  | "storage_apply" // to the apply thread
  | "storage_apply_response"; // the entries are applied

/** One message. Which fields count is said at its kind; the others have the values of `message()`. */
export interface Message {
  readonly kind: MessageKind;
  readonly from: PeerId;
  readonly to: PeerId;
  /** 0 where the message belongs to no term. */
  readonly term: number;
  readonly index: number;
  readonly logTerm: number;
  readonly commit: number;
  readonly vote: PeerId;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  readonly rejected: boolean;
  readonly hintIndex: number;
  readonly forced: boolean;
  readonly committed: EntryPosition | undefined;
  readonly context: string;
  readonly responses: readonly Message[];
}

/** A message of which only what differs from nothing is said. */
export type MessageDraft = Pick<Message, "kind" | "to"> & Partial<Message>;

const NOTHING: Omit<Message, "kind" | "to"> = {
  from: NOBODY,
  term: 0,
  index: 0,
  logTerm: 0,
  commit: 0,
  vote: NOBODY,
  entries: [],
  snapshot: undefined,
  rejected: false,
  hintIndex: 0,
  forced: false,
  committed: undefined,
  context: "",
  responses: [],
};

export function message(draft: MessageDraft): Message {
  return { ...NOTHING, ...draft };
}

const RESPONSES: ReadonlySet<MessageKind> = new Set([
  "append_response",
  "heartbeat_response",
  "vote_response",
  "pre_vote_response",
  "read_index_response",
]);

/** Whether `kind` answers a peer, so that one who is no member has no say. */
export function isResponse(kind: MessageKind): boolean {
  return RESPONSES.has(kind);
}

/** Whether `kind` passes between a node and its own storage, never between peers. */
export function isStorageMessage(kind: MessageKind): boolean {
  return kind.startsWith("storage_");
}

export function sameHardState(one: HardState, other: HardState): boolean {
  return one.term === other.term && one.vote === other.vote && one.commit === other.commit;
}
