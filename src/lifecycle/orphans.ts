import type { Manifest } from "#manifest/manifest.ts";
import type { Epoch } from "#model/ids.ts";
import type { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { keepOrphaned } from "#view/named.ts";

export interface OrphanOptions {
  /** The prefix of the files that the node of `writer` writes. */
  readonly prefix: string;
  readonly manifest: Manifest;
  readonly writer: NodeLogWriter;
  readonly store: ObjectStore;
  readonly log: Log;
}

const LIST_COUNT = 1_000;

/**
 * Deletes the files that earlier epochs of a node have written and no record names: they died between a file and its snapshot.
 *
 * This epoch's fence stands above theirs, so no record of theirs can come any more; the manifest is read after it (rule 6). Files of
 * this epoch are left alone: their record may be on its way.
 */
export async function deleteOrphans(options: OrphanOptions): Promise<number> {
  const { log, manifest, prefix, store, writer } = options;
  const { epoch, node } = writer.owner;
  await manifest.refresh();
  let count = 0;
  for (let after = ""; ; ) {
    const objects = await store.list(prefix, { after, countMax: LIST_COUNT });
    const keys = new Set(objects.map(({ key }) => key).filter((key) => isOlder(key, epoch)));
    // Both states are of this instant: a snapshot leaves the one only after it has come into the other.
    keepOrphaned(keys, manifest.state, [{ node, state: writer.state }]);
    for (const key of keys) await store.delete(key);
    count += keys.size;
    const last = objects.at(-1);
    if (last === undefined || objects.length < LIST_COUNT) break;
    after = last.key;
  }
  if (count > 0) log.info("deleted files that no record names", { count });
  return count;
}

function isOlder(key: string, epoch: Epoch): boolean {
  const writtenIn = epochOf(key);
  return writtenIn !== undefined && writtenIn < epoch;
}

/** The epoch in the name of a data file: `…/<epoch>-<nonce>.parquet`. */
function epochOf(key: string): number | undefined {
  const match = /\/(\d+)-[0-9a-f]{16}\.parquet$/.exec(key);
  return match === null ? undefined : Number(match[1]);
}
