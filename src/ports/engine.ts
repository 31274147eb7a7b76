import type { DataFile } from "#model/data-file.ts";
import type { ColumnId, GenerationId, Position, TableId } from "#model/ids.ts";
import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { RowDelete } from "#model/row-delete.ts";
import type { ColumnKind } from "#model/schema.ts";
import type { OrderStamp } from "#model/stamp.ts";
import type { TimeRange } from "#model/time-range.ts";

/** One block of a flush on its way into the buffer. */
export interface BufferedBlock {
  /** All blocks of a generation come from one node log. */
  readonly generation: GenerationId;
  readonly tableId: TableId;
  readonly position: Position;
  readonly stamp: OrderStamp;
  /** Encoded by block/; not changed by anybody. */
  readonly bytes: Uint8Array;
}

/** A column as a file shows it to the world. */
export interface FileColumn {
  readonly id: ColumnId;
  readonly kind: ColumnKind;
  /** The name in the file; no two of a table differ in case alone. */
  readonly fileName: string;
}

/** Rows to be written as files, sorted by tags, time and order stamp. Rows are not folded. */
export interface WriteFilesRequest {
  readonly tableId: TableId;
  /** The table's columns, `time` first, tags in order of the series key. Columns without a value are left out. */
  readonly columns: readonly FileColumn[];
  /** Blocks of the table, FILE_ROW_COUNT_MAX rows together at most, unless there is one alone. */
  readonly blocks: readonly Pick<BufferedBlock, "stamp" | "bytes">[];
  /**
   * Rows go to different files where `time` lies in different windows of this length, aligned to the Unix epoch; windows with
   * fewer rows than `rowCountMin` are joined to wider ones (engine/windows.ts).
   */
  readonly windowNs: bigint;
  readonly rowCountMin: number;
}

/** What a request for files may hold, and so the most rows of a file. */
export const FILE_ROW_COUNT_MAX = 2 ** 20;

/** Files of one table whose rows are to be in fewer files. */
export interface CompactRequest {
  readonly tableId: TableId;
  /** As of WriteFilesRequest; names every column of the files. */
  readonly columns: readonly FileColumn[];
  /** Rows at or below `stampAbove` are left out. */
  readonly files: readonly { readonly file: DataFile; readonly stampAbove: OrderStamp }[];
  /** Rows of other times are left out. */
  readonly time: TimeRange;
  /** Rows that one of these covers are left out, before any row is found to be superfluous. */
  readonly deletes?: readonly RowDelete[];
  /** Of each file, about: rows of one instant stay together. */
  readonly rowCountMax: number;
  /** Rows that a reader can pass over together. */
  readonly rowGroupSize: number;
  /** 1 to 19: more time for fewer bytes. */
  readonly zstdLevel: number;
}

/** A file that an engine has written, not yet in the store. */
export interface WrittenFile
  extends Pick<DataFile, "rowCount" | "time" | "stampMin" | "stampMax" | "unique" | "columnIds"> {
  readonly bytes: Uint8Array;
}

/**
 * Runs plans and holds the buffered rows. Adapters: engine/duckdb (a child process), engine/plain (JavaScript, for the
 * simulated world and as the other's oracle). One contract suite, engine/contract.ts, holds both to these words.
 *
 * An engine that fails is started again by its adapter, which then appends all blocks that `EngineRefill` gives: callers add
 * a block to what they refill from before they append it, and need not notice. Queries that ran then reject with
 * `unavailable` / `engine_restarted`.
 */
export interface Engine extends AsyncDisposable {
  /**
   * Makes the rows of `blocks` visible to queries that begin after it resolves. Within a generation and table positions
   * rise; a block at or below the highest one appended there is passed over, so appending again is harmless.
   */
  append(blocks: readonly BufferedBlock[]): Promise<void>;
  /** Forgets the rows of `generation`, before long. No query that runs or comes later names it. */
  dropGeneration(generation: GenerationId): Promise<void>;
  /** Gives the files one by one. Rejects with `corrupt` / `block_damaged`, or `unavailable` when it is to be asked again. */
  writeFiles(request: WriteFilesRequest, signal: AbortSignal): AsyncIterable<WrittenFile>;
  /**
   * Merges files, giving the new ones one by one; no two of them have an instant in common, and they rise. Rows are sorted by tags, time and
   * order stamp, and keep their stamps. A row is left out where newer rows of the same node with its series and time have a value
   * in every field it has one in, and no other: what a query answers stays, even below a delete of any stamp.
   *
   * Rejects as `query` does with `file_vanished`, `file_damaged`, with `exceeded` / `compaction_memory`, or `unavailable` / `compaction_restarted`.
   */
  compact(request: CompactRequest, signal: AbortSignal): AsyncIterable<WrittenFile>;
  /**
   * Gives the rows of `plan` in batches; the next is made when it is asked for. Leaving the loop or aborting `signal` ends the
   * query. Rejects with `exceeded` / `query_memory`, `not_found` / `file_vanished`, `corrupt` / `file_damaged`, `invalid` with the codes named in
   * model/query/expression.ts, or `unavailable` / `engine_restarted`.
   *
   * With `rowText` batches may have their rows as such text in place of columns, where the engine is faster at writing it.
   */
  query(plan: Plan, signal: AbortSignal, rowText?: RowText): AsyncIterable<ResultBatch>;
  /** Bytes the buffered rows take now, about. */
  bufferSizeBytes(): number;
}

/** How rows may be written by an engine, in the bytes of query/result: of JSON each row with a comma after it. */
export type RowText = "json" | "jsonl" | "csv";

/** All blocks that must be in the buffer, in order of position within a generation and table. */
export type EngineRefill = () => Iterable<BufferedBlock>;
