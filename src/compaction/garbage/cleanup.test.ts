import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { dropTable } from "#catalog/tables.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { Adoption } from "../office/adoption.ts";
import { publishPlan } from "../office/publish-plan.ts";
import { Audit, listPasses, readPass } from "./audit.ts";
import { Cleanup } from "./cleanup.ts";
import { DroppedTables } from "./dropped.ts";

const FOREVER = new AbortController().signal;
const WAIT_MS = 600_000;
const LIMITS = { databaseCountMax: 9 };

function partsOf(node: SmallNode) {
  const { catalog, clock, manifest, store } = node;
  const logs = () => [node.source, ...node.peers];
  const audit = new Audit({ clusterId: "cluster01", store, clock, retentionMs: 86_400_000 });
  const shared = { catalog, manifest, logs, store, clock, log: silentLog, audit };
  return {
    adoption: new Adoption(shared),
    cleanup: new Cleanup({ ...shared, waitMs: WAIT_MS }),
    erase: new DroppedTables(shared),
  };
}

/** A node in office with two adopted files. */
async function withFiles(store: ObjectStore = memoryStore()) {
  const node = await SmallNode.open({ store });
  for (const time of [1, 2]) {
    await node.write(`m f=1 ${time}`);
    await node.snapshotter.take(FOREVER);
  }
  const office = await node.manifest.takeOver();
  const parts = partsOf(node);
  await parts.adoption.step(office);
  return { node, office, ...parts };
}

function keysOf(node: SmallNode): readonly string[] {
  return [...node.manifest.state.files].map(({ file }) => file.key);
}

/** Takes files out of the manifest. */
async function replace(node: SmallNode, office: Writer, inputs: readonly string[]): Promise<void> {
  const body = { inputs: [...inputs], outputs: [] };
  await publishPlan(node, office, () => ({ kind: "replace", body }));
}

async function stored(node: SmallNode): Promise<readonly string[]> {
  return (await node.store.list("host01/data/")).map(({ key }) => key);
}

suite("files that compaction has replaced", () => {
  test("go when the wait is over, and an audit tells of them", async () => {
    const { node, office, cleanup } = await withFiles();
    await using _ = node;
    const [gone = "", stays = ""] = keysOf(node);
    await replace(node, office, [gone]);
    const { position } = node.manifest.state;
    assert.equal(await cleanup.step(office, FOREVER), false);
    await node.clock.advance(WAIT_MS - 1);
    assert.equal(await cleanup.step(office, FOREVER), false);
    assert.deepEqual((await stored(node)).toSorted(), [gone, stays].toSorted());
    await node.clock.advance(1);
    assert.equal(await cleanup.step(office, FOREVER), true);
    assert.deepEqual(await stored(node), [stays]);
    assert.deepEqual(node.manifest.state.replaced, []);
    assert.equal((await node.rows("SELECT f FROM m")).length, 1);
    const [pass] = await listPasses(node.store, "cluster01");
    const { files } = await readPass(node.store, pass?.key ?? "");
    const reason = `replaced by manifest entry ${position}`;
    assert.deepEqual(
      files.map(({ key, outcome, reason: why }) => [key, outcome, why]),
      [[gone, "deleted", reason]],
    );
    await node.clock.advance(WAIT_MS);
    assert.equal(await cleanup.step(office, FOREVER), false);
  });

  test("are not forgotten by a restart, which waits anew; one that has read along does not", async () => {
    const { node, office } = await withFiles();
    await using _ = node;
    await using standby = await SmallNode.open({ store: node.store, nodeId: "host02", seed: 2 });
    const end = new AbortController();
    const other = partsOf(standby);
    const watching = other.cleanup.watch(end.signal);
    const keys = keysOf(node);
    await replace(node, office, keys);
    await standby.manifest.refresh();
    await standby.clock.advance(WAIT_MS);
    const { cleanup: restarted } = partsOf(node);
    assert.equal(await restarted.step(office, FOREVER), false);
    assert.equal((await stored(node)).length, 2);
    const term = await standby.manifest.takeOver();
    assert.equal(await other.cleanup.step(term, FOREVER), true);
    assert.deepEqual(await stored(node), []);
    end.abort();
    await watching;
  });

  test("are tried again when the store fails in the middle, and are told of before the first goes", async () => {
    let failing = true;
    const inner = memoryStore();
    const store = storeWith(inner, {
      delete: async (key) => {
        if (failing && key.includes("/data/"))
          throw new DbError("unavailable", "store_unreachable", "no answer");
        await inner.delete(key);
      },
    });
    const { node, office, cleanup } = await withFiles(store);
    await using _ = node;
    await replace(node, office, keysOf(node));
    await cleanup.step(office, FOREVER);
    await node.clock.advance(WAIT_MS);
    await assert.rejects(cleanup.step(office, FOREVER), { code: "store_unreachable" });
    assert.equal((await listPasses(store, "cluster01")).length, 1);
    assert.equal(node.manifest.state.replaced.length, 1);
    failing = false;
    assert.equal(await cleanup.step(office, FOREVER), true);
    assert.deepEqual(await stored(node), []);
    assert.deepEqual(node.manifest.state.replaced, []);
  });

  test("whose name a log still holds above what is adopted stay", async () => {
    const { node, office, cleanup, adoption } = await withFiles();
    await using _ = node;
    const [key = ""] = keysOf(node);
    // What no sound history holds: a replaced name that a log is about to bring again.
    const [snapshot] = node.writer.state.snapshots;
    await replace(node, office, keysOf(node));
    await cleanup.step(office, FOREVER);
    await node.write("m f=1 3");
    const through = node.writer.state.position;
    const record = { through, stamp: node.writer.state.lastStamp, files: snapshot?.files ?? [] };
    await node.writer.appendSnapshot(record, { catalog: 0, manifest: 0 });
    await node.clock.advance(WAIT_MS);
    await cleanup.step(office, FOREVER);
    assert.deepEqual(await stored(node), [key]);
    await adoption.step(office);
    assert.deepEqual(keysOf(node), [key]);
  });

  test("are left by a term that is over", async () => {
    const { node, office, cleanup } = await withFiles();
    await using _ = node;
    await using other = await SmallNode.open({ store: node.store, nodeId: "host02", seed: 2 });
    await replace(node, office, keysOf(node));
    await cleanup.step(office, FOREVER);
    await other.manifest.takeOver();
    await node.clock.advance(WAIT_MS);
    await assert.rejects(cleanup.step(office, FOREVER), { code: "node_fenced" });
    assert.equal((await stored(node)).length, 2);
  });
});

