/** The names of compacted files. */
import { hex } from "#base/bytes.ts";
import type { DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { type Random, randomBytes } from "#ports/random.ts";

const NAME = /\/(\d+)-(\d+)-[0-9a-f]{16}\.parquet$/;
const NONCE_SIZE = 8;

/** Where the compacted files of a cluster stand in the store. */
export function compactedPrefix(clusterId: string): string {
  return `${clusterId}/data/`;
}

export interface CompactedKeyParts {
  readonly clusterId: string;
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** The first instant of its rows. */
  readonly startNs: bigint;
}

/**
 * A name that is used once: `<cluster>/data/<database>/<table>/<day>/<node>-<term>-<nonce>.parquet`, of the term in office in
 * which it is written, and the node that holds it.
 */
export function compactedKey(parts: CompactedKeyParts, office: Writer, random: Random): string {
  const { clusterId, databaseId, startNs, tableId } = parts;
  const nonce = hex(randomBytes(random, NONCE_SIZE));
  const name = `${office.node}-${office.epoch}-${nonce}.parquet`;
  return `${compactedPrefix(clusterId)}${databaseId}/${tableId}/${dayOf(startNs)}/${name}`;
}

/** The term in which the file was written; undefined where `key` is no name of a compacted file. */
export function termOfKey(key: string): Writer | undefined {
  const match = NAME.exec(key);
  if (match === null) return undefined;
  return { node: Number(match[1]) as NodeNumber, epoch: Number(match[2]) };
}

/** `2026-11-21`, UTC. */
function dayOf(timeNs: bigint): string {
  return new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 10);
}
