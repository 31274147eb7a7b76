/** Records for the tests of the catalog's state. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { equalBytes } from "#base/bytes.ts";
import { toJson } from "#base/schema.ts";
import type { ColumnId, NodeNumber, RowDeleteId, TableId, TokenId } from "#model/ids.ts";
import type { RowDelete, TagCondition } from "#model/row-delete.ts";
import type { ColumnKind } from "#model/schema.ts";
import { decodeEnvelope, encodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, type LogRecord, toEnvelope } from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { catalogMachine } from "./catalog-machine.ts";
import { type CatalogState, EMPTY_CATALOG, type NodeRecord } from "./catalog-state.ts";
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
  return entryOf(encodeEnvelope(toEnvelope(record, position, NONCE)), position);
}

function entryOf(bytes: Uint8Array, position: number): LogEntry {
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

/**
 * Holds stored records of `file` to what they were: two transactions, and the checkpoint at the second, each a line of hexadecimal digits, are read,
 * and written the same. Answers the state that they add up to.
 */
export function checkStored(file: URL): CatalogState {
  const objects = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => Uint8Array.from(Buffer.from(line, "hex")));
  for (const bytes of objects)
    assert.ok(equalBytes(encodeEnvelope(decodeEnvelope("key", bytes)), bytes));
  const [first, second, checkpoint] = objects;
  assert.ok(first && second && checkpoint);
  const state = [entryOf(first, 1), entryOf(second, 2)].reduce<CatalogState>(
    (before, entry) => catalogMachine.apply(before, entry),
    EMPTY_CATALOG,
  );
  assert.equal(textOf(catalogMachine.restore(entryOf(checkpoint, 2))), textOf(state));
  const again = toEnvelope(catalogMachine.checkpoint(state, WRITER), 2, NONCE);
  assert.ok(equalBytes(encodeEnvelope(again), checkpoint));
  return state;
}
