import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { DatabaseId, TableId } from "#model/ids.ts";
import {
  applyChanges,
  type CatalogState,
  EMPTY_CATALOG,
  findDatabase,
  findTable,
  type NewColumn,
  retentionOf,
} from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";
import { addColumns, createTable, dropTable, dropTables, setTableRetention } from "./tables.ts";

const LIMITS = { tableCountMax: 3, columnCountMax: 4, tagCountMax: 2 };
const NAME = { database: "db", table: "t" };
const TAG: NewColumn = { name: "x", kind: "tag" };
const FIELD: NewColumn = { name: "f", kind: "float" };
const TIMES = { nowNs: 1_767_225_600_000_000_000n, hardDeleteAtNs: 7n };
const EMPTY_DATABASE = applyChanges(EMPTY_CATALOG, [
  { kind: "create_database", id: 1 as DatabaseId, name: "db", retentionNs: 100n },
]);

function withTable(state = EMPTY_DATABASE, table = "t", retentionNs?: bigint): CatalogState {
  const columns = [TAG, FIELD];
  const name = { ...NAME, table };
  return applyChanges(state, createTable(state, name, { columns, retentionNs }, LIMITS));
}

function creating(columns: readonly NewColumn[]) {
  return () => createTable(EMPTY_DATABASE, NAME, { columns, retentionNs: undefined }, LIMITS);
}

function after(state: CatalogState, decide: (state: CatalogState) => readonly CatalogChange[]) {
  return applyChanges(state, decide(state));
}

/** The table's id, its columns and how long its rows are kept. */
function look(state: CatalogState, table = "t") {
  const database = findDatabase(state, "db");
  const found = database && findTable(database, table);
  if (database === undefined || found === undefined) return undefined;
  const columns = found.columns.map(({ name, kind }) => `${name}:${kind}`);
  return [found.id, columns.join(" "), retentionOf(database, found.id)];
}

suite("tables of the catalog", () => {
  test("are created once, in a database that is there, up to the limits", () => {
    const made = withTable();
    assert.deepEqual(look(made), [1, "time:time x:tag f:float", 100n]);
    assert.throws(() => withTable(made), { kind: "conflict", code: "table_exists" });
    assert.throws(() => withTable(EMPTY_CATALOG), { code: "database_not_found" });
    const full = withTable(withTable(made, "u"), "v");
    assert.throws(() => withTable(full, "w"), {
      kind: "exceeded",
      code: "table_limit",
      message: /already have 3 table\(s\) \(limit: 3\)$/,
    });
    const tags = ["a", "b", "c"].map((name): NewColumn => ({ name, kind: "tag" }));
    assert.throws(creating(tags), { code: "column_limit", message: /3 tag columns/ });
    const fields = ["a", "b", "c", "d"].map((name): NewColumn => ({ name, kind: "float" }));
    assert.throws(creating(fields), { code: "column_limit", message: /have 5 columns/ });
    creating(fields.slice(1))();
  });

  test("are extended by what they do not have", () => {
    const made = withTable();
    const extend = (...columns: NewColumn[]) => addColumns(made, NAME, columns, LIMITS);
    assert.deepEqual(extend(TAG, FIELD), []);
    const extended = applyChanges(made, extend(FIELD, { name: "y", kind: "tag" }));
    assert.deepEqual(look(extended)?.[1], "time:time x:tag f:float y:tag");
    assert.throws(() => extend({ name: "x", kind: "float" }), {
      kind: "invalid",
      code: "column_exists",
      message: "cannot add column x because it already exists with type iox::column_type::tag",
    });
    const more = ["g", "h"].map((name): NewColumn => ({ name, kind: "float" }));
    assert.throws(() => extend(...more), { code: "column_limit" });
    const missing = { ...NAME, table: "u" };
    assert.throws(() => addColumns(made, missing, [TAG], LIMITS), {
      kind: "not_found",
      code: "table_missing",
    });
  });

  test("keep their rows as long as their database does, unless they say so themselves", () => {
    const own = withTable(EMPTY_DATABASE, "t", 7n);
    assert.equal(look(own)?.[2], 7n);
    const set = after(own, (state) => setTableRetention(state, NAME, 8n));
    assert.equal(look(set)?.[2], 8n);
    assert.deepEqual(setTableRetention(set, NAME, 8n), []);
    const cleared = after(set, (state) => setTableRetention(state, NAME, undefined));
    assert.equal(look(cleared)?.[2], 100n);
  });

  test("are dropped, and their name and room are free", () => {
    const dropped = after(withTable(), (state) => dropTable(state, NAME, "table", TIMES));
    assert.equal(look(dropped), undefined);
    assert.equal(dropped.tableCount, 0);
    const database = findDatabase(dropped, "db");
    const record = database?.droppedTables.get(1 as TableId);
    assert.equal(record?.table.name, "t-20260101T000000-1");
    assert.deepEqual(record?.dropped, { atNs: TIMES.nowNs, hardDeleteAtNs: 7n });
    assert.throws(() => dropTable(dropped, NAME, "table", TIMES), { code: "table_missing" });
    assert.deepEqual(look(withTable(dropped))?.[0], 2);
  });

  test("are emptied: another one like it has the name", () => {
    const state = withTable(withTable(EMPTY_DATABASE, "t", 7n), "u");
    const one = after(state, (before) => dropTable(before, NAME, "rows", TIMES));
    assert.deepEqual(look(one), [3, "time:time x:tag f:float", 7n]);
    const all = after(state, (before) => dropTables(before, "db", "rows", TIMES));
    assert.deepEqual(look(all), [3, "time:time x:tag f:float", 7n]);
    assert.deepEqual(look(all, "u"), [4, "time:time x:tag f:float", 100n]);
    const none = after(all, (before) => dropTables(before, "db", "tables", TIMES));
    assert.deepEqual([look(none), look(none, "u"), none.tableCount], [undefined, undefined, 0]);
    assert.equal(findDatabase(none, "db")?.droppedTables.size, 4);
  });
});
