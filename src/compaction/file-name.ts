import type { Epoch } from "#model/ids.ts";

/** Where the files of compactors stand in the store. */
export function compactedPrefix(clusterId: string): string {
  return `${clusterId}/data/`;
}

/** The term in the name of a compacted file, `…/<term>-<nonce>.parquet`; undefined where it is no such name. */
export function termOfFile(key: string): Epoch | undefined {
  const match = /\/(?:\d+-)?(\d{1,15})-[0-9a-f]{16}\.parquet$/.exec(key);
  return match === null ? undefined : Number(match[1]);
}
