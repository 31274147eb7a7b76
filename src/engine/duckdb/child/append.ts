/** Rows of blocks into tables of the engine, chunk by chunk. */
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  UBIGINT,
  UINTEGER,
  VARCHAR,
} from "@duckdb/node-api";
import {
  type ColumnBatch,
  type ColumnData,
  type ColumnDataKind,
  numbersOfCodes,
} from "#model/batch.ts";
import type { ColumnId, Position } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import { CHUNK_ROW_COUNT_MAX, fillColumn, type RawColumn } from "./vectors.ts";

/** A decoded block on its way into a table. */
export interface AppendedBlock {
  readonly position: Position;
  readonly stamp: OrderStamp;
  readonly batch: ColumnBatch;
}

/** How the engine keeps a column: coded tags as codes. */
export const STORED_TYPES: Readonly<
  Record<ColumnDataKind, { readonly sql: string; readonly type: DuckDBType }>
> = {
  tag: { sql: "UINTEGER", type: UINTEGER },
  string: { sql: "VARCHAR", type: VARCHAR },
  float: { sql: "DOUBLE", type: DOUBLE },
  integer: { sql: "BIGINT", type: BIGINT },
  uinteger: { sql: "UBIGINT", type: UBIGINT },
  boolean: { sql: "BOOLEAN", type: BOOLEAN },
};

export interface TargetTable {
  readonly name: string;
  /** In the order the table has them; a tag that is not coded is a string. */
  readonly columns: ReadonlyMap<ColumnId, ColumnDataKind>;
  readonly dictionaries: ReadonlyMap<ColumnId, ReadonlyMap<string, number>>;
}

/** Where rows go in. */
export interface Inserter {
  /** It has a transaction. */
  readonly connection: DuckDBConnection;
  /** Called between two steps, for the process is busy with nothing else in each of them. */
  readonly letOthersIn: () => Promise<void>;
}

/** Adds `texts` under the codes from `firstCode` on. */
export async function appendDictionary(
  inserter: Inserter,
  name: string,
  texts: readonly string[],
  firstCode: number,
): Promise<void> {
  if (texts.length === 0) return;
  const codes = Uint32Array.from(texts, (_, i) => firstCode + i);
  const places = Uint32Array.from(texts, (_, i) => i + 1);
  const columns: StoredColumn[] = [
    { type: UINTEGER, raw: { kind: "values", values: codes, present: undefined } },
    { type: VARCHAR, raw: { kind: "texts", codes: places, dictionary: texts } },
  ];
  await append(inserter, name, () => [{ rowCount: texts.length, columns }]);
}

/** Adds the rows of `blocks`; every text of a coded tag has a code already. */
export async function appendRows(
  inserter: Inserter,
  table: TargetTable,
  blocks: readonly AppendedBlock[],
): Promise<void> {
  await append(inserter, table.name, function* parts() {
    for (const block of blocks)
      yield { rowCount: block.batch.times.length, columns: columnsOf(table, block) };
  });
}

function columnsOf(table: TargetTable, { batch, position, stamp }: AppendedBlock): StoredColumn[] {
  const rowCount = batch.times.length;
  const found = new Map(batch.columns.map(({ id, data }) => [id, data]));
  const columns: StoredColumn[] = [
    wholes(new BigInt64Array(rowCount).fill(BigInt(position))),
    wholes(new BigInt64Array(rowCount).fill(stamp)),
    wholes(batch.times),
  ];
  for (const [id, kind] of table.columns) {
    const { type } = STORED_TYPES[kind];
    const raw = rawColumn(found.get(id), kind, rowCount, table.dictionaries.get(id));
    columns.push({ type, raw });
  }
  return columns;
}

interface StoredColumn {
  readonly type: DuckDBType;
  readonly raw: RawColumn;
}

function wholes(values: BigInt64Array): StoredColumn {
  return { type: BIGINT, raw: { kind: "values", values, present: undefined } };
}

function rawColumn(
  data: ColumnData | undefined,
  kind: ColumnDataKind,
  rowCount: number,
  codes: ReadonlyMap<string, number> | undefined,
): RawColumn {
  if (data === undefined) {
    if (kind !== "tag") return { kind: "nulls" };
    return { kind: "values", values: new Uint32Array(rowCount), present: undefined };
  }
  if (!("codes" in data)) return { kind: "values", values: data.values, present: data.present };
  if (kind !== "tag") {
    return { kind: "texts", codes: data.codes, dictionary: data.dictionary };
  }
  const target = numbersOfCodes(data.dictionary, (text) => codes?.get(text) ?? 0);
  return { kind: "values", values: recode(data.codes, target), present: undefined };
}

function recode(codes: Uint32Array, target: Uint32Array): Uint32Array {
  const recoded = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i += 1) recoded[i] = target[codes[i] as number] as number;
  return recoded;
}

/** Rows that an appender collects before they go into the table, which takes some milliseconds of this process at this count. */
const HELD_ROW_COUNT_MAX = 4 * CHUNK_ROW_COUNT_MAX;

interface StoredRows {
  readonly rowCount: number;
  readonly columns: readonly StoredColumn[];
}

/** All `parts`, of the same types, through one appender, made one at a time. The process is free for others in between. */
async function append(
  { connection, letOthersIn }: Inserter,
  tableName: string,
  parts: () => Iterable<StoredRows>,
): Promise<void> {
  const appender = await connection.createAppender(tableName);
  try {
    await fill(appender, parts(), letOthersIn);
  } catch (error) {
    discard(appender);
    throw error;
  }
  appender.closeSync();
}

async function fill(
  appender: DuckDBAppender,
  parts: Iterable<StoredRows>,
  letOthersIn: () => Promise<void>,
): Promise<void> {
  // One for all rows: each takes a third of a megabyte of fresh memory, until it is collected.
  let chunk: DuckDBDataChunk | undefined;
  let heldCount = 0;
  for (const { columns, rowCount } of parts) {
    for (let start = 0; start < rowCount; start += CHUNK_ROW_COUNT_MAX) {
      const count = Math.min(CHUNK_ROW_COUNT_MAX, rowCount - start);
      chunk ??= DuckDBDataChunk.create(columns.map(({ type }) => type));
      fillChunk(chunk, columns, { start, count });
      appender.appendDataChunk(chunk);
      heldCount += count;
      if (heldCount < HELD_ROW_COUNT_MAX) continue;
      appender.flushSync();
      heldCount = 0;
      await letOthersIn();
    }
  }
  appender.flushSync();
}

function fillChunk(
  chunk: DuckDBDataChunk,
  columns: readonly StoredColumn[],
  range: { readonly start: number; readonly count: number },
): void {
  chunk.reset();
  chunk.rowCount = range.count;
  for (const [index, { raw }] of columns.entries()) fillColumn(chunk.chunk, index, raw, range);
}

/**
 * Closes an appender after a failure. What it holds is cleared first: it would be inserted when the appender is closed, or else when
 * its object is collected, long after the transaction was rolled back.
 */
function discard(appender: DuckDBAppender): void {
  appender.clear();
  try {
    appender.closeSync();
  } catch {
    // The transaction is aborted, as whoever asked is told.
  }
}
