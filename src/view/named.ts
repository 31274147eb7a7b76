import { adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { DataFile } from "#model/data-file.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { NodeLogState } from "#nodelog/node-log-state.ts";

/** One node log as far as a process has read it. */
export interface ReadLog {
  readonly node: NodeNumber;
  readonly state: NodeLogState;
}

/** Every file that a view of these states may name: those of the manifest, and of each log those above what is adopted of it. */
export function* namedFiles(manifest: ManifestState, logs: Iterable<ReadLog>): Generator<DataFile> {
  for (const { file } of manifest.files) yield file;
  yield* filesAbove(manifest, logs);
}

/** Takes out of `keys` what a view of these states may name. */
export function keepUnnamed(
  keys: Map<string, unknown> | Set<string>,
  manifest: ManifestState,
  logs: Iterable<ReadLog>,
): void {
  for (const key of manifest.files.find(new Set(keys.keys())).keys()) keys.delete(key);
  for (const { key } of filesAbove(manifest, logs)) keys.delete(key);
}

/** As `keepUnnamed`, and takes out what was replaced as well: queries may still read that, and the cleanup of who is in office deletes it. */
export function keepOrphaned(
  keys: Set<string>,
  manifest: ManifestState,
  logs: Iterable<ReadLog>,
): void {
  keepUnnamed(keys, manifest, logs);
  if (keys.size === 0) return;
  for (const { keys: replaced } of manifest.replaced) for (const key of replaced) keys.delete(key);
}

/** Files of snapshots that the manifest has not adopted. */
function* filesAbove(manifest: ManifestState, logs: Iterable<ReadLog>): Generator<DataFile> {
  for (const { node, state } of logs) {
    const adopted = adoptedOf(manifest, node).position;
    for (const { through, files } of state.snapshots) if (through > adopted) yield* files;
  }
}
