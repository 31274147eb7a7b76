import { assert } from "#base/errors.ts";
import { decodeBlock } from "#block/block.ts";
import type { ColumnBatch } from "#model/batch.ts";
import type { ColumnId, Position, TableId } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import { decodeFlush } from "#nodelog/records.ts";
import { decodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry } from "#objectlog/record.ts";
import { TrueDeletes } from "./checks/deletes.ts";
import type { SimStore, StoreWrite } from "./sim-store.ts";

/** The value of a field or tag. */
export type Cell = string | number | bigint;

/** One row of one flush, as it stands in a node log. */
export interface TrueRow {
  readonly nodeId: string;
  readonly position: Position;
  readonly stamp: OrderStamp;
  readonly tableId: TableId;
  readonly time: bigint;
  readonly cells: ReadonlyMap<ColumnId, Cell>;
}

/** What one node log really says. */
interface TrueLog {
  readonly entries: LogEntry[];
  readonly rows: TrueRow[];
  epoch: number;
  stamp: OrderStamp;
  checkpoint: Position;
}

/**
 * What the node logs really say: read from everything that was ever put, deleted by now or not. Entries that break a promise
 * by standing where they stand are noted in `violations`.
 */
export class Truth {
  readonly violations: string[] = [];
  readonly deletes: TrueDeletes;
  readonly #store: SimStore;
  readonly #logs = new Map<string, TrueLog>();
  #readCount = 0;

  constructor(store: SimStore) {
    this.#store = store;
    this.deletes = new TrueDeletes(store);
  }

  /** The rows of the log of `nodeId` up to `position`. */
  rowsUpTo(nodeId: string, position: Position): readonly TrueRow[] {
    this.#update();
    return this.#logs.get(nodeId)?.rows.filter((row) => row.position <= position) ?? [];
  }

  /** The entry at `position` of the log of `nodeId`. */
  entry(nodeId: string, position: Position): LogEntry | undefined {
    this.#update();
    return this.#logs.get(nodeId)?.entries[position - 1];
  }

  /** How many entries the logs have in all. */
  get entryCount(): number {
    this.#update();
    return [...this.#logs.values()].reduce((sum, { entries }) => sum + entries.length, 0);
  }

  #update(): void {
    const { history } = this.#store;
    for (; this.#readCount < history.length; this.#readCount++) {
      const { key, body } = history[this.#readCount] as StoreWrite;
      const match = /^([^/]+)\/log\/(entry|checkpoint)\/(\d{20})$/.exec(key);
      if (match === null) continue;
      const [, nodeId = "", what, digits] = match;
      const log = this.#logOf(nodeId);
      const position = Number(digits);
      if (what === "checkpoint") log.checkpoint = Math.max(log.checkpoint, position);
      else this.#add(nodeId, log, fromEnvelope(decodeEnvelope(key, body), key, position));
    }
  }

  #logOf(nodeId: string): TrueLog {
    const known = this.#logs.get(nodeId);
    if (known !== undefined) return known;
    const log: TrueLog = { entries: [], rows: [], epoch: 0, stamp: 0n, checkpoint: 0 };
    this.#logs.set(nodeId, log);
    return log;
  }

  #add(nodeId: string, log: TrueLog, entry: LogEntry): void {
    const what = `${nodeId} #${entry.position} (${entry.kind}, epoch ${entry.epoch})`;
    const known = log.entries[entry.position - 1];
    if (known !== undefined) {
      // A number that was deleted under a checkpoint can be won again, by a fence that is void.
      const isVoid = entry.kind === "fence" && log.checkpoint >= entry.position;
      if (known.nonce !== entry.nonce && !isVoid) this.violations.push(`P2: ${what} was put twice`);
      return;
    }
    if (entry.position !== log.entries.length + 1)
      this.violations.push(`P1: ${what} was put above a hole`);
    if (entry.epoch < log.epoch) this.violations.push(`P2: ${what} follows epoch ${log.epoch}`);
    if ((entry.kind === "fence") !== entry.epoch > log.epoch)
      this.violations.push(`P2: ${what} follows epoch ${log.epoch}: one fence begins each epoch`);
    log.entries.push(entry);
    log.epoch = Math.max(log.epoch, entry.epoch);
    if (entry.kind === "flush") this.#addFlush(what, log, nodeId, entry);
  }

  #addFlush(what: string, log: TrueLog, nodeId: string, entry: LogEntry): void {
    const { position, stamp, blocks } = decodeFlush(entry);
    if (stamp <= log.stamp)
      this.violations.push(`P5: ${what} has a stamp that is not above the last`);
    log.stamp = stamp;
    for (const { bytes } of blocks)
      log.rows.push(...rowsOf(decodeBlock(bytes), { nodeId, position, stamp }));
  }
}

function* rowsOf(
  { tableId, times, columns }: ColumnBatch,
  from: Pick<TrueRow, "nodeId" | "position" | "stamp">,
): Generator<TrueRow> {
  for (const [row, time] of times.entries()) {
    const cells = new Map<ColumnId, Cell>();
    for (const { id, data } of columns) {
      if ("codes" in data) {
        const code = data.codes[row];
        assert(code !== undefined, "each row has a code");
        if (code !== 0) cells.set(id, data.dictionary[code - 1] as string);
      } else if (data.present === undefined || data.present[row] === 1) {
        cells.set(id, data.values[row] as Cell);
      }
    }
    yield { ...from, tableId, time, cells };
  }
}
