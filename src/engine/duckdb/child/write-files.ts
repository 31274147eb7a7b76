/** Buffered rows as Parquet files (docs/formats/data-file.md). */
import { rm } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { assert } from "#base/errors.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import { TIME_MAX, type TimeRange } from "#model/time-range.ts";
import type { FileColumn, WriteFilesRequest } from "#ports/engine.ts";
import { printName, printText } from "../print/literal.ts";
import { getBuffer, ORDER_FIELD_ID, type PrintContext, printBuffer } from "../print/scan.ts";
import { printFloorModulo } from "../print/time.ts";
import type { Job } from "./query.ts";

const ROW_GROUP_SIZE = 122_880;
const ORDER_NAME = "_order";

/** Writes the files of `request` for `job`, the next when the last was taken, under paths that `nextPath` gives. */
export async function writeFiles(
  job: Job,
  request: WriteFilesRequest,
  context: PrintContext,
  nextPath: () => string,
): Promise<void> {
  const buffered = printBuffered(request, context);
  if (buffered === undefined) return;
  const { columns, rowCountMax } = request;
  await job.run(async (connection) => {
    const writer = { job, connection, columns, series: buffered.series, nextPath };
    for (const window of await windowsOf(connection, buffered.rows, request.windowNs)) {
      if (job.cancelled) return;
      const conditions = `k0 >= ${window.start} AND k0 <= ${window.end}`;
      const source = { rows: `(${buffered.rows}) r`, conditions, sorted: false };
      if (window.rowCount <= rowCountMax) await giveFile(writer, source);
      else await giveParts(writer, source, rowCountMax);
    }
  });
}

interface FileWriter {
  readonly job: Job;
  readonly connection: DuckDBConnection;
  readonly columns: readonly FileColumn[];
  /** The SQL columns that tell series apart. */
  readonly series: readonly string[];
  readonly nextPath: () => string;
}

/** Which rows go into a file: columns `k<id>` and the stamp `o`. */
interface FileSource {
  readonly rows: string;
  readonly conditions: string;
  readonly sorted: boolean;
}

interface Window {
  readonly start: bigint;
  readonly end: bigint;
  readonly rowCount: number;
}

function printBuffered(request: WriteFilesRequest, context: PrintContext) {
  const { columns, sources, tableId } = request;
  const known = new Set(columns.map(({ id }) => id));
  const found = sources.map((source) => {
    const table = getBuffer(context, source.generation, tableId);
    const all = table.columns.keys().every((id) => known.has(id));
    assert(all, "a request for files names every column of the rows");
    return { source, table };
  });
  const [only] = found;
  if (only === undefined) return undefined;
  const tags = columns.filter(({ kind }) => kind === "tag").map(({ id }) => id);
  if (found.length > 1) {
    const selects = found.map(({ table, source }) => printBuffer(table, source, { columns }));
    return { rows: selects.join(" UNION ALL "), series: tags.map((id) => `k${id}`) };
  }
  // Codes of one generation stand for its texts, and compare faster.
  const coded = tags.filter((id) => only.table.columns.has(id));
  const extra = coded.map((id) => `b.c${id} AS j${id}`);
  const rows = printBuffer(only.table, only.source, { columns, extra });
  return { rows, series: coded.map((id) => `j${id}`) };
}

async function windowsOf(
  connection: DuckDBConnection,
  rows: string,
  windowNs: bigint,
): Promise<Window[]> {
  const window = `CAST(k0 AS HUGEINT) - ${printFloorModulo("CAST(k0 AS HUGEINT)", windowNs)}`;
  const sql = `SELECT min(k0), max(k0), count(*) FROM (${rows}) r GROUP BY ${window} ORDER BY 1`;
  const found = await readRows(connection, sql);
  return found.map(([start, end, rowCount]) => ({
    start: start as bigint,
    end: end as bigint,
    rowCount: Number(rowCount),
  }));
}

/** Sorts a window with too many rows once, and cuts it. */
async function giveParts(
  writer: FileWriter,
  { rows, conditions }: FileSource,
  rowCountMax: number,
): Promise<void> {
  const { job, connection, columns } = writer;
  const sorted = `SELECT * FROM ${rows} WHERE ${conditions} ORDER BY ${printSortKey(columns)}`;
  await connection.run(`CREATE TEMPORARY TABLE parts AS ${sorted}`);
  try {
    const [[total = 0n] = []] = await readRows(connection, "SELECT count(*) FROM parts");
    for (let start = 0; start < Number(total) && !job.cancelled; start += rowCountMax) {
      const part = `rowid >= ${start} AND rowid < ${start + rowCountMax}`;
      await giveFile(writer, { rows: "parts", conditions: part, sorted: true });
    }
  } finally {
    await connection.run("DROP TABLE parts").catch(() => undefined);
  }
}

