import type { DatabaseId, Position, TableId } from "./ids.ts";
import type { OrderStamp } from "./stamp.ts";

/** The rows that one flush made durable: at most one block of each table, all under one order stamp. */
export interface Flush {
  readonly position: Position;
  readonly stamp: OrderStamp;
  readonly blocks: readonly FlushBlock[];
}

export interface FlushBlock {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** Encoded by block/. */
  readonly bytes: Uint8Array;
}
