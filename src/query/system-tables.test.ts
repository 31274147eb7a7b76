import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { dropTable } from "#catalog/tables.ts";
import { OPERATOR_TOKEN_ID } from "#catalog/tokens.ts";
import { neverAborted } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { DATABASE_TABLE_NAMES } from "./database-tables.ts";
import { findSystemTable } from "./system-tables.ts";

const NOBODY = () => undefined;

suite("tables that a node knows by itself", () => {
  test("nodes, databases and tables of the cluster, dropped ones marked", async () => {
    await using node = await SmallNode.open();
    await node.catalog.createDatabase("kept", 3_600n, { databaseCountMax: 9 });
    await node.write("home,room=a,floor=1 t=1 1");
    await node.write("gone f=1 1", { database: "old" });
    await node.write("shed f=1 1");
    const nowNs = node.clock.nowNs();
    const shed = { database: "db", table: "shed" };
    await node.catalog.change((state) =>
      dropTable(state, shed, "table", { nowNs, hardDeleteAtNs: 78n }),
    );
    await node.catalog.dropDatabase("old", { nowNs: node.clock.nowNs(), hardDeleteAtNs: 77n });
    const inside = { database: "_internal" };
    const [host, ...others] = await node.rows("SELECT * FROM system.nodes", inside);
    assert.deepEqual(others, []);
    assert.deepEqual(host, {
      node_id: "host01",
      node_catalog_id: 1n,
      instance_id: "host01",
      mode: "ingest,query,compact",
      core_count: 1n,
      state: "running",
      updated_at: node.clock.nowNs(),
      cli_params: null,
      last_seen: null,
      epoch: 1n,
    });
    const dropped = "old-20260101T000000-3";
    assert.deepEqual(await node.rows("SELECT * FROM system.databases", inside), [
      {
        database_name: "kept",
        retention_period_ns: 3_600n,
        deleted: false,
        hard_deletion_time: null,
      },
      { database_name: "db", retention_period_ns: null, deleted: false, hard_deletion_time: null },
      { database_name: dropped, retention_period_ns: null, deleted: true, hard_deletion_time: 77n },
    ]);
    const caches = { last_cache_count: 0n, distinct_cache_count: 0n };
    const kept = { ...caches, deleted: false, hard_deletion_time: null };
    const late = { ...caches, deleted: true };
    assert.deepEqual(await node.rows("SELECT * FROM system.tables", inside), [
      {
        database_name: "db",
        table_name: "home",
        column_count: 4n,
        series_key_columns: "room, floor",
        ...kept,
      },
      {
        database_name: "db",
        table_name: "shed-20260101T000000-3",
        column_count: 2n,
        series_key_columns: "",
        ...late,
        hard_deletion_time: 78n,
      },
      {
        database_name: dropped,
        table_name: "gone",
        column_count: 2n,
        series_key_columns: "",
        ...late,
        hard_deletion_time: 77n,
      },
    ]);
  });

  test("the columns and files of one database, and none of the parts that are not built", async () => {
    await using node = await SmallNode.open();
    await node.write("home,room=a t=1,n=2i 1\nhome,room=b t=1 5");
    await node.write("other f=1 1", { database: "old" });
    assert.deepEqual(await node.rows("SELECT * FROM system.influxdb_schema"), [
      { measurement: "home", key: "time", data_type: "time" },
      { measurement: "home", key: "room", data_type: "tag" },
      { measurement: "home", key: "t", data_type: "float" },
      { measurement: "home", key: "n", data_type: "integer" },
    ]);
    assert.deepEqual(await node.rows("SELECT * FROM system.parquet_files"), []);
    await node.snapshotter.take(neverAborted());
    const [file, ...others] = await node.rows("SELECT * FROM system.parquet_files");
    assert.deepEqual(others, []);
    const { path, size_bytes: size, ...rest } = file ?? {};
    assert.ok(typeof path === "string");
    assert.match(path, /^host01\/data\/.*\.parquet$/);
    assert.ok(Number(size) > 0);
    assert.deepEqual(rest, { table_name: "home", row_count: 2n, min_time: 1n, max_time: 5n });
    for (const name of DATABASE_TABLE_NAMES.filter((table) => /cache|engine/.test(table))) {
      assert.deepEqual(await node.rows(`SELECT * FROM system.${name}`), []);
    }
    await assert.rejects(node.rows("SELECT * FROM system.constructor"), {
      code: "table_not_found",
    });
  });

  test("every row has a cell for every field, and other names are nobody's", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1");
    const made = { name: "_admin", hash: "h", grant: { kind: "admin" }, createdAtNs: 5n } as const;
    await node.catalog.transact(() => [
      { kind: "create_token", token: { id: OPERATOR_TOKEN_ID, ...made } },
    ]);
    for (const name of ["nodes", "databases", "tables", "tokens"]) {
      const table = findSystemTable(node.catalog.state, name, NOBODY);
      assert.ok(table !== undefined && table.rows.length > 0);
      for (const row of table.rows) assert.equal(row.length, table.fields.length);
    }
    assert.equal(findSystemTable(node.catalog.state, "Nodes", NOBODY), undefined);
    assert.equal(findSystemTable(node.catalog.state, "constructor", NOBODY), undefined);
  });
});
