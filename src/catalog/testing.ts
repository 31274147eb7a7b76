/** Records for the tests of the catalog's state. */
import { toJson } from "#base/schema.ts";
import type { ColumnId, NodeNumber, RowDeleteId, TableId, TokenId } from "#model/ids.ts";
import type { RowDelete, TagCondition } from "#model/row-delete.ts";
import type { ColumnKind } from "#model/schema.ts";
import { decodeEnvelope, encodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, type LogRecord, toEnvelope } from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { CatalogState, NodeRecord } from "./catalog-state.ts";
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

export const NONCE = "00112233445566778899aabbccddeeff";
export const WRITER: Writer = { node: 1 as NodeNumber, epoch: 1 };

export function transaction(changes: readonly unknown[], manifest = 0): LogRecord {
  const needs = { catalog: 0, manifest };
  const payload = new Uint8Array(0);
  return { kind: "transaction", ...WRITER, needs, body: { changes }, payload };
}

export function throughBytes(record: LogRecord, position: number): LogEntry {
  const bytes = encodeEnvelope(toEnvelope(record, position, NONCE));
  return fromEnvelope(decodeEnvelope("key", bytes), "key", position);
}

/** A delete of some rows or all of a table. */
export function deleteOf(id: RowDeleteId, tableId: TableId, dice: number): RowDelete {
  const tag: TagCondition = {
    kind: "in",
    columnId: 1 as ColumnId,
    values: ["a", `b${dice}`],
    negated: dice % 2 === 0,
  };
  return {
    id,
    tableId,
    time: { start: -BigInt(dice), end: 10n ** 18n },
    ...(dice % 3 > 0 && {
      condition: dice % 3 === 1 ? tag : { kind: "or", conditions: [tag, tag] },
    }),
    cuts: [{ node: 1 as NodeNumber, stamp: 1n + BigInt(dice) }],
    atNs: 10n ** 18n,
  };
}

/** All of a state as text, maps in their order, what is undefined left out. */
export function textOf(state: CatalogState): string {
  return toJson({
    ...state,
    databases: [...state.databases.values()].map((database) => ({
      ...database,
      tables: [...database.tables],
      tableIds: [...database.tableIds],
      tableRetentionNs: [...database.tableRetentionNs].toSorted(([left], [right]) => left - right),
      droppedTables: [...database.droppedTables],
    })),
    databaseIds: [...state.databaseIds],
    nodes: [...state.nodes],
    tokens: [...state.tokens],
    removed: [...state.removed],
    users: [...state.users],
    continuousQueries: [...state.continuousQueries],
    deletes: [...state.deletes].toSorted(([left], [right]) => left - right),
  });
}
