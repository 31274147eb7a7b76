import type { ParsedBody, ParsedColumn, ParseOptions, RejectedLine } from "#lineprotocol/parsed.ts";
import type { FlushBlock } from "#model/flush.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";

/**
 * Where rows are between their body and the block that carries them into the log: in this thread, or in another. What they look like
 * is told; the rows themselves stay there, but for those that have to be looked at one by one.
 */
export interface Stage {
  /**
   * Reads line protocol, and takes `body` over: it may be empty to others from then on. Rejects with `exceeded` / `write_too_sparse`,
   * or `unavailable` / `parser_restarted` where nothing of it was kept.
   */
  parse(body: Uint8Array, options: ParseOptions): Promise<StagedBody>;

  /**
   * The blocks of a flush: one a table, of all its rows in `parts`, in their order; of rows with one series and time one stays, with
   * the last value of each field. Rejects with `unavailable` / `parser_restarted` where a body is lost.
   */
  encode(parts: readonly StagedRows[]): Promise<readonly FlushBlock[]>;
}

/** What a body says, by its looks. Its rows are let go of when it is disposed of and nobody holds it any more. */
export interface StagedBody extends Disposable {
  readonly tables: readonly StagedTable[];
  /** The first `rejectedMax` bad lines. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedCount: number;
  /** Lines that are neither blank nor comments. 0: the body says nothing. */
  readonly lineCount: number;
  /** Keeps the rows until what it answers is called, once: who is told that a write failed may leave before its rows are flushed. */
  hold(): () => void;
  /** All of it, its tables as in `tables`. Rejects with `unavailable` / `parser_restarted`. */
  parsed(): Promise<ParsedBody>;
}

/** The lines of one measurement. */
export interface StagedTable {
  readonly name: string;
  readonly rowCount: number;
  /** No row is older; the oldest may be some seconds younger. Nanoseconds. */
  readonly timeFloor: bigint;
  /** In order of first use. One name may stand twice, with different kinds: the catalog decides whose rows stay. */
  readonly columns: readonly StagedColumn[];
}

export interface StagedColumn {
  readonly name: string;
  readonly kind: ParsedColumn["data"]["kind"];
}

/** Rows by number, rising, or a range of them. */
export type RowSelection = Uint32Array | { readonly start: number; readonly end: number };

/** Rows of one table of a staged body, under the ids of the catalog. */
export interface StagedRows {
  readonly body: StagedBody;
  /** Which of `body.tables`. */
  readonly tableIndex: number;
  readonly rows: RowSelection;
  readonly target: StagedTarget;
}

/** Where rows go. */
export interface StagedTarget {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** For each column of the staged table, its id; undefined where none of the rows has a value. */
  readonly columnIds: readonly (ColumnId | undefined)[];
}

export function rowCountOf(rows: RowSelection): number {
  return rows instanceof Uint32Array ? rows.length : rows.end - rows.start;
}

/** `StagedTable.timeFloor` of rows at `times`: by their upper halves, which are read without a bigint for each. */
export function timeFloorOf({ buffer, byteOffset, length }: BigInt64Array): bigint {
  const halves = new Int32Array(buffer, byteOffset, 2 * length);
  let least = 0x7fffffff;
  for (let index = 1; index < halves.length; index += 2) {
    const upper = halves[index] as number;
    if (upper < least) least = upper;
  }
  return BigInt(least) << 32n;
}
