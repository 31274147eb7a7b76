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
import { cellsOf, FieldReader, hasValue } from "./cells.ts";
import {
  cutIntoFiles,
  type GroupRows,
  isUnique,
  type Rows,
  rangesOf,
  rowGroups,
  rowsOf,
  type StampedParts,
} from "./rows.ts";

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
  readonly groups: readonly GroupRows[];
  readonly columns: ParquetColumn[];
  /** For each column, a chunk for each row group. */
  readonly chunks: (readonly Chunk[])[];
  readonly columnIds: FileColumn["id"][];
}

/** The cells of a column in one row group. */
type TakeCells = (group: GroupRows) => ParquetCells;

/**
 * The files of `request`, all at once: each column is decoded once, over all blocks, and written into every file before the next.
 * Throws `corrupt` / `block_damaged`.
 */
export function dataFiles(request: WriteFilesRequest): readonly WrittenFile[] {
  const { blocks, columns } = request;
  if (blocks.length === 0) return [];
  const stamped = blocks.map(({ bytes, stamp }) => ({ parts: readBlock(bytes), stamp }));
  assertKnown(stamped, columns);
  const tagIds = columns.filter(({ kind }) => kind === "tag").map(({ id }) => id);
  const rows = rowsOf(stamped, tagIds);
  const drafts = cutIntoFiles(rows, request).map((sorted): Draft => {
    const groups = rowGroups(rows, sorted, ROW_GROUP_SIZE);
    return { rows: sorted, groups, columns: [], chunks: [], columnIds: [] };
  });
  const fields = new FieldReader(stamped);
  for (const column of inOrder(columns)) {
    const { fileName: name, id: fieldId, kind } = column;
    const take = kind === "tag" ? tagCells(rows, column.id) : fieldCells(column, rows, fields);
    const described = { name, fieldId, type: TYPES[kind], required: kind === "time" };
    if (take === undefined) continue;
    for (const draft of drafts)
      if (putColumn(draft, described, take)) draft.columnIds.push(fieldId);
  }
  assert(fields.finished, "the columns of blocks are in order of their ids");
  return drafts.map((draft) => finish(draft, rows, columns));
}

function assertKnown(blocks: readonly StampedParts[], columns: readonly FileColumn[]): void {
  const known = new Set(columns.map(({ id }) => id));
  for (const { parts } of blocks) {
    const all = parts.header.columns.every(({ id }) => known.has(id));
    assert(all, "a request for files names every column of the rows");
  }
}

/** Time, tags, and fields as blocks have them: in order of their ids. */
function inOrder(columns: readonly FileColumn[]): readonly FileColumn[] {
  const fields = columns.filter(isField).toSorted((left, right) => left.id - right.id);
  return [...columns.filter((column) => !isField(column)), ...fields];
}

function isField({ kind }: FileColumn): boolean {
  return kind !== "time" && kind !== "tag";
}

/** Undefined where no row has the tag. */
function tagCells({ all }: Rows, id: FileColumn["id"]): TakeCells | undefined {
  const tag = all.tags.find((one) => one.id === id);
  if (tag === undefined) return undefined;
  const { codes, dictionary } = tag;
  return ({ lengths, series }) => {
    const runs = series.map((number) => codes[number] as number);
    return { kind: "text runs", codes: runs, lengths, dictionary };
  };
}

/** Undefined where no row has the field. */
function fieldCells(
  { id, kind }: FileColumn,
  { times }: Rows,
  fields: FieldReader,
): TakeCells | undefined {
  const cells = kind === "time" ? ({ kind: "wholes", values: times } as const) : fields.take(id);
  return cells && (({ rows }) => cellsOf(cells, rows));
}

/** Answers whether the column has a value in the file; it is left out otherwise. */
function putColumn(draft: Draft, column: ParquetColumn, take: TakeCells): boolean {
  const taken = draft.groups.map(take);
  if (!taken.some(hasValue)) return false;
  draft.columns.push(column);
  draft.chunks.push(taken.map((cells) => encodeChunk(column, cells)));
  return true;
}

function finish(draft: Draft, rows: Rows, columns: readonly FileColumn[]): WrittenFile {
  const { stampCodes, stamps } = rows;
  const order = { name: freeName(columns), fieldId: ORDER_FIELD_ID, type: "int64" } as const;
  const orders = { kind: "coded wholes", codes: stampCodes, dictionary: stamps } as const;
  putColumn(draft, { ...order, required: true }, (group) => cellsOf(orders, group.rows));
  const groups = draft.groups.map((group, index) => ({
    rowCount: group.rows.length,
    chunks: draft.chunks.map((chunks) => chunks[index] as Chunk),
  }));
  return {
    rowCount: draft.rows.length,
    ...rangesOf(rows, draft.rows),
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
