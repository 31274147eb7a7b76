/** What the contract's tests stand on: an engine, its data files in memory, and tables of fresh ids. */
import assert from "node:assert/strict";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import { encodeBlock } from "#block/block.ts";
import type { BatchColumn, ColumnBatch, ColumnData } from "#model/batch.ts";
import type { DataFile } from "#model/data-file.ts";
import type { ColumnId, DatabaseId, GenerationId, NodeNumber, TableId } from "#model/ids.ts";
import type { Expression } from "#model/query/expression.ts";
import type { BufferSource, Field, Plan, ScanPlan, SourceGroup } from "#model/query/plan.ts";
import { type CellValue, cellAt, type ResultBatch } from "#model/query/result.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { type ColumnKind, TIME_COLUMN_ID } from "#model/schema.ts";
import { ALL_TIME, type TimeRange } from "#model/time-range.ts";
import type {
  BufferedBlock,
  CompactRequest,
  Engine,
  FileColumn,
  WriteFilesRequest,
  WrittenFile,
} from "#ports/engine.ts";

/** A cell as expressions have it. */
export type Cell = CellValue;
/** A row to be written: `time` and the columns that have a value, by name. */
export type WrittenRow = Readonly<Record<string, Cell>> & { readonly time: bigint };

/** Where the engine under test reads data files. */
export interface ContractFiles {
  /** The bytes of `file` as they are, whatever its envelope says. Rejects with `not_found` when there are none. */
  load(file: DataFile): Promise<Uint8Array>;
}

/** Starts the engine under test; the suite disposes of it. */
export type OpenEngine = (files: ContractFiles) => Promise<Engine>;

/** What is tested, as a sentence, and how. Each case makes tables and generations of its own. */
export type ContractCases = Readonly<Record<string, (bench: Bench) => Promise<void>>>;

const DATABASE_ID = 3 as DatabaseId;
const POSITION_MAX = 2 ** 40;
const FOREVER = new AbortController().signal;
const TYPE_OF: Readonly<Record<ColumnKind, ValueType>> = {
  time: "timestamp",
  tag: "string",
  string: "string",
  float: "float64",
  integer: "int64",
  uinteger: "uint64",
  boolean: "boolean",
};

export class MemoryFiles implements ContractFiles {
  readonly bytes = new Map<string, Uint8Array>();

  async load({ key }: DataFile): Promise<Uint8Array> {
    const found = this.bytes.get(key);
    if (found === undefined) throw new DbError("not_found", "object_missing", `no object ${key}`);
    return found.slice();
  }
}

export class Bench implements AsyncDisposable {
  readonly engine: Engine;
  readonly files: MemoryFiles;
  #lastId = 0;

  private constructor(engine: Engine, files: MemoryFiles) {
    this.engine = engine;
    this.files = files;
  }

  static async open(open: OpenEngine): Promise<Bench> {
    const files = new MemoryFiles();
    return new Bench(await open(files), files);
  }

  generation(): GenerationId {
    return this.id() as GenerationId;
  }

  /** A table that has `time` and `columns`, in this order and with these names in files. */
  table(columns: Readonly<Record<string, Exclude<ColumnKind, "time">>>): BenchTable {
    return new BenchTable(this, columns);
  }

  /** All rows of `plan`; each batch is held to the types of its fields. */
  async rows(plan: Plan, signal: AbortSignal = FOREVER): Promise<Cell[][]> {
    const rows: Cell[][] = [];
    for await (const batch of this.engine.query(plan, signal)) rows.push(...cellsOf(batch, plan));
    return rows;
  }

  /** Never given before. */
  id(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }
}

export type PersistOptions = Partial<Pick<WriteFilesRequest, "windowNs" | "rowCountMin">>;

export interface ScanOptions {
  /** Names, in the order of the result; all columns without it. */
  readonly columns?: readonly string[];
  readonly time?: TimeRange;
  readonly predicate?: Expression;
}

export class BenchTable {
  readonly id: TableId;
  readonly columns: readonly FileColumn[];
  readonly #bench: Bench;
  readonly #blocks: BufferedBlock[] = [];

  constructor(bench: Bench, columns: Readonly<Record<string, Exclude<ColumnKind, "time">>>) {
    this.#bench = bench;
    this.id = bench.id() as TableId;
    const named = Object.entries(columns).map(([fileName, kind], i) => ({
      id: (i + 1) as ColumnId,
      kind,
      fileName,
    }));
    this.columns = [{ id: TIME_COLUMN_ID, kind: "time", fileName: "time" }, ...named];
  }

  block(
    generation: GenerationId,
    position: number,
    stamp: bigint,
    rows: readonly WrittenRow[],
  ): BufferedBlock {
    const bytes = encodeBlock(this.batch(rows));
    return { generation, tableId: this.id, position, stamp, bytes };
  }

  async append(
    generation: GenerationId,
    position: number,
    stamp: bigint,
    rows: readonly WrittenRow[],
  ): Promise<void> {
    const block = this.block(generation, position, stamp, rows);
    this.#blocks.push(block);
    await this.#bench.engine.append([block]);
  }

