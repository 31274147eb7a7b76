/** Buffered rows as Parquet files (docs/formats/data-file.md). */
import { rm } from "node:fs/promises";
import type { DuckDBConnection } from "@duckdb/node-api";
import { assert } from "#base/errors.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import { TIME_MAX } from "#model/time-range.ts";
import type { FileColumn, WriteFilesRequest } from "#ports/engine.ts";
import { printName, printText } from "../print/literal.ts";
import { ORDER_FIELD_ID, type PrintContext, printBuffer } from "../print/scan.ts";
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
  const rows = printRows(request, context);
  if (rows === undefined) return;
  await job.run(async (connection) => {
    for (const window of await windowsOf(connection, rows, request.windowNs)) {
      if (job.cancelled) return;
      const conditions = `k0 >= ${window.start} AND k0 <= ${window.end}`;
      if (window.rowCount <= request.rowCountMax) {
        const source = { rows: `(${rows}) r`, conditions, sorted: false };
        await giveFile(job, connection, { ...source, request, path: nextPath() });
      } else {
        await giveParts(job, connection, { rows, conditions, request, nextPath });
      }
    }
  });
}

/** Which rows go into a file: columns `k<id>` and the stamp `o`. */
interface FileSource {
  readonly rows: string;
  readonly conditions: string;
  readonly sorted: boolean;
  readonly request: WriteFilesRequest;
  readonly path: string;
}

interface Window {
  readonly start: bigint;
  readonly end: bigint;
  readonly rowCount: number;
}

function printRows(request: WriteFilesRequest, context: PrintContext): string | undefined {
  const selects = request.sources.flatMap((source) => {
    const table = context.findBuffer(source.generation, request.tableId);
    return table === undefined ? [] : [printBuffer(table, source, request.columns, [])];
  });
  return selects.length > 0 ? selects.join(" UNION ALL ") : undefined;
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
  job: Job,
  connection: DuckDBConnection,
  window: Omit<FileSource, "path" | "sorted"> & { readonly nextPath: () => string },
): Promise<void> {
  const { rows, conditions, request, nextPath } = window;
  const { rowCountMax } = request;
  const order = printSortKey(request.columns);
  await connection.run(
    `CREATE TEMPORARY TABLE parts AS SELECT * FROM (${rows}) r WHERE ${conditions} ORDER BY ${order}`,
  );
  try {
    const [[total = 0n] = []] = await readRows(connection, "SELECT count(*) FROM parts");
    for (let start = 0; start < Number(total) && !job.cancelled; start += rowCountMax) {
      const part = `rowid >= ${start} AND rowid < ${start + rowCountMax}`;
      const source = { rows: "parts", conditions: part, sorted: true };
      await giveFile(job, connection, { ...source, request, path: nextPath() });
    }
  } finally {
    await connection.run("DROP TABLE parts").catch(() => undefined);
  }
}

async function giveFile(job: Job, connection: DuckDBConnection, source: FileSource): Promise<void> {
  const { columns } = source.request;
  const { columnIds, ...described } = await describe(connection, source);
  const kept = columns.filter(({ id }) => columnIds.has(id));
  job.sql = printCopy(
    source,
    kept,
    described.time.start <= -TIME_MAX || described.time.end === TIME_MAX,
  );
  let unique: boolean;
  try {
    await connection.run(job.sql);
    unique = await isUnique(connection, source);
  } catch (error) {
    await rm(source.path, { force: true });
    throw error;
  }
  if (job.cancelled) return rm(source.path, { force: true });
  await job.give({
    ...described,
    unique,
    columnIds: kept.map(({ id }) => id),
    path: source.path,
  });
}

async function describe(connection: DuckDBConnection, source: FileSource) {
  const { columns } = source.request;
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

async function isUnique(connection: DuckDBConnection, source: FileSource): Promise<boolean> {
  const key = source.request.columns.filter(({ kind }) => kind === "time" || kind === "tag");
  const names = key.map(({ id }) => `k${id}`).join(", ");
  const sql = `SELECT 1 FROM ${source.rows} WHERE ${source.conditions} GROUP BY ${names} HAVING count(*) > 1 LIMIT 1`;
  return (await readRows(connection, sql)).length === 0;
}

function printCopy(source: FileSource, columns: readonly FileColumn[], special: boolean): string {
  const orderName = freeName(columns);
  const results = columns.map(
    ({ id, fileName }) =>
      `${id === TIME_COLUMN_ID ? printInstants(special) : `k${id}`} AS ${printName(fileName)}`,
  );
  const ids = [...columns, { id: ORDER_FIELD_ID, fileName: orderName }].map(
    ({ id, fileName }) => `${printName(fileName)}: ${id}`,
  );
  const order = source.sorted ? "" : ` ORDER BY ${printSortKey(source.request.columns)}`;
  const select = `SELECT ${results.join(", ")}, o AS ${printName(orderName)} FROM ${source.rows} WHERE ${source.conditions}${order}`;
  return `COPY (${select}) TO ${printText(source.path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_SIZE}, FIELD_IDS {${ids.join(", ")}})`;
}

/** A name for the stamps that no column has, not even but for case. */
function freeName(columns: readonly FileColumn[]): string {
  const taken = new Set(columns.map(({ fileName }) => fileName.toLowerCase()));
  let name = ORDER_NAME;
  for (let i = 2; taken.has(name); i += 1) name = `${ORDER_NAME}_${i}`;
  return name;
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
