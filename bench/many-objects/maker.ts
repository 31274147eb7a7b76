/** A cluster with very many data files, made without writing their rows one by one. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32 } from "#base/crc32.ts";
import { encodeBlock } from "#block/block.ts";
import { Catalog } from "#catalog/catalog.ts";
import { findDatabase } from "#catalog/catalog-state.ts";
import { fileColumns } from "#catalog/file-columns.ts";
import { compactedKey } from "#compaction/data-keys.ts";
import { Manifest } from "#manifest/manifest.ts";
import type { DataFile } from "#model/data-file.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { TableSchema } from "#model/schema.ts";
import { nextStamp } from "#model/stamp.ts";
import type { ObjectLogPorts } from "#objectlog/object-log.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { WriteFilesRequest, WrittenFile } from "#ports/engine.ts";

export interface ManyOptions {
  readonly clusterId: string;
  readonly database: string;
  readonly fileCount: number;
  /** Of the last row of all. */
  readonly endNs: bigint;
  readonly ports: ObjectLogPorts;
  /** Makes a data file as the engine that reads it does. */
  readonly write: (request: WriteFilesRequest) => Promise<WrittenFile | undefined>;
  /** Puts a data file. */
  readonly put: (key: string, bytes: Uint8Array) => Promise<void> | void;
  /** Hears how long each checkpoint and its parts took. */
  readonly onKept: (ms: number) => void;
}

/** Ten minutes. */
export const FILE_NS = 600_000_000_000n;
const FILES_PER_ENTRY = 2_000;
/** Who makes them. */
export const NODE = 1 as NodeNumber;
const SIGNAL = new AbortController().signal;

/**
 * Gives the tables of a database, whose nodes are stopped, `fileCount` files: in each, every ten minutes one of a row. Answers the manifest,
 * in an office that is left to the next who takes over.
 */
export async function makeManyFiles(options: ManyOptions): Promise<Manifest> {
  const { clusterId, database, fileCount, onKept, ports } = options;
  const catalog = await new Catalog(clusterId, ports, SIGNAL).refresh();
  const tables = [...(findDatabase(catalog, database)?.tables.values() ?? [])];
  const writer: Writer = { node: NODE, epoch: catalog.nodes.get(NODE)?.epoch ?? 1 };
  const manifest = new Manifest(clusterId, ports, { writer: () => writer, signal: SIGNAL });
  const office = await manifest.takeOver();
  let outputs: DataFile[] = [];
  let madeCount = 0;
  const publish = async () => {
    const body = { inputs: [], outputs };
    const needs = { catalog: catalog.position, manifest: 0 };
    await manifest.publish(office, () => ({ kind: "replace", body, needs }));
    outputs = [];
    const startedMs = performance.now();
    await manifest.keep();
    onKept(performance.now() - startedMs);
  };
  for (let slot = 0; madeCount < fileCount; slot++) {
    const startNs = options.endNs - FILE_NS * BigInt(Math.ceil(fileCount / tables.length) - slot);
    // Tables with the same columns have the same bytes.
    const made = new Map<string, WrittenFile>();
    for (const table of tables.slice(0, fileCount - madeCount)) {
      const columns = table.columns.map(({ id, name, kind }) => `${id} ${name} ${kind}`).join();
      const written = made.get(columns) ?? (await oneRow(options, table, startNs));
      made.set(columns, written);
      outputs.push(await putFile(options, table, { office, written }));
      madeCount += 1;
      if (outputs.length === FILES_PER_ENTRY) await publish();
    }
  }
  if (outputs.length > 0) await publish();
  return manifest;
}

/** A file with a row at `startNs` that has no more than its time. */
async function oneRow(
  { write }: ManyOptions,
  table: TableSchema,
  startNs: bigint,
): Promise<WrittenFile> {
  const { databaseId, id: tableId } = table;
  const columns = fileColumns(table);
  const times = BigInt64Array.of(startNs);
  const bytes = encodeBlock({ databaseId, tableId, times, columns: [] });
  const stamp = nextStamp(NODE, startNs, 0n);
  const file = await write({
    tableId,
    columns,
    blocks: [{ stamp, bytes }],
    windowNs: FILE_NS,
    rowCountMin: 1,
  });
  if (file === undefined) throw new Error("a row makes a file");
  return file;
}

/** Puts a data file; answers what a manifest says of it. */
export async function putFile(
  { clusterId, ports, put }: Pick<ManyOptions, "clusterId" | "ports" | "put">,
  { databaseId, id: tableId }: TableSchema,
  { office, written }: { office: Writer; written: WrittenFile },
): Promise<DataFile> {
  const { bytes, ...file } = written;
  const parts = { clusterId, databaseId, tableId, startNs: file.time.start };
  const key = compactedKey(parts, office, ports.random);
  await put(key, bytes);
  const node = 0 as NodeNumber;
  return {
    ...file,
    key,
    databaseId,
    tableId,
    sizeBytes: bytes.length,
    checksum: crc32(bytes),
    node,
  };
}

/** Puts files as the file store keeps them, without the sync that would make them outlast a power failure. */
export function fastPut(root: string): (key: string, bytes: Uint8Array) => void {
  const folders = new Set<string>();
  return (key, bytes) => {
    const path = join(root, key);
    const folder = dirname(path);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    writeFileSync(path, bytes);
  };
}
