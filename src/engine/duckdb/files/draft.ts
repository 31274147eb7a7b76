/** A data file in the making: columns are put into it one by one. */
import { ORDER_COLUMN_NAME } from "#model/data-file.ts";
import type { ColumnKind } from "#model/schema.ts";
import { type Chunk, encodeChunk } from "#parquet/chunk.ts";
import type { ParquetCells, ParquetColumn, ParquetType, RowCells } from "#parquet/column.ts";
import { encodeParquet } from "#parquet/file.ts";
import type { FileColumn, WrittenFile } from "#ports/engine.ts";
import { ORDER_FIELD_ID } from "../print/scan.ts";
import { cellsOf, hasValue } from "./cells.ts";
import { type GroupRows, isUnique, type Rows, rangesOf, rowGroups } from "./rows.ts";

const TYPES: Readonly<Record<ColumnKind, ParquetType>> = {
  time: "instant",
  tag: "text",
  string: "text",
  float: "double",
  integer: "int64",
  uinteger: "uint64",
  boolean: "boolean",
};

/** How a file is laid out. */
export interface FileLayout {
  /** The rows of a row group; the last one has fewer. */
  readonly rowGroupSize: number;
  readonly zstdLevel: number;
}

/** The cells of a column in one row group. */
export type TakeCells = (group: GroupRows) => ParquetCells;

export class FileDraft {
  readonly #all: Rows;
  readonly #sorted: Uint32Array;
  readonly #zstdLevel: number;
  readonly #groups: readonly GroupRows[];
  readonly #columns: ParquetColumn[] = [];
  /** For each column, a chunk for each row group. */
  readonly #chunks: (readonly Chunk[])[] = [];
  readonly #columnIds: FileColumn["id"][] = [];

  /** A file of the rows `sorted` of `all`, of which there is one at least, in this order. */
  constructor(all: Rows, sorted: Uint32Array, { rowGroupSize, zstdLevel }: FileLayout) {
    this.#all = all;
    this.#sorted = sorted;
    this.#zstdLevel = zstdLevel;
    this.#groups = rowGroups(all, sorted, rowGroupSize);
  }

  /** Puts a column, unless it is NULL in every row: it is left out then. */
  put({ fileName: name, id: fieldId, kind }: FileColumn, take: TakeCells): void {
    const column = { name, fieldId, type: TYPES[kind], required: kind === "time" };
    if (this.#putCells(column, take)) this.#columnIds.push(fieldId);
  }

  /** The file, once all columns are put; `columns` are the table's. */
  finish(columns: readonly FileColumn[]): WrittenFile {
    const { stampCodes, stamps } = this.#all;
    const order = { name: freeName(columns), fieldId: ORDER_FIELD_ID, type: "int64" } as const;
    const orders = { kind: "coded wholes", codes: stampCodes, dictionary: stamps } as const;
    this.#putCells({ ...order, required: true }, (group) => cellsOf(orders, group.rows));
    const groups = this.#groups.map((group, index) => ({
      rowCount: group.rows.length,
      chunks: this.#chunks.map((chunks) => chunks[index] as Chunk),
    }));
    return {
      rowCount: this.#sorted.length,
      ...rangesOf(this.#all, this.#sorted),
      unique: isUnique(this.#all, this.#sorted),
      columnIds: this.#columnIds,
      bytes: encodeParquet(this.#columns, groups),
    };
  }

  #putCells(column: ParquetColumn, take: TakeCells): boolean {
    const taken = this.#groups.map(take);
    if (!taken.some(hasValue)) return false;
    this.#columns.push(column);
    this.#chunks.push(taken.map((cells) => encodeChunk(column, cells, this.#zstdLevel)));
    return true;
  }
}

/** Time, tags, and fields in order of their ids, as files have them. */
export function inOrder(columns: readonly FileColumn[]): readonly FileColumn[] {
  const fields = columns.filter(isField).toSorted((left, right) => left.id - right.id);
  return [...columns.filter((column) => !isField(column)), ...fields];
}

function isField({ kind }: FileColumn): boolean {
  return kind !== "time" && kind !== "tag";
}

/** The cells of `column`; `fields` gives those of a field. Undefined where no row has it. */
export function takerOf(
  { id, kind }: FileColumn,
  rows: Rows,
  fields: (id: FileColumn["id"]) => RowCells | undefined,
): TakeCells | undefined {
  if (kind === "tag") return tagTaker(rows, id);
  const cells = kind === "time" ? ({ kind: "wholes", values: rows.times } as const) : fields(id);
  return cells && (({ rows: some }) => cellsOf(cells, some));
}

function tagTaker({ all }: Rows, id: FileColumn["id"]): TakeCells | undefined {
  const tag = all.tags.find((one) => one.id === id);
  if (tag === undefined) return undefined;
  const { codes, dictionary } = tag;
  return ({ lengths, series }) => {
    const runs = series.map((number) => codes[number] as number);
    return { kind: "text runs", codes: runs, lengths, dictionary };
  };
}

/** A name for the stamps that no column has, not even but for case. */
function freeName(columns: readonly FileColumn[]): string {
  const taken = new Set(columns.map(({ fileName }) => fileName.toLowerCase()));
  let name = ORDER_COLUMN_NAME;
  for (let i = 2; taken.has(name); i += 1) name = `${ORDER_COLUMN_NAME}_${i}`;
  return name;
}
