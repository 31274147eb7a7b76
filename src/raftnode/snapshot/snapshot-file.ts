/** Bytes of a snapshot's file: a header, chunks, an end (docs/formats/raft-log.md). Pure. */
import { crc32c } from "#base/crc32c.ts";
import { DbError } from "#base/errors.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { decodeMark, encodeMark, type SnapshotMark } from "../log/items.ts";

const MAGIC = Uint8Array.from(Buffer.from("TDLKSNAP"));
const VERSION = 1;
/** Magic, version, size of the mark. */
export const SNAPSHOT_HEAD_SIZE = 16;
/** Size and checksum. */
export const CHUNK_HEAD_SIZE = 8;
export const CHUNK_SIZE_MAX = 256 * 1024;
/** Of a mark; a group has a handful of members. */
const MARK_SIZE_MAX = 2 ** 20;
const CHECKSUM_SIZE = 4;

/** The header of the snapshot at `mark`, and the checksum that its first chunk goes on from. */
export function encodeSnapshotHead(mark: SnapshotMark): { bytes: Uint8Array; checksum: number } {
  const body = new ByteWriter();
  encodeMark(body, mark);
  const writer = new ByteWriter();
  writer.bytes(MAGIC);
  writer.u32(VERSION);
  writer.sized(body.done());
  const checksum = crc32c(writer.done());
  writer.u32(checksum);
  return { bytes: writer.done(), checksum };
}

/** How many bytes of header follow the first `SNAPSHOT_HEAD_SIZE`; `path` is for errors. */
export function snapshotHeadRest(path: string, bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  if (bytes.length < SNAPSHOT_HEAD_SIZE || Buffer.compare(reader.bytes(MAGIC.length), MAGIC) !== 0)
    throw damagedSnapshot(path, 0, "it does not begin as a snapshot does");
  const version = reader.u32();
  const size = reader.u32();
  if (version !== VERSION)
    throw new DbError(
      "unsupported",
      "raft_log_unknown",
      `The snapshot ${path} has version ${version}; this program knows ${VERSION}. Start the program that wrote it, or a newer one.`,
      { detail: { path, version } },
    );
  if (size > MARK_SIZE_MAX) throw damagedSnapshot(path, 0, `its header has ${size} bytes`);
  return size + CHECKSUM_SIZE;
}

/** What the whole header says. */
export function decodeSnapshotHead(
  path: string,
  bytes: Uint8Array,
): { mark: SnapshotMark; checksum: number } {
  const checksum = crc32c(bytes.subarray(0, bytes.length - CHECKSUM_SIZE));
  const reader = new ByteReader(bytes.subarray(SNAPSHOT_HEAD_SIZE));
  const mark = bytes.subarray(SNAPSHOT_HEAD_SIZE, bytes.length - CHECKSUM_SIZE);
  reader.bytes(mark.length);
  if (reader.u32() !== checksum)
    throw damagedSnapshot(path, 0, "its header is not what was written");
  return { mark: decodeMark(new ByteReader(mark)), checksum };
}

/**
 * A chunk, of no bytes for the end of the snapshot, and the checksum that the next one goes on from: a chunk that is missing or in
 * another place is found as one that was changed.
 */
export function encodeChunk(
  chunk: Uint8Array,
  before: number,
): { bytes: Uint8Array; checksum: number } {
  const checksum = chunkChecksum(chunk, before);
  const writer = new ByteWriter();
  writer.u32(chunk.length);
  writer.u32(checksum);
  writer.bytes(chunk);
  return { bytes: writer.done(), checksum };
}

/** Of the size, then the bytes, going on from the chunk before. */
export function chunkChecksum(chunk: Uint8Array, before: number): number {
  const size = new ByteWriter();
  size.u32(chunk.length);
  return crc32c(chunk, crc32c(size.done(), before));
}

export function damagedSnapshot(path: string, offset: number, why: string): DbError {
  return new DbError(
    "corrupt",
    "raft_snapshot_damaged",
    `The snapshot ${path} is damaged at byte ${offset}: ${why}. Do not start this node with it: remove the node from its group, and add it again with an empty folder.`,
    { detail: { path, offset } },
  );
}
