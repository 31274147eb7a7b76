import { Mutex } from "#base/async.ts";
import { hex } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { assert } from "#base/errors.ts";
import { readBlockHeader } from "#block/block.ts";
import type { LogBuffer } from "#buffer/buffer.ts";
import type { Generation } from "#buffer/generation.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import { fileColumns } from "#catalog/file-columns.ts";
import type { DataFile } from "#model/data-file.ts";
import type { TableId } from "#model/ids.ts";
import type { BufferSource } from "#model/query/plan.ts";
import type { TableSchema } from "#model/schema.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Snapshot } from "#nodelog/records.ts";
import { putFile } from "#objectlog/put-file.ts";
import type { Clock } from "#ports/clock.ts";
import {
  type BufferedBlock,
  type Engine,
  FILE_ROW_COUNT_MAX,
  type WrittenFile,
} from "#ports/engine.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { type Random, randomBytes } from "#ports/random.ts";

export interface SnapshotterOptions {
  /** The node whose log it is: this one, or one whose log this one closes. */
  readonly nodeId: string;
  readonly catalog: Catalog;
  readonly writer: NodeLogWriter;
  readonly buffer: LogBuffer;
  readonly engine: Pick<Engine, "writeFiles">;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** The shortest time window of a file; windows with fewer rows of a table than `fileRowCountMin` share files. */
  readonly windowNs: bigint;
  readonly fileRowCountMin: number;
  /** Told of each file before others ask for it. */
  readonly onFile?: (file: DataFile, bytes: Uint8Array) => Promise<void>;
}

const TABLES_AT_ONCE = 4;
/** Rows of many series or long texts take memory in proportion. */
const REQUEST_SIZE_MAX = 24 * 2 ** 20;

/** Writes the buffered rows of a node's log to files, and records that they hold them. One at a time. */
export class Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #turn = new Mutex();

  constructor(options: SnapshotterOptions) {
    this.#options = options;
  }

  /**
   * Takes a snapshot of all settled flushes; answers whether there was anything to take. The record follows when every file is in
   * the store; only then do views read the files in place of the buffer. A failure leaves the rows where they were.
   */
  take(signal: AbortSignal): Promise<boolean> {
    return this.#turn.run(() => this.#take(signal));
  }

  async #take(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const { buffer, catalog, writer } = this.#options;
    // The log may have been replayed from a process that knew more tables and columns than this one has read.
    await catalog.reach(writer.state.needs.catalog);
    const { position: through, flushes, snapshotted } = writer.state;
    const { last } = flushes;
    if (last === undefined) return false;
    buffer.closeGeneration();
    const range = { positionAbove: snapshotted, positionMax: through };
    const files = await this.#writeFiles(buffer.generations, range, signal);
    const snapshot: Snapshot = { through, stamp: last.stamp, files };
    await writer.appendSnapshot(snapshot, { catalog: catalog.state.position, manifest: 0 });
    return true;
  }

  async #writeFiles(
    generations: readonly Generation[],
    { positionAbove, positionMax }: Pick<BufferSource, "positionAbove" | "positionMax">,
    signal: AbortSignal,
  ): Promise<readonly DataFile[]> {
    const blocks = generations.flatMap((generation) =>
      generation.blocks.filter(
        ({ position }) => position > positionAbove && position <= positionMax,
      ),
    );
    const tables = Map.groupBy(blocks, ({ tableId }) => tableId).entries();
    const files: DataFile[] = [];
    const keys: string[] = [];
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const write = async () => {
      try {
        for (const [tableId, some] of tables)
          for await (const file of this.#writeTable(tableId, some, { signal: either, keys }))
            files.push(file);
      } catch (error) {
        failed.abort(error);
      }
    };
    // The files of some tables are put while those of another are made.
    await Promise.all(Array.from({ length: TABLES_AT_ONCE }, write));
    if (!failed.signal.aborted) return files;
    // No record names these, and none will; the next snapshot uses other names.
    for (const key of keys) await this.#options.store.delete(key).catch(() => undefined);
    throw failed.signal.reason;
  }

  async *#writeTable(
    tableId: TableId,
    blocks: readonly BufferedBlock[],
    { signal, keys }: { signal: AbortSignal; keys: string[] },
  ): AsyncGenerator<DataFile> {
    const { catalog, engine, fileRowCountMin: rowCountMin, onFile, windowNs } = this.#options;
    const table = findTableById(catalog.state, tableId);
    // Rows of a dropped table are nobody's any more.
    if (table === undefined) return;
    const rest = { tableId, columns: fileColumns(table), windowNs, rowCountMin };
    for (const some of inRequests(blocks)) {
      for await (const written of engine.writeFiles({ ...rest, blocks: some }, signal)) {
        const file = this.#describe(table, written);
        // A cache that has no room takes nothing from the snapshot.
        await onFile?.(file, written.bytes).catch(() => undefined);
        // A put that fails may have arrived.
        keys.push(file.key);
        // A full store has room again when the files of this snapshot are given up.
        await putFile(this.#options, { key: file.key, bytes: written.bytes }, signal);
        yield file;
      }
    }
  }

  #describe(table: TableSchema, { bytes, ...written }: WrittenFile): DataFile {
    const { nodeId, random, windowNs, writer } = this.#options;
    const { node, epoch } = writer.owner;
    const name = `${epoch}-${hex(randomBytes(random, 8))}.parquet`;
    return {
      ...written,
      key: `${dataPrefix(nodeId)}${table.databaseId}/${table.id}/${windowName(written.time.start, windowNs)}/${name}`,
      databaseId: table.databaseId,
      tableId: table.id,
      sizeBytes: bytes.length,
      checksum: crc32(bytes),
      node,
    };
  }
}

/** Pieces of at most FILE_ROW_COUNT_MAX rows and REQUEST_SIZE_MAX bytes: what is in memory at one time has a bound. */
function* inRequests(blocks: readonly BufferedBlock[]): Generator<readonly BufferedBlock[]> {
  let some: BufferedBlock[] = [];
  let rowCount = 0;
  let sizeBytes = 0;
  for (const block of blocks) {
    const count = readBlockHeader(block.bytes).rowCount;
    const size = block.bytes.length;
    const full = rowCount + count > FILE_ROW_COUNT_MAX || sizeBytes + size > REQUEST_SIZE_MAX;
    if (some.length > 0 && full) {
      yield some;
      some = [];
      rowCount = 0;
      sizeBytes = 0;
    }
    some.push(block);
    rowCount += count;
    sizeBytes += size;
  }
  if (some.length > 0) yield some;
}

/** Where the files of a node stand in the store. */
export function dataPrefix(nodeId: string): string {
  return `${nodeId}/data/`;
}

/** The table; undefined when it was dropped. A table that the catalog is still to name has rows that must not be passed over. */
function findTableById(state: CatalogState, tableId: TableId): TableSchema | undefined {
  assert(tableId < state.nextTableId, "the catalog knows every table of the log");
  for (const { dropped, tables } of state.databases.values()) {
    const table = dropped === undefined ? tables.get(tableId) : undefined;
    if (table !== undefined) return table;
  }
  return undefined;
}

/** When the window of `timeNs` starts, as `2026-11-21T21-40`, UTC. Windows begin at or after the year 1 for every int64 and ladder. */
function windowName(timeNs: bigint, windowNs: bigint): string {
  const past = ((timeNs % windowNs) + windowNs) % windowNs;
  const startMs = Number((timeNs - past) / 1_000_000n);
  return new Date(startMs).toISOString().slice(0, 16).replace(":", "-");
}