async function giveFile(writer: FileWriter, source: FileSource): Promise<void> {
  const { job, columns, nextPath } = writer;
  const path = nextPath();
  const { columnIds, ...described } = await describe(writer, source);
  const kept = columns.filter(({ id }) => columnIds.has(id));
  let unique: boolean;
  try {
    job.sql = printCopy({ ...source, path, columns, kept, special: isSpecial(described.time) });
    await writer.connection.run(job.sql);
    unique = await isUnique(writer, source);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  if (job.cancelled) return rm(path, { force: true });
  await job.give({ ...described, unique, columnIds: kept.map(({ id }) => id), path });
}

async function describe({ connection, columns }: FileWriter, source: FileSource) {
  const counts = columns.map(({ id }) => `count(k${id})`);
  const sql = `SELECT min(k0), max(k0), min(o), max(o), ${counts.join(", ")} FROM ${source.rows} WHERE ${source.conditions}`;
  const [[start, end, stampMin, stampMax, ...present] = []] = await readRows(connection, sql);
  const ids = columns.filter((_, i) => Number(present[i]) > 0).map(({ id }) => id);
  const columnIds = new Set(ids);
  assert(columnIds.has(TIME_COLUMN_ID), "the columns of a file begin with the time");
  return {
    rowCount: Number(present[columns.findIndex(({ id }) => id === TIME_COLUMN_ID)]),
    time: { start: start as bigint, end: end as bigint },
    stampMin: stampMin as bigint,
    stampMax: stampMax as bigint,
    columnIds,
  };
}

async function isUnique({ connection, series }: FileWriter, source: FileSource): Promise<boolean> {
  const key = [...series, "k0"].join(", ");
  const sql = `SELECT 1 FROM ${source.rows} WHERE ${source.conditions} GROUP BY ${key} HAVING count(*) > 1 LIMIT 1`;
  return (await readRows(connection, sql)).length === 0;
}

interface CopyRequest extends FileSource {
  readonly path: string;
  readonly columns: readonly FileColumn[];
  /** The columns that have a value. */
  readonly kept: readonly FileColumn[];
  /** Whether there are times that the engine takes for infinities. */
  readonly special: boolean;
}

function printCopy(request: CopyRequest): string {
  const { rows, conditions, kept } = request;
  const orderName = freeName(request.columns);
  const results = kept.map(
    ({ id, fileName }) =>
      `${id === TIME_COLUMN_ID ? printInstants(request.special) : `k${id}`} AS ${printName(fileName)}`,
  );
  const ids = [...kept, { id: ORDER_FIELD_ID, fileName: orderName }].map(
    ({ id, fileName }) => `${printName(fileName)}: ${id}`,
  );
  const order = request.sorted ? "" : ` ORDER BY ${printSortKey(request.columns)}`;
  const select = `SELECT ${results.join(", ")}, o AS ${printName(orderName)} FROM ${rows} WHERE ${conditions}${order}`;
  return `COPY (${select}) TO ${printText(request.path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_SIZE}, FIELD_IDS {${ids.join(", ")}})`;
}

/** A name for the stamps that no column has, not even but for case. */
function freeName(columns: readonly FileColumn[]): string {
  const taken = new Set(columns.map(({ fileName }) => fileName.toLowerCase()));
  let name = ORDER_NAME;
  for (let i = 2; taken.has(name); i += 1) name = `${ORDER_NAME}_${i}`;
  return name;
}

function isSpecial({ start, end }: TimeRange): boolean {
  return start <= -TIME_MAX || end === TIME_MAX;
}

/** The engine takes the outermost instants for infinities, and refuses to make them of numbers. */
function printInstants(special: boolean): string {
  if (!special) return "make_timestamp_ns(k0)";
  return `CASE k0 WHEN ${TIME_MAX} THEN CAST('infinity' AS TIMESTAMP_NS) WHEN ${-TIME_MAX} THEN CAST('-infinity' AS TIMESTAMP_NS) ELSE make_timestamp_ns(k0) END`;
}

function printSortKey(columns: readonly FileColumn[]): string {
  const tags = columns.filter(({ kind }) => kind === "tag");
  return [...tags.map(({ id }) => `k${id} NULLS FIRST`), "k0", "o"].join(", ");
}

async function readRows(connection: DuckDBConnection, sql: string) {
  return (await connection.run(sql)).getRows();
}
