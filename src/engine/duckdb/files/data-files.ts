/** Blocks as data files (docs/formats/data-file.md), without the engine: the rows are in columns already. */
import { assert } from "#base/errors.ts";
import { readBlock } from "#block/block.ts";
import { ORDER_COLUMN_NAME } from "#model/data-file.ts";
import type { ColumnKind } from "#model/schema.ts";
import { type Chunk, encodeChunk } from "#parquet/chunk.ts";
import type { ParquetCells, ParquetColumn, ParquetType } from "#parquet/column.ts";
import { encodeParquet } from "#parquet/file.ts";
import type { FileColumn, WriteFilesRequest, WrittenFile } from "#ports/engine.ts";
import { ORDER_FIELD_ID } from "../print/scan.ts";
import { cellsOf, FieldReader, hasCells } from "./cells.ts";
import { cutIntoFiles, isUnique, type Rows, rowsOf } from "./rows.ts";

const ROW_GROUP_SIZE = 122_880;
const TYPES: Readonly<Record<ColumnKind, ParquetType>> = {
  time: "instant",
  tag: "text",
  string: "text",
  float: "double",
  integer: "int64",
  uinteger: "uint64",
  boolean: "boolean",
};

/** A file in the making. */
interface Draft {
  /** Its rows, sorted. */
  readonly rows: Uint32Array;
  readonly columns: ParquetColumn[];
  /** For each column, a chunk for each row group. */
  readonly chunks: Chunk[][];
  readonly columnIds: FileColumn["id"][];
}

/**
 * The files of `request`, all at once: each column is decoded once, over all blocks, and written into every file before the next.
 * Throws `corrupt` / `block_damaged`.
 */
export function dataFiles(request: WriteFilesRequest): readonly WrittenFile[] {
  const { blocks, columns, rowCountMin, windowNs } = request;
  if (blocks.length === 0) return [];
  const stamped = blocks.map(({ bytes, stamp }) => ({ parts: readBlock(bytes), stamp }));
  const tagIds = columns.filter(({ kind }) => kind === "tag").map(({ id }) => id);
  const known = new Set(columns.map(({ id }) => id));
  for (const { parts } of stamped)
    for (const { id } of parts.header.columns)
      assert(known.has(id), "a request for files names every column of the rows");
  const rows = rowsOf(stamped, tagIds);
  const drafts = cutIntoFiles(rows, { windowNs, rowCountMin }).map((sorted): Draft => {
    return { rows: sorted, columns: [], chunks: [], columnIds: [] };
  });
  const fields = new FieldReader(stamped);
  const cellsOfTag = new Map(rows.all.tags.map((tag) => [tag.id, tagCells(rows, tag)]));
  for (const column of inOrder(columns)) {
    const cells =
      column.kind === "time"
        ? timeCells(rows)
        : (cellsOfTag.get(column.id) ?? fields.take(column.id));
    if (cells !== undefined) for (const draft of drafts) putColumn(draft, column, cells);
  }
  assert(fields.finished, "the columns of blocks are in order of their ids");
  return drafts.map((draft) => finish(draft, rows, columns));
}

/** Time, tags, and fields as blocks have them: in order of their ids. */
function inOrder(columns: readonly FileColumn[]): readonly FileColumn[] {
  const isField = ({ kind }: FileColumn) => kind !== "time" && kind !== "tag";
  const fields = columns.filter(isField).toSorted((left, right) => left.id - right.id);
  return [...columns.filter((column) => !isField(column)), ...fields];
}

function timeCells({ times }: Rows): ParquetCells {
  return { kind: "wholes", values: times };
}

function tagCells({ count, series }: Rows, tag: Rows["all"]["tags"][number]): ParquetCells {
  const codes = new Uint32Array(count);
  for (let row = 0; row < count; row += 1) codes[row] = tag.codes[series[row] as number] as number;
  return { kind: "texts", codes, dictionary: tag.dictionary };
}

function putColumn(draft: Draft, { id, kind, fileName }: FileColumn, cells: ParquetCells): void {
  if (!hasCells(cells, draft.rows)) return;
  draft.columnIds.push(id);
  const column = { name: fileName, fieldId: id, type: TYPES[kind], required: kind === "time" };
  putChunks(draft, column, cells);
}

function putChunks({ chunks, columns, rows }: Draft, column: ParquetColumn, cells: ParquetCells) {
  columns.push(column);
  const made: Chunk[] = [];
  for (let start = 0; start < rows.length; start += ROW_GROUP_SIZE) {
    const some = rows.subarray(start, start + ROW_GROUP_SIZE);
    made.push(encodeChunk(column, cellsOf(cells, some)));
  }
  chunks.push(made);
}

function finish(draft: Draft, rows: Rows, columns: readonly FileColumn[]): WrittenFile {
  const { stampCodes, stamps } = rows;
  const order = {
    name: freeName(columns),
    fieldId: ORDER_FIELD_ID,
    type: "int64",
    required: true,
  } as const;
  putChunks(draft, order, { kind: "coded wholes", codes: stampCodes, dictionary: stamps });
  const groups = (draft.chunks[0] ?? []).map((first, group) => ({
    rowCount: first.rowCount,
    chunks: draft.chunks.map((chunks) => chunks[group] as Chunk),
  }));
  return {
    rowCount: draft.rows.length,
    time: rangeOf(rows.times, draft.rows),
    ...stampRange(rows, draft.rows),
    unique: isUnique(rows, draft.rows),
    columnIds: draft.columnIds,
    bytes: encodeParquet(draft.columns, groups),
  };
}

/** A name for the stamps that no column has, not even but for case. */
function freeName(columns: readonly FileColumn[]): string {
  const taken = new Set(columns.map(({ fileName }) => fileName.toLowerCase()));
  let name = ORDER_COLUMN_NAME;
  for (let i = 2; taken.has(name); i += 1) name = `${ORDER_COLUMN_NAME}_${i}`;
  return name;
}

function rangeOf(times: BigInt64Array, rows: Uint32Array): WrittenFile["time"] {
  let start = times[rows[0] as number] as bigint;
  let end = start;
  for (let i = 1; i < rows.length; i += 1) {
    const time = times[rows[i] as number] as bigint;
    if (time < start) start = time;
    else if (time > end) end = time;
  }
  return { start, end };
}

function stampRange(
  { stampCodes, stamps }: Rows,
  rows: Uint32Array,
): Pick<WrittenFile, "stampMin" | "stampMax"> {
  let least = stamps.length - 1;
  let greatest = 0;
  for (let i = 0; i < rows.length; i += 1) {
    const code = stampCodes[rows[i] as number] as number;
    if (code < least) least = code;
    if (code > greatest) greatest = code;
  }
  return { stampMin: stamps[least] as bigint, stampMax: stamps[greatest] as bigint };
}
