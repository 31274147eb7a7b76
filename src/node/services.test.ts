import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Access } from "#access/access.ts";
import { TOKEN_SECRET_SIZE } from "#access/token-text.ts";
import { Tokens } from "#access/tokens.ts";
import { findDatabase, findTable, retentionOf } from "#catalog/catalog-state.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { nodeOptions, readRows, writeLines } from "#testing/started-node.ts";
import { Metrics } from "./metrics.ts";
import { Node } from "./node.ts";
import { nodeServices, recoveryServices } from "./services.ts";

/** That a clock begins with which nobody moves. */
const NOW_NS = 1_767_225_600_000_000_000n;
const IDENTITY = {
  nodeId: "host01",
  clusterId: "cluster01",
  processId: "p",
  clusterUuid: undefined,
  version: "1",
};

async function serving() {
  const options = nodeOptions(memoryStore(), 1);
  const node = await Node.start(options);
  const metrics = new Metrics();
  metrics.show(node);
  const { catalog } = node;
  const { clock } = options;
  const signal = new AbortController().signal;
  const services = nodeServices(node, {
    config: options.config,
    access: new Access({ catalog, clock, signal }),
    tokens: new Tokens({ catalog, clock, makeSecret: () => new Uint8Array(TOKEN_SECRET_SIZE) }),
    metrics,
    identity: () => IDENTITY,
    clock,
    logPorts: options.ports,
  });
  return { node, services, metrics, [Symbol.asyncDispose]: () => node.stop(1_000) };
}

const NEW = { retentionNs: undefined, schemaMode: "implicit" } as const;

