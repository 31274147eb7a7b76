/** Years of points of many series in compacted files, made without writing their rows through a node. */
import { encodeBlock } from "#block/block.ts";
import { Catalog } from "#catalog/catalog.ts";
import { findDatabase, findTable } from "#catalog/catalog-state.ts";
import { fileColumns } from "#catalog/file-columns.ts";
import { dataFiles } from "#engine/duckdb/files/data-files.ts";
import { Manifest } from "#manifest/manifest.ts";
import type { BatchColumn } from "#model/batch.ts";
import type { DataFile } from "#model/data-file.ts";
import type { TableSchema } from "#model/schema.ts";
import { nextStamp } from "#model/stamp.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { type ManyOptions, NODE, putFile } from "../many-objects/maker.ts";
import { filesAtRest } from "./layout.ts";

export interface HistoryOptions
  extends Pick<ManyOptions, "clusterId" | "database" | "ports" | "put"> {
  /** Has one tag and one field, a float. */
  readonly table: string;
  readonly seriesCount: number;
  /** Of the first points; there is one of each series every hour. */
  readonly startNs: bigint;
  /** Whole days. */
  readonly hourCount: number;
  /** As `--compaction-row-limit`. */
  readonly rowLimit: number;
}

export interface Made {
  readonly fileCount: number;
  readonly rowCount: number;
  readonly sizeBytes: number;
}

export const HOUR_NS = 3_600_000_000_000n;
const FILES_PER_ENTRY = 100;
const SIGNAL = new AbortController().signal;
/** One window holds all of the time. */
const WINDOW_NS = 10n ** 18n;
/** Of one block, about. */
const BLOCK_ROW_COUNT = 1_000_000;
/** Multiplied by these, the numbers of points lie anywhere in 32 bits. */
const SPREADS = [0x9e3779b1, 0x85ebca6b] as const;
const VALUES = 1_000;
const DAY_HOURS = 24;

/** Adds the files of a table to a manifest whose nodes are stopped, with the times and the order of rows that a compactor leaves. */
export async function makeHistory(options: HistoryOptions): Promise<Made> {
  const { clusterId, database, hourCount, ports, rowLimit, seriesCount, startNs } = options;
  const catalog = await new Catalog(clusterId, ports, SIGNAL).refresh();
  const record = findDatabase(catalog, database);
  const table = record && findTable(record, options.table);
  if (table === undefined) throw new Error(`there is no table ${options.table}`);
  const writer: Writer = { node: NODE, epoch: catalog.nodes.get(NODE)?.epoch ?? 1 };
  const manifest = new Manifest(clusterId, ports, { writer: () => writer, signal: SIGNAL });
  const office = await manifest.takeOver();
  const rowsPerDay = seriesCount * DAY_HOURS;
  const dayCount = hourCount / DAY_HOURS;
  const made = { fileCount: 0, rowCount: 0, sizeBytes: 0 };
  let outputs: DataFile[] = [];
  const publish = async () => {
    const body = { inputs: [], outputs };
    const needs = { catalog: catalog.position, manifest: 0 };
    await manifest.publish(office, () => ({ kind: "replace", body, needs }));
    outputs = [];
  };
  for (const { end, start } of filesAtRest({ startNs, dayCount, rowsPerDay, rowLimit })) {
    const first = Number((start - startNs) / HOUR_NS);
    const span = { first, count: Number((end + 1n - start) / HOUR_NS) };
    for (const written of filesOf(table, options, span)) {
      const file = await putFile(options, table, { office, written });
      outputs.push(file);
      made.fileCount += 1;
      made.rowCount += file.rowCount;
      made.sizeBytes += file.sizeBytes;
    }
    if (outputs.length >= FILES_PER_ENTRY) await publish();
  }
  await publish();
  await manifest.keep();
  return made;
}

interface Span {
  readonly first: number;
  readonly count: number;
}

/** One file. */
function filesOf(table: TableSchema, options: HistoryOptions, { count, first }: Span) {
  const hoursPerBlock = Math.max(1, Math.floor(BLOCK_ROW_COUNT / options.seriesCount));
  const blocks = Array.from({ length: Math.ceil(count / hoursPerBlock) }, (_, index) => {
    const from = first + index * hoursPerBlock;
    const hours = Math.min(hoursPerBlock, first + count - from);
    return blockOf(table, options, { first: from, count: hours });
  });
  const request = { columns: fileColumns(table), windowNs: WINDOW_NS, rowCountMin: 1 };
  return dataFiles({ tableId: table.id, ...request, blocks });
}

function blockOf(
  { columns, databaseId, id: tableId }: TableSchema,
  { seriesCount, startNs }: HistoryOptions,
  { count, first }: Span,
) {
  const rowCount = seriesCount * count;
  const times = new BigInt64Array(rowCount);
  const codes = new Uint32Array(rowCount);
  const values = new Float64Array(rowCount);
  for (let series = 0, row = 0; series < seriesCount; series += 1) {
    for (let hour = first; hour < first + count; hour += 1, row += 1) {
      times[row] = startNs + BigInt(hour) * HOUR_NS;
      codes[row] = series + 1;
      values[row] = valueOf(hour * seriesCount + series);
    }
  }
  const dictionary = Array.from({ length: seriesCount }, (_, series) => seriesName(series));
  const data = columns.flatMap(({ id, kind }): readonly BatchColumn[] => {
    if (kind === "tag") return [{ id, data: { kind, codes, dictionary } }];
    return kind === "float" ? [{ id, data: { kind, values } }] : [];
  });
  const bytes = encodeBlock({ databaseId, tableId, times, columns: data });
  return { stamp: nextStamp(NODE, startNs + BigInt(first) * HOUR_NS, 0n), bytes };
}

/** One decimal, and nothing that the values beside it tell. */
function valueOf(point: number): number {
  let mixed = Math.imul(point, SPREADS[0]);
  mixed = Math.imul(mixed ^ (mixed >>> 15), SPREADS[1]);
  return ((mixed >>> 8) % VALUES) / 10;
}

export function seriesName(series: number): string {
  return `host_${series}`;
}
