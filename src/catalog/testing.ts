/** Records for the tests of the catalog's state. */
import type { NodeNumber, TokenId } from "#model/ids.ts";
import type { ColumnKind } from "#model/schema.ts";
import type { NodeRecord } from "./catalog-state.ts";
import type { TokenRecord } from "./tokens.ts";

export const KINDS: readonly ColumnKind[] = [
  "tag",
  "float",
  "integer",
  "uinteger",
  "boolean",
  "string",
];

export function nodeOf(number: number, epoch: number, more: Partial<NodeRecord> = {}): NodeRecord {
  return {
    number: number as NodeNumber,
    nodeId: `node${number}`,
    instanceId: `instance${number}`,
    modes: ["ingest", "query"],
    state: "running",
    epoch,
    address: "host:8181",
    coreCount: 2,
    formatLevel: 1,
    hasLog: true,
    updatedAtNs: 1_767_225_600_000_000_000n + BigInt(epoch),
    ...more,
  };
}

export function tokenOf(id: number, createdAtNs: bigint): TokenRecord {
  return {
    id: id as TokenId,
    name: `token${id}`,
    hash: `hash${id}`,
    grant: { kind: "admin" },
    createdAtNs,
    ...(id > 0 && { createdBy: 0 as TokenId, expiresAtNs: createdAtNs + 1n }),
  };
}
