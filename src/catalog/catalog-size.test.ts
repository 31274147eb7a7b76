import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "#objectlog/envelope.ts";
import { fromEnvelope, type LogEntry, type LogRecord, toEnvelope } from "#objectlog/record.ts";
import { cpuMs } from "#testing/cpu-time.ts";
import { writerOf } from "#testing/logs.ts";
import { catalogMachine } from "./catalog-machine.ts";
import { applyChanges, EMPTY_CATALOG } from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";

const NONCE = "00112233445566778899aabbccddeeff";

function createTables(count: number, columnCount: number): CatalogChange[] {
  const columns = Array.from({ length: columnCount }, (_, index) => ({
    name: `c${index}`,
    kind: "float" as const,
  }));
  return Array.from({ length: count }, (_, index) => ({
    kind: "create_table",
    databaseId: 1 as DatabaseId,
    id: (index + 1) as TableId,
    name: `t${index}`,
    columns,
  }));
}

function entryOf(changes: readonly CatalogChange[]): LogEntry {
  const needs = { catalog: 0, manifest: 0 };
  const record: LogRecord = {
    kind: "transaction",
    ...writerOf(1, 1),
    needs,
    body: { changes },
    payload: new Uint8Array(0),
  };
  const bytes = encodeEnvelope(toEnvelope(record, 1, NONCE));
  return fromEnvelope(decodeEnvelope("key", bytes), "key", 1);
}

suite("large transactions of the catalog", () => {
  test("thousands of tables or columns in one transaction are one moment's work", () => {
    const start = cpuMs();
    const database: CatalogChange = { kind: "create_database", id: 1 as DatabaseId, name: "db" };
    const empty = applyChanges(EMPTY_CATALOG, [database]);
    const wide = applyChanges(empty, createTables(1, 2000));
    assert.equal(
      wide.databases.get(1 as DatabaseId)?.tables.get(1 as TableId)?.columns.length,
      2001,
    );
    const many = catalogMachine.apply(empty, entryOf(createTables(5000, 3)));
    assert.equal(many.tableCount, 5000);
    assert.equal(many.nextTableId, 5001);
    assert.equal(many.databases.get(1 as DatabaseId)?.tableIds.size, 5000);
    assert.equal(empty.databases.get(1 as DatabaseId)?.tables.size, 0);
    // Copying the maps for every table took more than ten seconds.
    assert.ok(cpuMs() - start < 2000);
  });
});
