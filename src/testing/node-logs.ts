/** Node logs for tests: writers on any store, and what they write. */
import type { DataFile } from "#model/data-file.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { ColumnId, DatabaseId, NodeNumber, Position, TableId } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import { type NodeLogState, nodeLogMachine } from "#nodelog/node-log-state.ts";
import { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Snapshot } from "#nodelog/records.ts";
import { LogTracker, type TrackerObserver } from "#objectlog/log-tracker.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { logPorts, neverAborted, writerOf } from "./logs.ts";

const LOG_PREFIX = "node1/log/";

/** A data file of node 1 with nothing behind it. */
export function fileOf(key: string, tableId = 1): DataFile {
  return {
    key,
    databaseId: 1 as DatabaseId,
    tableId: tableId as TableId,
    sizeBytes: 100,
    checksum: 7,
    rowCount: 2,
    time: { start: -5n, end: 2n ** 62n },
    stampMin: 1n,
    stampMax: 3n,
    unique: true,
    columnIds: [0, 1, 2].map((id) => id as ColumnId),
    node: 1 as NodeNumber,
  };
}

/** A block of table 1 whose bytes are those of `text`. */
export function blockOf(text: string): FlushBlock {
  return {
    databaseId: 1 as DatabaseId,
    tableId: 1 as TableId,
    bytes: Uint8Array.from(Buffer.from(text)),
  };
}

/** Starts `epoch` of node 1 on the log `node1/log/`. */
export function startWriter(
  ports: ObjectLogPorts,
  epoch: number,
  observer: TrackerObserver<NodeLogState> = {},
  coveredEntriesToKeep = 0,
): Promise<NodeLogWriter> {
  return NodeLogWriter.start({
    log: new ObjectLog(LOG_PREFIX, ports),
    writer: writerOf(1, epoch),
    observer,
    signal: neverAborted(),
    needs: NEEDS_NOTHING,
    coveredEntriesToKeep,
  });
}

/** Appends a flush of one block. */
export function flush(
  writer: NodeLogWriter,
  text: string,
  stamp: OrderStamp = writer.state.lastStamp + 1n,
): Promise<Position> {
  return writer.appendFlush(stamp, [blockOf(text)], {
    needs: NEEDS_NOTHING,
    onTrouble: () => undefined,
  });
}

/** Appends a snapshot of everything that is there, in the file `key`. */
export function snapshot(writer: NodeLogWriter, key: string): Promise<Position> {
  const { position: through, lastStamp: stamp } = writer.state;
  const record: Snapshot = { through, stamp, files: [fileOf(key)] };
  return writer.appendSnapshot(record, NEEDS_NOTHING);
}

/** The texts of the flushes that `state` holds, and the files of its snapshots. */
export function contentOf(state: NodeLogState): readonly string[] {
  return [
    ...state.snapshots.flatMap(({ files }) => files.map(({ key }) => key)),
    ...[...state.flushes].flatMap(({ blocks }) =>
      blocks.map(({ bytes }) => Buffer.from(bytes).toString()),
    ),
  ];
}

/** The numbers of the objects that are in the log of node 1. */
export async function positionsIn(store: ObjectStore, folder: "entry" | "checkpoint") {
  const objects = await store.list(`${LOG_PREFIX}${folder}/`);
  return objects.map(({ key }): Position => Number(key.slice(-20)));
}

/** What a process that has never read the log reads now. */
export async function readAnew(store: ObjectStore) {
  const tracker = new LogTracker(new ObjectLog(LOG_PREFIX, logPorts(store, 77)), nodeLogMachine);
  await tracker.advance({ certain: true });
  return tracker.state;
}

/** A log with flushes 2 and 3, snapshot 4 and flush 5. */
export async function writtenLog(store: ObjectStore) {
  const writer = await startWriter(logPorts(store), 1);
  await flush(writer, "two");
  await flush(writer, "three");
  await snapshot(writer, "file");
  await flush(writer, "five");
  return writer;
}
