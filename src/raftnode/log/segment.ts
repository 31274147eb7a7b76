/** Bytes of a segment: a header, then records (docs/formats/raft-log.md). Pure. */
import { crc32c } from "#base/crc32c.ts";
import { assert, DbError } from "#base/errors.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";

const MAGIC = Uint8Array.from(Buffer.from("TDLKRAFT"));
const VERSION = 1;
export const SEGMENT_HEADER_SIZE = 32;
const RECORD_HEADER_SIZE = 24;
/** Records begin at multiples of it, so that they are found again behind damage. */
const ALIGNMENT = 8;
/** No record is larger, whatever its header says. */
const RECORD_BODY_SIZE_MAX = 256 * 2 ** 20;

export interface SegmentHeader {
  /** Of its first record. */
  readonly firstSequence: number;
  /** Different for each segment: checksums of records begin with it, so that no entry's data can pass for a record. */
  readonly salt: number;
}

export interface SegmentRecord {
  readonly sequence: number;
  /** Where it begins in the file. */
  readonly offset: number;
  /** A view into the segment's bytes. */
  readonly body: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

export function encodeSegmentHeader({ firstSequence, salt }: SegmentHeader): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(MAGIC);
  writer.u32(VERSION);
  writer.u32(salt);
  writer.u64(firstSequence);
  writer.u32(0);
  writer.u32(crc32c(writer.done()));
  return writer.done();
}

/**
 * The header of the segment in file `path`; undefined when it is not whole, which is how a crash leaves a file that was just made.
 *
 * Throws `corrupt` / `raft_log_damaged` when records stand behind a header that is not whole, and `unsupported` /
 * `raft_log_unknown` where a newer program wrote it.
 */
export function decodeSegmentHeader(path: string, bytes: Uint8Array): SegmentHeader | undefined {
  const head = bytes.subarray(0, SEGMENT_HEADER_SIZE);
  const whole =
    head.length === SEGMENT_HEADER_SIZE &&
    Buffer.compare(head.subarray(0, MAGIC.length), MAGIC) === 0 &&
    crc32c(head.subarray(0, SEGMENT_HEADER_SIZE - 4)) ===
      new ByteReader(head.subarray(SEGMENT_HEADER_SIZE - 4)).u32();
  if (!whole) {
    if (bytes.length <= SEGMENT_HEADER_SIZE) return undefined;
    throw damagedError(path, 0, "the header of the segment is not what was written");
  }
  const reader = new ByteReader(head.subarray(MAGIC.length));
  const version = reader.u32();
  if (version !== VERSION)
    throw new DbError(
      "unsupported",
      "raft_log_unknown",
      `The raft log ${path} has version ${version}; this program knows ${VERSION}. Start the program that wrote it, or a newer one.`,
      { detail: { path, version } },
    );
  const salt = reader.u32();
  return { salt, firstSequence: reader.u64() };
}

/** The bytes of a record, header and padding included. */
export function encodeRecord(sequence: number, body: Uint8Array, salt: number): Uint8Array {
  assert(body.length <= RECORD_BODY_SIZE_MAX, "a record is read by who has written it");
  const writer = new ByteWriter();
  writer.u64(sequence);
  writer.u32(body.length);
  writer.u32(crc32c(body));
  writer.u32(0);
  writer.u32(crc32c(writer.done(), salt));
  const bytes = new Uint8Array(aligned(RECORD_HEADER_SIZE + body.length));
  bytes.set(writer.done());
  bytes.set(body, RECORD_HEADER_SIZE);
  return bytes;
}

/**
 * The records of a segment in order, and where the last whole one ends. What is behind that end is a write that was cut short by a
 * crash: no whole record follows it.
 *
 * Throws `corrupt` / `raft_log_damaged` with the path and the offset where something that was once whole is not.
 */
export function readRecords(
  path: string,
  bytes: Uint8Array,
  header: SegmentHeader,
): { readonly records: readonly SegmentRecord[]; readonly end: number } {
  const records: SegmentRecord[] = [];
  let offset = SEGMENT_HEADER_SIZE;
  let sequence = header.firstSequence;
  while (offset < bytes.length) {
    const record = findRecord(bytes, offset, header.salt);
    if (record === undefined) {
      refuseIfFollowed(path, bytes, { offset, sequence, salt: header.salt });
      break;
    }
    if (record.sequence !== sequence)
      throw damagedError(path, offset, `record ${record.sequence} stands where ${sequence} should`);
    records.push(record);
    offset = record.end;
    sequence += 1;
  }
  return { records, end: offset };
}

/** The error that names damage in a file of the log. */
export function damagedError(path: string, offset: number, why: string): DbError {
  return new DbError(
    "corrupt",
    "raft_log_damaged",
    `The raft log is damaged: ${path} at byte ${offset}: ${why}. Do not start this node with it: remove the node from its group, and add it again with an empty folder.`,
    { detail: { path, offset } },
  );
}

/** The record at `offset`, if there is a whole one. */
function findRecord(bytes: Uint8Array, offset: number, salt: number): SegmentRecord | undefined {
  const bodyStart = offset + RECORD_HEADER_SIZE;
  if (bodyStart > bytes.length) return undefined;
  const head = bytes.subarray(offset, bodyStart);
  const reader = new ByteReader(head);
  const [low, high, size, bodyChecksum] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  reader.u32();
  const headChecksum = reader.u32();
  const end = offset + aligned(RECORD_HEADER_SIZE + size);
  // The cheap look first: behind damage this is asked at every place.
  if (size > RECORD_BODY_SIZE_MAX || end > bytes.length) return undefined;
  if (crc32c(head.subarray(0, RECORD_HEADER_SIZE - 4), salt) !== headChecksum) return undefined;
  const body = bytes.subarray(bodyStart, bodyStart + size);
  if (crc32c(body) !== bodyChecksum) return undefined;
  if (bytes.subarray(bodyStart + size, end).some((byte) => byte !== 0)) return undefined;
  return { sequence: high * 2 ** 32 + low, offset, body, end };
}

/** A record is written only when the one before it is synced: where one stands behind `at`, `at` was whole once. */
function refuseIfFollowed(
  path: string,
  bytes: Uint8Array,
  at: { readonly offset: number; readonly sequence: number; readonly salt: number },
): void {
  for (let offset = at.offset + ALIGNMENT; offset < bytes.length; offset += ALIGNMENT) {
    const later = findRecord(bytes, offset, at.salt);
    if (later === undefined) continue;
    const why = `record ${at.sequence} is not what was written, and record ${later.sequence} follows at byte ${offset}`;
    throw damagedError(path, at.offset, why);
  }
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