suite("files of dropped databases", () => {
  test("leave the manifest at their time, and then the store", async () => {
    const { node, office, cleanup, erase } = await withFiles();
    await using _ = node;
    await node.catalog.createDatabase("kept", undefined, LIMITS);
    await node.write("m f=1 1", { database: "kept" });
    await node.snapshotter.take(FOREVER);
    await partsOf(node).adoption.step(office);
    const nowNs = node.clock.nowNs();
    const hardDeleteAtNs = nowNs + 5_000_000_000n;
    await node.catalog.dropDatabase("db", { nowNs, hardDeleteAtNs });
    assert.equal(await erase.step(office), false);
    await node.clock.advance(5_000);
    assert.equal(await erase.step(office), true);
    assert.equal(keysOf(node).length, 1);
    assert.ok(node.manifest.state.needs.catalog >= node.catalog.state.position);
    assert.equal(await erase.step(office), false);
    await cleanup.step(office, FOREVER);
    await node.clock.advance(WAIT_MS);
    await cleanup.step(office, FOREVER);
    assert.deepEqual(await stored(node), keysOf(node));
    assert.equal((await node.rows("SELECT f FROM m", { database: "kept" })).length, 1);
  });

  test("those of a dropped table go alone, at their time", async () => {
    const { node, office, erase } = await withFiles();
    await using _ = node;
    await node.write("other f=1 1");
    await node.snapshotter.take(FOREVER);
    await partsOf(node).adoption.step(office);
    const nowNs = node.clock.nowNs();
    const name = { database: "db", table: "m" };
    await node.catalog.change((state) =>
      dropTable(state, name, "table", { nowNs, hardDeleteAtNs: nowNs + 1_000_000n }),
    );
    assert.equal(await erase.step(office), false);
    await node.clock.advance(1);
    assert.equal(await erase.step(office), true);
    assert.equal(keysOf(node).length, 1);
    assert.equal((await node.rows("SELECT f FROM other")).length, 1);
  });

  test("stay for ever when the drop says so", async () => {
    const { node, office, erase } = await withFiles();
    await using _ = node;
    const nowNs = node.clock.nowNs();
    await node.catalog.dropDatabase("db", { nowNs, hardDeleteAtNs: undefined });
    await node.clock.advance(1e12);
    assert.equal(await erase.step(office), false);
  });

  test("of more files than the manifest remembers, some wait to be taken out of it", async () => {
    const { erase, node, office } = await withFiles();
    await using _ = node;
    const [first] = [...node.manifest.state.files];
    assert.ok(first);
    const { key } = first.file;
    const outputs = Array.from({ length: 101_000 }, (_unused, i) => ({
      ...first.file,
      key: `${key}${i}`,
    }));
    await publishPlan(node, office, () => ({ kind: "replace", body: { inputs: [], outputs } }));
    await node.catalog.dropDatabase("db", { nowNs: 1n, hardDeleteAtNs: 2n });
    await node.clock.advance(1);
    while (await erase.step(office));
    const { replaced } = node.manifest.state;
    const count = replaced.reduce((sum, { keys }) => sum + keys.length, 0);
    assert.equal(count + keysOf(node).length, 101_002);
  });
});
