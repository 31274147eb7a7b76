/** What `system.compaction_events` and `system.compacted_data` tell. */
import type { DatabaseRecord } from "#catalog/catalog-state.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import type { TableId } from "#model/ids.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import { type Generation, generationOf } from "./generations.ts";
import type { CompactionEvent } from "./history.ts";

interface Table {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly LiteralValue[])[];
}

/** What this node's compactor has done, oldest first. */
export function compactionEventsTable(events: readonly CompactionEvent[]): Table {
  return {
    fields: [
      { name: "event_time", type: "timestamp" },
      { name: "event_type", type: "string" },
      { name: "event_duration", type: "int64" },
      { name: "event_status", type: "string" },
      { name: "event_detail", type: "string" },
    ],
    rows: events.map(({ atNs, detail, durationMs, kind, outcome }) => [
      atNs,
      kind,
      BigInt(Math.round(durationMs * 1e6)),
      outcome,
      detail,
    ]),
  };
}

/** The compacted files of a database, a row for each table and generation; of all databases where none is named. */
export function compactedDataTable(
  databases: readonly DatabaseRecord[],
  manifest: ManifestState,
  generations: readonly Generation[],
): Table {
  return {
    fields: [
      { name: "database_name", type: "string" },
      { name: "table_name", type: "string" },
      { name: "generation_level", type: "int64" },
      { name: "parquet_file_count", type: "int64" },
      { name: "parquet_row_count", type: "int64" },
      { name: "parquet_size_bytes", type: "int64" },
    ],
    rows: databases.flatMap(({ name, tables }) =>
      [...tables.values()].flatMap((table) =>
        sumsOf(table.id, manifest, generations).map(({ files, level, rows, sizeBytes }) => {
          const sums = [level, files, rows, sizeBytes].map(BigInt);
          return [name, table.name, ...sums];
        }),
      ),
    ),
  };
}

interface Sums {
  readonly level: number;
  files: number;
  rows: number;
  sizeBytes: number;
}

function sumsOf(
  tableId: TableId,
  { files }: ManifestState,
  generations: readonly Generation[],
): readonly Sums[] {
  const byLevel = new Map<number, Sums>();
  for (const { file } of files.ofTable(tableId)) {
    // Files of a node's snapshots are not compacted.
    if (file.node !== 0) continue;
    const level = generationOf(file.time, generations);
    const sums = byLevel.getOrInsertComputed(level, () => newSums(level));
    sums.files += 1;
    sums.rows += file.rowCount;
    sums.sizeBytes += file.sizeBytes;
  }
  return [...byLevel.values()].toSorted((left, right) => left.level - right.level);
}

function newSums(level: number): Sums {
  return { level, files: 0, rows: 0, sizeBytes: 0 };
}
