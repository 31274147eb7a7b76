import type { FileSystem } from "#ports/file-system.ts";
import type { Log } from "#ports/log.ts";
import { decodeItems, type LogItem } from "./items.ts";
import { LogState } from "./log-state.ts";
import {
  damagedError,
  decodeSegmentHeader,
  readRecords,
  type SegmentHeader,
  type SegmentRecord,
} from "./segment.ts";

const NAME = /^(\d{20})\.raftlog$/;

export interface Segment {
  readonly path: string;
  readonly header: SegmentHeader;
  /** The highest index of any entry that was ever written to it; 0 for none. */
  indexMax: number;
}

export interface RecoveredLog {
  readonly state: LogState;
  /** Oldest first. */
  readonly segments: readonly Segment[];
  /** Of the next record. */
  readonly sequence: number;
  /** Of the last segment. */
  readonly sizeBytes: number;
}

interface ReadSegment {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
  readonly records: readonly SegmentRecord[];
  /** Where the last whole record ends. */
  readonly end: number;
}

/** The path of the segment whose first record has `sequence`. */
export function segmentPath(folder: string, sequence: number): string {
  return `${folder}/${String(sequence).padStart(20, "0")}.raftlog`;
}

/** The highest index among entries of `items`; 0 for none. */
export function indexMaxOf(items: readonly LogItem[]): number {
  let indexMax = 0;
  for (const item of items)
    if (item.kind === "entries") indexMax = Math.max(indexMax, item.entries.at(-1)?.index ?? 0);
  return indexMax;
}

/**
 * Reads the log in `folder`, cuts off what a crash left at its end, and writes its last record once more, synced: what a process
 * read after a crash or a failed sync need not be on the disk.
 *
 * Throws `corrupt` / `raft_log_damaged` where a record that was whole once is not, or where segments or entries are missing.
 */
export async function recoverLog(
  files: FileSystem,
  folder: string,
  log: Log,
): Promise<RecoveredLog> {
  const state = new LogState();
  const segments: Segment[] = [];
  // What is found may not be on the disk yet; what rests on it is not to outlive it.
  await files.syncFolder(folder);
  const names = (await files.list(folder)).filter((name) => NAME.test(name));
  let sequence = 0;
  let sizeBytes = 0;
  for (const [index, name] of names.entries()) {
    const path = `${folder}/${name}`;
    const isLast = index === names.length - 1;
    const read = await readSegment(files, path);
    if (read === undefined) {
      if (!isLast) throw damagedError(path, 0, "the segment has no header, and another follows");
      await files.remove(path);
      await files.syncFolder(folder);
      log.info("Removed a segment of the raft log that was never used.", { path });
      break;
    }
    const { header } = read.segment;
    if (index > 0 && header.firstSequence !== sequence)
      throw damagedError(
        path,
        0,
        `record ${sequence} is missing before record ${header.firstSequence}`,
      );
    if (!isLast && read.end < read.bytes.length)
      throw damagedError(path, read.end, "a record is not whole, and another segment follows");
    replay(read, state);
    segments.push(read.segment);
    sequence = header.firstSequence + read.records.length;
    sizeBytes = read.end;
    if (isLast) await repairTail(files, read, log);
  }
  const missing = state.findMissing();
  const last = segments.at(-1);
  if (missing !== undefined && last !== undefined)
    throw damagedError(last.path, 0, `entry ${missing} is in no segment`);
  return { state, segments, sequence, sizeBytes };
}

/** Undefined for one that was made and never used. */
async function readSegment(files: FileSystem, path: string): Promise<ReadSegment | undefined> {
  const file = await files.open(path);
  try {
    const bytes = await file.read(0, await file.size());
    const header = decodeSegmentHeader(path, bytes);
    if (header === undefined) return undefined;
    if (!path.endsWith(segmentPath("", header.firstSequence)))
      throw damagedError(path, 0, `the file begins with record ${header.firstSequence}`);
    return { segment: { path, header, indexMax: 0 }, bytes, ...readRecords(path, bytes, header) };
  } finally {
    await file.close();
  }
}

function replay({ records, segment }: ReadSegment, state: LogState): void {
  for (const { body } of records) {
    // Entries are kept, and a view into the segment would keep all of it.
    const items = decodeItems(body.slice());
    for (const item of items) state.apply(item);
    segment.indexMax = Math.max(segment.indexMax, indexMaxOf(items));
  }
}

async function repairTail(files: FileSystem, read: ReadSegment, log: Log): Promise<void> {
  const { bytes, end, records, segment } = read;
  const file = await files.open(segment.path);
  try {
    if (end < bytes.length) {
      await file.truncate(end);
      const cutBytes = bytes.length - end;
      log.warn("Cut off the end of the raft log: a write that was never finished.", {
        path: segment.path,
        cutBytes,
      });
    }
    // The header, where nothing was written since.
    const start = records.at(-1)?.offset ?? 0;
    await file.write(start, bytes.subarray(start, end));
    await file.sync();
  } finally {
    await file.close();
  }
}