suite("what HTTP calls", () => {
  test("databases are made, listed with the cluster's own, dropped and shown as dropped", async () => {
    await using running = await serving();
    const { services } = running;
    await services.createDatabase({ ...NEW, name: "a", retentionNs: 5n });
    await services.createDatabase({ ...NEW, name: "b" });
    await assert.rejects(services.createDatabase({ ...NEW, name: "a" }), {
      kind: "conflict",
      code: "database_exists",
    });
    await services.deleteDatabase({ name: "a", hardDelete: "default", scope: "database" });
    await assert.rejects(
      services.deleteDatabase({ name: "a", hardDelete: "default", scope: "database" }),
      {
        code: "database_not_found",
      },
    );
    const names = async (showDeleted: boolean) =>
      (await services.listDatabases({ showDeleted })).map(({ name, deleted }) => [name, deleted]);
    assert.deepEqual(await names(false), [
      ["_internal", false],
      ["b", false],
    ]);
    assert.deepEqual(await names(true), [
      ["_internal", false],
      ["a-20260101T000000-1", true],
      ["b", false],
    ]);
  });

  test("a retention period is changed, taken away, and none of a database that is not there", async () => {
    await using running = await serving();
    const { node, services } = running;
    const kept = () => findDatabase(node.catalog.state, "a")?.retentionNs;
    await services.createDatabase({ ...NEW, name: "a" });
    await services.updateDatabase({ name: "a", retentionNs: 7n });
    assert.equal(kept(), 7n);
    await services.updateDatabase({ name: "a", retentionNs: undefined });
    assert.equal(kept(), undefined);
    await assert.rejects(services.updateDatabase({ name: "b", retentionNs: 7n }), {
      kind: "not_found",
      code: "database_not_found",
    });
  });

  test("how many queries run at once is shown and changed", async () => {
    await using running = await serving();
    const { services } = running;
    assert.deepEqual(services.queryConcurrency(), { limit: 4, limitMax: 4 });
    services.limitQueryConcurrency(2);
    assert.deepEqual(services.queryConcurrency(), { limit: 2, limitMax: 4 });
    assert.throws(() => services.limitQueryConcurrency(5), { code: "query_limit_range" });
    services.limitQueryConcurrency(undefined);
    assert.deepEqual(services.queryConcurrency(), { limit: 4, limitMax: 4 });
  });

  test("a dropped database's files go when it was said, after ninety days, or never", async () => {
    await using running = await serving();
    const { node, services } = running;
    const times = ["default", "now", "never", { atNs: 77n }] as const;
    for (const hardDelete of times) {
      await services.createDatabase({ ...NEW, name: "a" });
      await services.deleteDatabase({ name: "a", hardDelete, scope: "database" });
    }
    assert.deepEqual(
      [...node.catalog.state.databases.values()].map(({ dropped }) => dropped?.hardDeleteAtNs),
      [NOW_NS + 90n * 86_400_000_000_000n, NOW_NS, undefined, 77n],
    );
  });

  test("tables are made, extended, given a retention period and dropped", async () => {
    await using running = await serving();
    const { node, services } = running;
    const table = { database: "a", table: "t" };
    const columns = [{ name: "x", kind: "tag" }] as const;
    const made = { ...table, columns, retentionNs: undefined };
    await assert.rejects(services.createTable(made), { code: "database_not_found" });
    await services.createDatabase({ ...NEW, name: "a" });
    await services.createTable(made);
    await assert.rejects(services.createTable(made), { kind: "conflict", code: "table_exists" });
    await services.extendTable({ ...table, columns: [{ name: "f", kind: "float" }] });
    await services.updateTable({ ...table, retentionNs: 7n });
    const found = () => {
      const database = findDatabase(node.catalog.state, "a");
      const schema = database && findTable(database, "t");
      if (database === undefined || schema === undefined) return undefined;
      return [schema.columns.map(({ name }) => name), retentionOf(database, schema.id)];
    };
    assert.deepEqual(found(), [["time", "x", "f"], 7n]);
    await services.deleteTable({ ...table, hardDelete: "now", scope: "rows" });
    assert.deepEqual(found(), [["time", "x", "f"], 7n]);
    await services.deleteDatabase({ name: "a", hardDelete: "now", scope: "tables" });
    assert.equal(found(), undefined);
    await assert.rejects(services.deleteTable({ ...table, hardDelete: "now", scope: "table" }), {
      kind: "not_found",
      code: "table_missing",
    });
    await assert.rejects(services.createTable({ ...made, database: "_internal" }), {
      code: "database_internal",
    });
  });

  test("tokens are made, known, shown without their texts, and deleted", async () => {
    await using running = await serving();
    const { node, services } = running;
    const signal = new AbortController().signal;
    const { text } = await services.createOperatorToken();
    const operator = await services.authenticate({ kind: "token", token: text }, signal);
    assert.ok(operator.kind === "admin");
    await assert.rejects(services.deleteToken("none", operator), { code: "token_not_found" });
    const columns = "token_id, name, expiry, permissions, created_by_token_id, hash";
    const rows = await readRows(node, `SELECT ${columns} FROM system.tokens`, {
      database: "_internal",
    });
    const [row = []] = rows;
    assert.deepEqual(row.slice(0, -1), [0n, "_admin", null, "*:*:*", null]);
    const hash = row.at(-1);
    assert.ok(typeof hash === "string" && /^[0-9a-f]{128}$/.test(hash));
  });

  test("where the operator's token was lost it is replaced once, however many ask at once", async () => {
    await using running = await serving();
    const { services } = running;
    await services.createOperatorToken();
    let usedCount = 0;
    const recovery = recoveryServices(services, () => {
      usedCount += 1;
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => recovery.recoverOperatorToken()));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected"],
    );
    assert.equal(usedCount, 1);
    await assert.rejects(recovery.recoverOperatorToken(), { kind: "denied", code: "forbidden" });
  });

  test("metrics tell what the node has and does", async () => {
    await using running = await serving();
    const { metrics, node, services } = running;
    await writeLines(node, "m f=1 1\nm f=2 2");
    metrics.observeStore("get", "ok", 5, 100);
    const text = await services.metrics();
    for (const line of [
      "tidelake_unsaved_rows 2",
      'tidelake_memory_bytes{part="writes"} 0',
      `tidelake_memory_max_bytes{part="writes"} ${64 * 2 ** 20}`,
      `tidelake_memory_max_bytes{part="own_rows"} ${2 ** 31}`,
      'tidelake_memory_bytes{part="peer_rows"} 0',
      `tidelake_memory_max_bytes{part="peer_rows"} ${2 ** 30}`,
      `tidelake_memory_max_bytes{part="engine"} ${3 * 2 ** 30}`,
      "tidelake_write_queue_bytes 0",
      "tidelake_log_position 2",
      "tidelake_snapshots_total 0",
      "tidelake_snapshots_seconds_total 0",
      "tidelake_pushes_sent_total 0",
      "tidelake_pushes_failed_total 0",
      "tidelake_pushes_merged_total 0",
      'object_store_transfer_bytes_total{op="get"} 100',
    ])
      assert.ok(text.split("\n").includes(line), line);
  });
});
