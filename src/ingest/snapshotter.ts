import { Mutex } from "#base/async.ts";
import { hex } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { assert, isKind } from "#base/errors.ts";
import type { LogBuffer } from "#buffer/buffer.ts";
import type { Generation } from "#buffer/generation.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { DataFile } from "#model/data-file.ts";
import type { TableId } from "#model/ids.ts";
import type { BufferSource } from "#model/plan.ts";
import type { TableSchema } from "#model/schema.ts";
import { hull, type TimeRange } from "#model/time-range.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Snapshot } from "#nodelog/records.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine, WrittenFile } from "#ports/engine.ts";
import { isStoreClosed, type ObjectStore } from "#ports/object-store.ts";
import { type Random, randomBytes } from "#ports/random.ts";
import { fileColumns } from "./file-columns.ts";

export interface SnapshotterOptions {
  readonly nodeId: string;
  readonly catalog: Catalog;
  readonly writer: NodeLogWriter;
  readonly buffer: LogBuffer;
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** The shortest time window of a file. */
  readonly windowNs: bigint;
  /** Told of each file before others ask for it. */
  readonly onFile?: (file: DataFile, bytes: Uint8Array) => Promise<void>;
}

/** Windows of one table in one snapshot; above it they are made wider, so that old data cannot make a file for every ten minutes. */
const WINDOW_COUNT_MAX = 24n;
/** Each window is a whole number of the one before: 10 m, 20 m, 1 h, 4 h, 24 h, 5 d, and on. */
const WINDOW_MULTIPLIERS = [2n, 3n, 4n, 6n, 5n];
const WINDOW_MULTIPLIER_LAST = 6n;
const FILE_ROW_COUNT_MAX = 1_000_000;
const PUT_RETRY_MS = 200;

/** Writes the buffered rows of this node's log to files, and records that they hold them. One at a time. */
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
    range: PositionRange,
    signal: AbortSignal,
  ): Promise<readonly DataFile[]> {
    const files: DataFile[] = [];
    try {
      for (const tableId of new Set(generations.flatMap(({ tables }) => [...tables.keys()]))) {
        const table = findTableById(this.#options.catalog.state, tableId);
        // Rows of a dropped table are nobody's any more.
        if (table === undefined) continue;
        for await (const file of this.#writeTable(table, generations, { range, signal }))
          files.push(file);
      }
      return files;
    } catch (error) {
      // No record names these, and none will: their puts are settled, and the next snapshot uses other names.
      for (const { key } of files) await this.#options.store.delete(key).catch(() => undefined);
      throw error;
    }
  }

  async *#writeTable(
    table: TableSchema,
    generations: readonly Generation[],
    { range, signal }: { range: PositionRange; signal: AbortSignal },
  ): AsyncGenerator<DataFile> {
    const { engine, onFile } = this.#options;
    const holding = generations.filter((generation) => generation.find(table.id, range));
    if (holding.length === 0) return;
    const sources = holding.map(({ id }): BufferSource => {
      return { kind: "buffer", generation: id, ...range };
    });
    const windowNs = this.#windowFor(holding, table.id);
    const columns = fileColumns(table);
    const rowCountMax = FILE_ROW_COUNT_MAX;
    const request = { tableId: table.id, columns, sources, windowNs, rowCountMax };
    for await (const written of engine.writeFiles(request, signal)) {
      const file = this.#describe(table, written, windowNs);
      // A cache that has no room takes nothing from the snapshot.
      await onFile?.(file, written.bytes).catch(() => undefined);
      await this.#put(file.key, written.bytes, signal);
      yield file;
    }
  }

  /** The least window of the ladder that makes few files of this snapshot. */
  #windowFor(generations: readonly Generation[], tableId: TableId): bigint {
    const times = generations.flatMap(({ tables }): TimeRange[] => {
      const time = tables.get(tableId)?.time;
      return time === undefined ? [] : [time];
    });
    const { start, end } = times.reduce(hull);
    let windowNs = this.#options.windowNs;
    for (let step = 0; (end - start) / windowNs >= WINDOW_COUNT_MAX; step++)
      windowNs *= WINDOW_MULTIPLIERS[step] ?? WINDOW_MULTIPLIER_LAST;
    return windowNs;
  }

  #describe(table: TableSchema, { bytes, ...written }: WrittenFile, windowNs: bigint): DataFile {
    const { catalog, nodeId, random } = this.#options;
    const { node, epoch } = catalog.writer;
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

  /** Puts a file under a name that is used once: finding it there means that an earlier try arrived. */
  async #put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#options;
    while (true) {
      signal.throwIfAborted();
      try {
        await store.putIfAbsent(key, bytes);
        return;
      } catch (error) {
        if (isKind(error, "conflict")) return;
        // A full store has room again when the files of this snapshot are given up.
        if (!isKind(error, "unavailable") || isStoreClosed(error)) throw error;
      }
      await clock.sleep(PUT_RETRY_MS, signal);
    }
  }
}

/** Where the files of a node stand in the store. */
export function dataPrefix(nodeId: string): string {
  return `${nodeId}/data/`;
}

type PositionRange = Pick<BufferSource, "positionAbove" | "positionMax">;

/** The table; undefined when it was dropped. A table that the catalog is still to name has rows that must not be passed over. */
function findTableById(state: CatalogState, tableId: TableId): TableSchema | undefined {
  assert(tableId < state.nextTableId, "the catalog knows every table of the log");
  for (const { dropped, tables } of state.databases.values()) {
    const table = tables.get(tableId);
    if (table !== undefined) return dropped === undefined ? table : undefined;
  }
  return undefined;
}

/** When the window of `timeNs` starts, as `2026-11-21T21-40`, UTC. Windows begin at or after the year 1 for every int64 and ladder. */
function windowName(timeNs: bigint, windowNs: bigint): string {
  const past = ((timeNs % windowNs) + windowNs) % windowNs;
  const startMs = Number((timeNs - past) / 1_000_000n);
  return new Date(startMs).toISOString().slice(0, 16).replace(":", "-");
}
