/** What a node hands out to be stored, sent and applied. */
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type Entry,
  type HardState,
  type Message,
  message,
  type ReadState,
  type Snapshot,
  type SoftState,
  sameHardState,
} from "./message.ts";
import type { RaftState } from "./protocol/state.ts";

/**
 * In this order: store `hardState`, `entries` and `snapshot`, with a sync if `mustSync`; then send `messages`; apply `snapshot`, then
 * `committedEntries`, a change of the configuration also by `RaftNode.applyChange()`; then call `advance()`.
 *
 * Where storage is asynchronous there is no `advance()`: all of the above are messages to the append and the apply thread, which work
 * through theirs in order and send the responses of each when it is done. The other messages may be sent at once. The fields say then
 * what the messages hold.
 */
export interface Ready {
  /** Where it has changed. */
  readonly softState: SoftState | undefined;
  readonly hardState: HardState | undefined;
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  /** Takes the place of the whole log and of the state machine. */
  readonly snapshot: Snapshot | undefined;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /**
   * Entries, term and vote must survive a crash before a message is sent. Where it is false, there is at most a commit index to be stored, which comes
   * again, and `snapshot`, which is always synced.
   */
  readonly mustSync: boolean;
}

/** What the caller knows of the node, as it was told last. */
export interface Told {
  readonly softState: SoftState;
  readonly hardState: HardState;
}

export function hasReady(raft: RaftState, told: Told): boolean {
  return (
    changedSoftState(raft, told) !== undefined ||
    changedHardState(raft, told) !== undefined ||
    raft.log.nextUnstableSnapshot() !== undefined ||
    raft.messages.length > 0 ||
    raft.messagesAfterAppend.length > 0 ||
    raft.log.hasNextUnstableEntries() ||
    raft.log.hasNextCommittedEntries(unstableApplied(raft)) ||
    raft.readStates.length > 0
  );
}

/** All that is new. Taken from the node by `takeReady`. */
export function makeReady(raft: RaftState, told: Told): Ready {
  const hardState = changedHardState(raft, told);
  const entries = raft.log.nextUnstableEntries();
  const { term, vote } = told.hardState;
  const ready: Ready = {
    softState: changedSoftState(raft, told),
    hardState,
    readStates: raft.readStates,
    entries,
    snapshot: raft.log.nextUnstableSnapshot(),
    committedEntries: raft.log.nextCommittedEntries(unstableApplied(raft)),
    messages: raft.messages,
    mustSync: entries.length > 0 || raft.term !== term || raft.vote !== vote,
  };
  const more = raft.options.asyncStorageWrites
    ? storageMessages(raft, ready)
    : raft.messagesAfterAppend.filter(({ to }) => to !== raft.id);
  return more.length === 0 ? ready : { ...ready, messages: [...ready.messages, ...more] };
}

/** The caller has `ready` now. Answers what the node itself is to hear once it is stored and applied, where that is not in messages. */
export function takeReady(raft: RaftState, ready: Ready): readonly Message[] {
  const after = raft.options.asyncStorageWrites ? [] : messagesAfterAdvance(raft, ready);
  raft.readStates = [];
  raft.messages = [];
  raft.messagesAfterAppend = [];
  raft.log.acceptUnstable();
  raft.log.acceptApplying(ready.committedEntries, unstableApplied(raft));
  return after;
}

/** Whoever stores before it applies, in one turn, may be given entries of the same Ready to apply. */
function unstableApplied({ options }: RaftState): boolean {
  return !options.asyncStorageWrites;
}

function changedSoftState(raft: RaftState, { softState }: Told): SoftState | undefined {
  const same = softState.leader === raft.leader && softState.role === raft.role;
  return same ? undefined : raft.softState();
}

function changedHardState(raft: RaftState, { hardState }: Told): HardState | undefined {
  const present = raft.hardState();
  return sameHardState(present, hardState) ? undefined : present;
}

function messagesAfterAdvance(raft: RaftState, ready: Ready): readonly Message[] {
  const messages = raft.messagesAfterAppend.filter(({ to }) => to === raft.id);
  const stored = storedMessage(raft, ready);
  if (stored !== undefined) messages.push(stored);
  if (ready.committedEntries.length > 0) messages.push(appliedMessage(raft, ready));
  return messages;
}

function storageMessages(raft: RaftState, ready: Ready): readonly Message[] {
  const messages: Message[] = [];
  const { hardState, entries, snapshot, committedEntries } = ready;
  const waiting = raft.messagesAfterAppend;
  const writes = hardState !== undefined || entries.length > 0 || snapshot !== undefined;
  if (writes || waiting.length > 0) {
    const stored = storedMessage(raft, ready);
    // The leader's answer to itself comes first: what it commits by that is handed out without being read from the disk.
    const responses = stored === undefined ? waiting : [...waiting, stored];
    messages.push(
      message({
        kind: "storage_append",
        from: raft.id,
        to: APPEND_THREAD,
        ...hardState,
        entries,
        snapshot,
        responses,
      }),
    );
  }
  if (committedEntries.length > 0) {
    messages.push(
      message({
        kind: "storage_apply",
        from: raft.id,
        to: APPLY_THREAD,
        entries: committedEntries,
        responses: [appliedMessage(raft, ready)],
      }),
    );
  }
  return messages;
}

/**
 * Says that all entries up to the end of the log of now are on disk, also those of earlier Readys, and `snapshot`. It is made until all are
 * known to be, even where this Ready has none, and bears this node's term: entries may be overwritten by those of another leader, and then
 * again by entries like the first, while the first are still being written. An answer of an earlier term would pass for one about the
 * last; it is ignored, and an answer of this term, given after the last of them was handed out, takes its place.
 */
function storedMessage(raft: RaftState, { snapshot }: Ready): Message | undefined {
  const unstable = raft.log.hasUnstableEntries();
  if (!unstable && snapshot === undefined) return undefined;
  const last = unstable ? raft.log.last() : { term: 0, index: 0 };
  return message({
    kind: "storage_append_response",
    from: APPEND_THREAD,
    to: raft.id,
    term: raft.term,
    index: last.index,
    logTerm: last.term,
    snapshot,
  });
}

function appliedMessage(raft: RaftState, { committedEntries }: Ready): Message {
  return message({
    kind: "storage_apply_response",
    from: APPLY_THREAD,
    to: raft.id,
    entries: committedEntries,
  });
}
