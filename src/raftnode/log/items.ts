/** What a record of the log holds: items, one after another (docs/formats/raft-log.md). Pure. */
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { decodeStored, v } from "#base/schema.ts";
import { type ConfigurationState, type Entry, type HardState, peerId } from "#raft/message.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { decodeEntries, encodeEntries } from "../entries.ts";

/** A place in the log. */
export interface Position {
  readonly index: number;
  readonly term: number;
}

/** A snapshot: the state after the entry at this position, and who was in the group then. */
export interface SnapshotMark extends Position {
  readonly configuration: ConfigurationState;
}

export type LogItem =
  | { readonly kind: "hardState"; readonly hardState: HardState }
  /** Consecutive; they take the place of all entries from the first one's index on. */
  | { readonly kind: "entries"; readonly entries: readonly Entry[] }
  /** This node made a snapshot; the entries stay. */
  | { readonly kind: "snapshot"; readonly mark: SnapshotMark }
  /** A snapshot came from the leader; all entries go. */
  | { readonly kind: "installed"; readonly mark: SnapshotMark }
  /** Entries up to here are gone. */
  | { readonly kind: "compacted"; readonly position: Position };

const NUMBERS = { hardState: 1, entries: 2, snapshot: 3, installed: 4, compacted: 5 } as const;

const peers = v.array(
  v.pipe(
    v.number(),
    v.transform((value) => peerId(value)),
  ),
);
const configurationSchema = v.object({
  voters: peers,
  votersOutgoing: peers,
  learners: peers,
  learnersNext: peers,
  autoLeave: v.boolean(),
});

export function encodeItems(items: readonly LogItem[]): Uint8Array {
  const writer = new ByteWriter();
  for (const item of items) encodeItem(writer, item);
  return writer.done();
}

/**
 * The items of a record's body; entries' data are views into it.
 *
 * Throws `unsupported` / `raft_log_unknown` for an item that this program does not know, and `corrupt` where the bytes make no sense.
 */
export function decodeItems(body: Uint8Array): readonly LogItem[] {
  const reader = new ByteReader(body);
  const items: LogItem[] = [];
  while (reader.rest > 0) items.push(decodeItem(reader));
  return items;
}

export function encodeMark(writer: ByteWriter, mark: SnapshotMark): void {
  encodePosition(writer, mark);
  writer.sized(utf8(JSON.stringify(mark.configuration)));
}

export function decodeMark(reader: ByteReader): SnapshotMark {
  const position = decodePosition(reader);
  const members: unknown = JSON.parse(fromUtf8(reader.sized()));
  return {
    ...position,
    configuration: decodeStored(configurationSchema, members, "A group's members"),
  };
}

function encodeItem(writer: ByteWriter, item: LogItem): void {
  writer.u8(NUMBERS[item.kind]);
  switch (item.kind) {
    case "hardState":
      writer.u64(item.hardState.term);
      writer.u64(item.hardState.vote);
      writer.u64(item.hardState.commit);
      return;
    case "entries":
      encodeEntries(writer, item.entries);
      return;
    case "snapshot":
    case "installed":
      encodeMark(writer, item.mark);
      return;
    case "compacted":
      encodePosition(writer, item.position);
  }
}

function decodeItem(reader: ByteReader): LogItem {
  const number = reader.u8();
  switch (number) {
    case NUMBERS.hardState:
      return {
        kind: "hardState",
        hardState: { term: reader.u64(), vote: peerId(reader.u64()), commit: reader.u64() },
      };
    case NUMBERS.entries:
      return { kind: "entries", entries: decodeEntries(reader) };
    case NUMBERS.snapshot:
      return { kind: "snapshot", mark: decodeMark(reader) };
    case NUMBERS.installed:
      return { kind: "installed", mark: decodeMark(reader) };
    case NUMBERS.compacted:
      return { kind: "compacted", position: decodePosition(reader) };
    default:
      throw new DbError(
        "unsupported",
        "raft_log_unknown",
        `The raft log holds an item of kind ${number}, which this program does not know. Start the program that wrote it, or a newer one.`,
        { detail: { number } },
      );
  }
}

function encodePosition(writer: ByteWriter, { index, term }: Position): void {
  writer.u64(index);
  writer.u64(term);
}

function decodePosition(reader: ByteReader): Position {
  return { index: reader.u64(), term: reader.u64() };
}
