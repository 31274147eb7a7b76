import type { Manifest } from "#manifest/manifest.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";

export interface OrphanOptions {
  /** The prefix of the files that the node of `writer` writes. */
  readonly prefix: string;
  readonly manifest: Manifest;
  readonly writer: NodeLogWriter;
  readonly store: ObjectStore;
  readonly log: Log;
}

/**
 * Deletes the files that earlier epochs of a node have written and no record names: they died between a file and its snapshot.
 *
 * This epoch's fence stands above theirs, so no record of theirs can come any more; the manifest is read after it (rule 6). Files of
 * this epoch are left alone: their record may be on its way.
 */
export async function deleteOrphans(options: OrphanOptions): Promise<number> {
  const { log, manifest, prefix, store, writer } = options;
  const { epoch } = writer.owner;
  await manifest.refresh();
  // Both states are of this instant: a snapshot leaves the one only after it has come into the other.
  const { files, replaced } = manifest.state;
  const named = new Set([
    ...[...files.values()].flat().map(({ file }) => file.key),
    // Queries may still read what compaction has replaced; who is in its office deletes that.
    ...replaced.flatMap(({ keys }) => keys),
    ...writer.state.snapshots.flatMap((snapshot) => snapshot.files.map(({ key }) => key)),
  ]);
  let count = 0;
  for (const { key } of await store.list(prefix)) {
    const writtenIn = epochOf(key);
    if (writtenIn === undefined || writtenIn >= epoch || named.has(key)) continue;
    await store.delete(key);
    count += 1;
  }
  if (count > 0) log.info("deleted files that no record names", { count });
  return count;
}

/** The epoch in the name of a data file: `…/<epoch>-<nonce>.parquet`. */
function epochOf(key: string): number | undefined {
  const match = /\/(\d+)-[0-9a-f]{16}\.parquet$/.exec(key);
  return match === null ? undefined : Number(match[1]);
}
