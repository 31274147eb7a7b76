import { concatBytes } from "#base/bytes.ts";
import { AppendList } from "#base/collection/append-list.ts";
import { assert, DbError } from "#base/errors.ts";
import { bigintText, decodeStored, v } from "#base/schema.ts";
import type { DataFile } from "#model/data-file.ts";
import type { Flush, FlushBlock } from "#model/flush.ts";
import type { DatabaseId, Epoch, Position, TableId } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import { dataFileSchema } from "#objectlog/data-file-record.ts";
import type { LogEntry } from "#objectlog/record.ts";
import type { NodeLogState } from "./node-log-state.ts";

/** Files that hold this node log above the snapshot before it, up to `through`. */
export interface Snapshot {
  readonly through: Position;
  /** Of the last flush at or below `through`. */
  readonly stamp: OrderStamp;
  readonly files: readonly DataFile[];
}

/** A fence that holds: void ones are not among them. */
export interface Fence {
  readonly epoch: Epoch;
  readonly position: Position;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const blocksSchema = v.array(
  v.object({ databaseId: whole, tableId: whole, sizeBytes: v.pipe(whole, v.minValue(1)) }),
);
const flushSchema = v.object({ stamp: bigintText, blocks: blocksSchema });
const snapshotSchema = v.object({
  through: whole,
  stamp: bigintText,
  files: v.array(dataFileSchema),
});
const checkpointSchema = v.object({
  epoch: whole,
  fences: v.array(v.object({ epoch: whole, position: whole })),
  lastStamp: bigintText,
  snapshotted: whole,
  snapshots: v.array(snapshotSchema),
  flushes: v.array(v.object({ position: whole, stamp: bigintText, blocks: blocksSchema })),
});

/** Body and payload of a flush record. */
export function encodeFlush(stamp: OrderStamp, blocks: readonly FlushBlock[]) {
  return {
    body: { stamp, blocks: blocks.map(blockToJson) },
    payload: concatBytes(blocks.map(({ bytes }) => bytes)),
  };
}

export function decodeFlush(entry: LogEntry): Flush {
  const { stamp, blocks } = decodeStored(flushSchema, entry.body, `flush ${entry.position}`);
  const reader = new BlockReader(entry);
  const read = blocks.map((block) => reader.read(block));
  reader.close();
  return { position: entry.position, stamp, blocks: read };
}

export function decodeSnapshot(entry: LogEntry): Snapshot {
  return decodeStored(snapshotSchema, entry.body, `snapshot ${entry.position}`);
}

/** Body and payload of the checkpoint of `state`. */
export function encodeCheckpoint(state: NodeLogState) {
  const flushes = [...state.flushes];
  return {
    body: {
      epoch: state.epoch,
      fences: state.fences,
      lastStamp: state.lastStamp,
      snapshotted: state.snapshotted,
      snapshots: state.snapshots,
      flushes: flushes.map(({ position, stamp, blocks }) => ({
        position,
        stamp,
        blocks: blocks.map(blockToJson),
      })),
    },
    payload: concatBytes(flushes.flatMap(({ blocks }) => blocks.map(({ bytes }) => bytes))),
  };
}

export function decodeCheckpoint(entry: LogEntry): NodeLogState {
  const what = `checkpoint ${entry.position} of a node log`;
  const { flushes, ...state } = decodeStored(checkpointSchema, entry.body, what);
  const reader = new BlockReader(entry);
  const read = flushes.map(({ position, stamp, blocks }) => ({
    position,
    stamp,
    blocks: blocks.map((block) => reader.read(block)),
  }));
  reader.close();
  return {
    ...state,
    position: entry.position,
    needs: entry.needs,
    flushes: AppendList.of(read),
  };
}

type BlockJson = v.InferOutput<typeof blocksSchema>[number];

function blockToJson({ databaseId, tableId, bytes }: FlushBlock): BlockJson {
  assert(bytes.length > 0, "a block has bytes");
  return { databaseId, tableId, sizeBytes: bytes.length };
}

/** Cuts the payload of a record into the blocks that its body lists. */
class BlockReader {
  readonly #entry: LogEntry;
  #offset = 0;

  constructor(entry: LogEntry) {
    this.#entry = entry;
  }

  read({ databaseId, tableId, sizeBytes }: BlockJson): FlushBlock {
    const { payload } = this.#entry;
    const end = this.#offset + sizeBytes;
    if (end > payload.length) throw this.#malformed();
    const bytes = payload.subarray(this.#offset, end);
    this.#offset = end;
    return { databaseId: databaseId as DatabaseId, tableId: tableId as TableId, bytes };
  }

  /** After the last block: there are no more bytes. */
  close(): void {
    if (this.#offset !== this.#entry.payload.length) throw this.#malformed();
  }

  #malformed(): DbError {
    const { payload, position } = this.#entry;
    return new DbError(
      "corrupt",
      "record_malformed",
      `record ${position} has ${payload.length} bytes of blocks, and lists others`,
      { detail: { position, sizeBytes: payload.length } },
    );
  }
}
