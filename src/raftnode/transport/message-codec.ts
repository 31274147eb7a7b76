/** Bytes of a message between peers (docs/formats/raft-messages.md). Pure. */
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { type Message, type MessageKind, message, peerId, type Snapshot } from "#raft/message.ts";
import { ByteReader, ByteWriter, malformed } from "../bytes.ts";
import { decodeEntries, encodeEntries } from "../entries.ts";
import { decodeMark, encodeMark } from "../log/items.ts";

/** The number of a kind is its place here: never move one. Those for a node's own storage are never sent. */
const KINDS: readonly MessageKind[] = [
  "append",
  "append_response",
  "heartbeat",
  "heartbeat_response",
  "snapshot",
  "vote",
  "vote_response",
  "pre_vote",
  "pre_vote_response",
  "propose",
  "read_index",
  "read_index_response",
  "transfer_leader",
  "timeout_now",
];
const REJECTED = 1;
const FORCED = 2;
const SNAPSHOT = 4;
const COMMITTED = 8;

export function encodeMessage(sent: Message): Uint8Array {
  const kind = KINDS.indexOf(sent.kind);
  if (kind < 0) throw malformed(`a message of kind ${sent.kind} is not for peers`);
  const writer = new ByteWriter();
  writer.u8(kind);
  writer.u8(flagsOf(sent));
  writer.u64(sent.from);
  writer.u64(sent.to);
  writer.u64(sent.term);
  writer.u64(sent.index);
  writer.u64(sent.logTerm);
  writer.u64(sent.commit);
  writer.u64(sent.vote);
  writer.u64(sent.hintIndex);
  writer.sized(utf8(sent.context));
  encodeEntries(writer, sent.entries);
  if (sent.committed !== undefined) {
    writer.u64(sent.committed.index);
    writer.u64(sent.committed.term);
  }
  if (sent.snapshot !== undefined) {
    encodeMark(writer, sent.snapshot);
    writer.sized(sent.snapshot.data);
  }
  return writer.done();
}

/** Throws `corrupt` / `raft_bytes_malformed` where the bytes are no message. Entries' data are views into them. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw malformed("a message is of no known kind");
  const flags = reader.u8();
  const read = message({
    kind,
    from: peerId(reader.u64()),
    to: peerId(reader.u64()),
    term: reader.u64(),
    index: reader.u64(),
    logTerm: reader.u64(),
    commit: reader.u64(),
    vote: peerId(reader.u64()),
    hintIndex: reader.u64(),
    context: fromUtf8(reader.sized()),
    entries: decodeEntries(reader),
    rejected: (flags & REJECTED) !== 0,
    forced: (flags & FORCED) !== 0,
    committed: (flags & COMMITTED) === 0 ? undefined : { index: reader.u64(), term: reader.u64() },
    snapshot: (flags & SNAPSHOT) === 0 ? undefined : decodeSnapshot(reader),
  });
  if (reader.rest > 0) throw malformed(`${reader.rest} bytes follow a message`);
  return read;
}

function flagsOf({ committed, forced, rejected, snapshot }: Message): number {
  return (
    (rejected ? REJECTED : 0) |
    (forced ? FORCED : 0) |
    (snapshot === undefined ? 0 : SNAPSHOT) |
    (committed === undefined ? 0 : COMMITTED)
  );
}

function decodeSnapshot(reader: ByteReader): Snapshot {
  return { ...decodeMark(reader), data: reader.sized() };
}
