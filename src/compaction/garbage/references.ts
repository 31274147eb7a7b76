import { DbError } from "#base/errors.ts";
import { Catalog } from "#catalog/catalog.ts";
import { Manifest } from "#manifest/manifest.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import { nodeLogMachine } from "#nodelog/node-log-state.ts";
import { LogTracker } from "#objectlog/log-tracker.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { namedFiles, type ReadLog } from "#view/named.ts";

export interface ReferencesOptions {
  readonly clusterId: string;
  readonly ports: ObjectLogPorts;
  /** Where the log of a node stands in the store. */
  readonly logPrefixOf: (nodeId: string) => string;
  readonly signal: AbortSignal;
}

/** Whether every file that a record names is in the store. */
export interface ReferencesReport {
  readonly namedCount: number;
  readonly missing: readonly string[];
  /** There, but of another size than the record says. */
  readonly wrongSize: readonly string[];
}

const LIST_COUNT = 1_000;
const FILES_FOLDER = "/data/";

/**
 * Compares what the manifest and all node logs name with what the store lists. The cluster may run meanwhile: what is missing counts only
 * if it is still named when all is read again, for a named file never comes back once it is gone.
 *
 * Reads alone. Rejects with `not_found` / `cluster_unknown` where there is no catalog, and as the store and damaged records do.
 */
export async function verifyReferences(options: ReferencesOptions): Promise<ReferencesReport> {
  const named = await readNamed(options);
  const rest = new Map(named);
  const wrongSize: string[] = [];
  for (const prefix of foldersOf(named.keys()))
    for await (const { key, sizeBytes } of list(options, prefix)) {
      const size = named.get(key);
      rest.delete(key);
      if (size !== undefined && size !== sizeBytes) wrongSize.push(key);
    }
  if (rest.size === 0) return { namedCount: named.size, missing: [], wrongSize };
  const again = await readNamed(options);
  const missing = [...rest.keys()].filter((key) => again.has(key));
  return { namedCount: named.size, missing, wrongSize };
}

/** Sizes of the named files, by key. Logs are read before the manifest: a file that moves from them to it meanwhile is seen twice, not never. */
async function readNamed(options: ReferencesOptions): Promise<ReadonlyMap<string, number>> {
  const { clusterId, ports, signal } = options;
  const catalog = new Catalog(clusterId, ports, signal);
  const { nodes, position } = await catalog.refresh();
  if (position === 0)
    throw new DbError("not_found", "cluster_unknown", `there is no cluster ${clusterId} here`, {
      detail: { clusterId },
    });
  const logs: ReadLog[] = [];
  for (const { hasLog, nodeId, number } of nodes.values())
    if (hasLog) logs.push({ node: number, state: await readLog(options, nodeId) });
  return new Map(
    [...namedFiles(await readManifest(options), logs)].map(({ key, sizeBytes }) => [
      key,
      sizeBytes,
    ]),
  );
}

async function readLog({ logPrefixOf, ports }: ReferencesOptions, nodeId: string) {
  const tracker = new LogTracker(new ObjectLog(logPrefixOf(nodeId), ports), nodeLogMachine);
  await tracker.advance({ certain: true });
  return tracker.state;
}

function readManifest({ clusterId, ports, signal }: ReferencesOptions): Promise<ManifestState> {
  return new Manifest(clusterId, ports, { writer: noWriter, signal }).refresh();
}

function noWriter(): never {
  throw new DbError("internal", "assertion_failed", "a look writes nothing");
}

/** The folders of data files that `keys` are in: of each node, and of the cluster. */
function foldersOf(keys: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const key of keys)
    folders.add(key.slice(0, key.indexOf(FILES_FOLDER) + FILES_FOLDER.length));
  return folders;
}

async function* list({ ports, signal }: ReferencesOptions, prefix: string) {
  for (let after = ""; ; ) {
    signal.throwIfAborted();
    const objects = await ports.store.list(prefix, { after, countMax: LIST_COUNT });
    yield* objects;
    const last = objects.at(-1);
    if (last === undefined || objects.length < LIST_COUNT) return;
    after = last.key;
  }
}