  /** The blocks of `sources`, as they were appended. */
  blocksOf(sources: readonly BufferSource[]): readonly BufferedBlock[] {
    return sources.flatMap(({ generation, positionAbove, positionMax }) =>
      this.#blocks.filter(
        (block) =>
          block.generation === generation &&
          block.position > positionAbove &&
          block.position <= positionMax,
      ),
    );
  }

  /** Buffered rows with positions above `positionAbove`, up to `positionMax`. */
  buffered(generation: GenerationId, positionAbove = 0, positionMax = POSITION_MAX): BufferSource {
    return { kind: "buffer", generation, positionAbove, positionMax };
  }

  /** Writes `sources` as files, which are then in the bench's files. */
  persist(sources: readonly BufferSource[], options: PersistOptions = {}): Promise<DataFile[]> {
    return this.persistBlocks(this.blocksOf(sources), options);
  }

  /** Writes `blocks` as files, which are then in the bench's files. */
  async persistBlocks(
    blocks: WriteFilesRequest["blocks"],
    options: PersistOptions = {},
  ): Promise<DataFile[]> {
    const request: WriteFilesRequest = {
      tableId: this.id,
      columns: this.columns,
      blocks,
      windowNs: 10n ** 18n,
      rowCountMin: 1,
      ...options,
    };
    return this.#keep(this.#bench.engine.writeFiles(request, FOREVER), 1);
  }

  /** Merges files; the new ones are then in the bench's files, beside the old ones. */
  compact(
    files: CompactRequest["files"],
    options: Partial<CompactRequest> = {},
  ): Promise<DataFile[]> {
    const request: CompactRequest = {
      tableId: this.id,
      columns: this.columns,
      files,
      time: ALL_TIME,
      rowCountMax: 1_000_000,
      rowGroupSize: 10_000,
      zstdLevel: 5,
      ...options,
    };
    return this.#keep(this.#bench.engine.compact(request, FOREVER), 0);
  }

  async #keep(made: AsyncIterable<WrittenFile>, node: number): Promise<DataFile[]> {
    const files: DataFile[] = [];
    for await (const { bytes, ...written } of made) {
      const key = `node/data/${this.#bench.id()}.parquet`;
      this.#bench.files.bytes.set(key, bytes);
      files.push({
        ...written,
        key,
        databaseId: DATABASE_ID,
        tableId: this.id,
        sizeBytes: bytes.length,
        checksum: crc32(bytes),
        node: node as NodeNumber,
      });
    }
    return files;
  }

  scan(groups: readonly SourceGroup[], options: ScanOptions = {}): ScanPlan {
    const names = options.columns ?? this.columns.map(({ fileName }) => fileName);
    const columns = names.map((name) => this.column(name));
    return {
      kind: "scan",
      fields: columns.map(({ fileName, kind }) => ({ name: fileName, type: TYPE_OF[kind] })),
      tableId: this.id,
      tags: this.columns.filter(({ kind }) => kind === "tag").map(({ id, kind }) => ({ id, kind })),
      columns: columns.map(({ id, kind }) => ({ id, kind })),
      time: options.time ?? ALL_TIME,
      ...(options.predicate === undefined ? {} : { predicate: options.predicate }),
      groups,
    };
  }

  /** The merged rows of `sources`. */
  async read(sources: SourceGroup["sources"], options: ScanOptions = {}): Promise<Cell[][]> {
    return this.#bench.rows(this.scan([{ merge: true, sources }], options));
  }

  column(name: string): FileColumn {
    const found = this.columns.find(({ fileName }) => fileName === name);
    assert.ok(found, `the table has no column ${name}`);
    return found;
  }

  batch(rows: readonly WrittenRow[]): ColumnBatch {
    const columns = this.columns.flatMap(({ id, kind, fileName }): BatchColumn[] => {
      const cells = rows.map((row) => row[fileName] ?? null);
      if (kind === "time" || cells.every((cell) => cell === null)) return [];
      return [{ id, data: dataOf(kind, cells) }];
    });
    const times = BigInt64Array.from(rows, ({ time }) => time);
    return { databaseId: DATABASE_ID, tableId: this.id, times, columns };
  }
}

function dataOf(kind: Exclude<ColumnKind, "time">, cells: readonly Cell[]): ColumnData {
  const present = Uint8Array.from(cells, (cell) => Number(cell !== null));
  switch (kind) {
    case "tag":
    case "string": {
      const dictionary = [...new Set((cells as (string | null)[]).filter((cell) => cell !== null))];
      const codes = Uint32Array.from(cells as string[], (cell) => dictionary.indexOf(cell) + 1);
      return { kind, codes, dictionary };
    }
    case "float":
      return { kind, values: Float64Array.from(cells as number[], (cell) => cell ?? 0), present };
    case "integer":
      return { kind, values: BigInt64Array.from(cells as bigint[], (cell) => cell ?? 0n), present };
    case "uinteger":
      return {
        kind,
        values: BigUint64Array.from(cells as bigint[], (cell) => cell ?? 0n),
        present,
      };
    case "boolean":
      return { kind, values: Uint8Array.from(cells, (cell) => Number(cell === true)), present };
  }
}

function cellsOf({ rowCount, columns }: ResultBatch, { fields }: Plan): Cell[][] {
  assert.ok(rowCount <= 8192, "a batch has at most 8192 rows");
  assert.deepEqual(
    columns.map(({ type }) => type),
    fields.map(({ type }) => (typeof type === "string" ? type : type.kind)),
  );
  return Array.from({ length: rowCount }, (_, row) => columns.map((column) => cellAt(column, row)));
}

/** Fields without names that matter, of `types`. */
export function fieldsOf(...types: readonly ValueType[]): Field[] {
  return types.map((type, i) => ({ name: `field ${i}`, type }));
}
