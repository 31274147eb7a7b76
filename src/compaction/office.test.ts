import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode, type SmallNodeOptions } from "#testing/small-node.ts";
import { CompactorOffice } from "./office.ts";

const FOREVER = new AbortController().signal;

function officeOf(node: SmallNode, warnings: string[] = []): CompactorOffice {
  const { catalog, clock, manifest } = node;
  return new CompactorOffice({
    catalog,
    manifest,
    logs: () => [node.source, ...node.peers],
    clock,
    log: { ...node.ports.log, warn: (message) => warnings.push(message) },
    checkIntervalMs: 500,
  });
}

/** A node whose rows are in two snapshots. */
async function withSnapshots(some: Partial<SmallNodeOptions> = {}): Promise<SmallNode> {
  const node = await SmallNode.open(some);
  for (const time of [1, 2]) {
    await node.write(`m f=1 ${time}`);
    await node.snapshotter.take(FOREVER);
  }
  return node;
}

suite("adopting snapshots", () => {
  test("takes all of a log that is there in one entry, and answers stay", async () => {
    await using node = await withSnapshots();
    const office = officeOf(node);
    const term = await node.manifest.takeOver();
    const { position } = node.manifest.state;
    await office.adoptSnapshots(term);
    assert.equal(node.manifest.state.position, position + 1);
    const [, last] = node.writer.state.snapshots;
    const { through, stamp } = last ?? {};
    assert.deepEqual(adoptedOf(node.manifest.state, node.node), { position: through, stamp });
    assert.equal([...node.manifest.state.files.values()].flat().length, 2);
    assert.equal((await node.rows("SELECT f FROM m")).length, 2);
    await office.adoptSnapshots(term);
    assert.equal(node.manifest.state.position, position + 1, "nothing new makes no entry");
    await node.write("m f=1 3");
    await node.snapshotter.take(FOREVER);
    await office.adoptSnapshots(term);
    assert.equal([...node.manifest.state.files.values()].flat().length, 3);
    assert.equal((await node.rows("SELECT f FROM m")).length, 3);
  });

  test("takes logs of others as well, and reads on in the catalog first", async () => {
    const store = memoryStore();
    await using node = await SmallNode.open({ store });
    await using other = await withSnapshots({ store, nodeId: "host02", seed: 2 });
    await node.catalog.refresh();
    const follower = node.follow(other);
    await follower.load();
    await other.write("m late=1 3");
    await other.snapshotter.take(FOREVER);
    await follower.poll();
    await officeOf(node).adoptSnapshots(await node.manifest.takeOver());
    assert.ok(node.manifest.state.needs.catalog >= other.catalog.state.position);
    assert.equal(adoptedOf(node.manifest.state, other.node).position, follower.state.snapshotted);
    assert.equal((await node.rows("SELECT * FROM m")).length, 3);
  });
});

suite("the compactor's office", () => {
  test("adopts what comes, until the signal", async () => {
    await using node = await withSnapshots();
    const end = new AbortController();
    const running = officeOf(node).run(end.signal);
    await settle();
    assert.equal([...node.manifest.state.files.values()].flat().length, 2);
    await node.write("m f=1 3");
    await node.snapshotter.take(FOREVER);
    await node.clock.advance(500);
    assert.equal([...node.manifest.state.files.values()].flat().length, 3);
    end.abort();
    await running;
    assert.equal(node.clock.sleeperCount, 0);
  });

  test("is left to another node that takes over, and taken again when that one has stopped", async () => {
    const store = memoryStore();
    await using node = await withSnapshots({ store });
    await using other = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await other.follow(node).load();
    const warnings: string[] = [];
    const end = new AbortController();
    const first = officeOf(node, warnings).run(end.signal);
    await settle();
    const otherEnd = new AbortController();
    const second = officeOf(other).run(otherEnd.signal);
    await settle();
    for (let round = 0; round < 3; round++) await node.clock.advance(500);
    assert.deepEqual(warnings, ["another node has taken over compaction"]);
    assert.equal(other.manifest.state.office.epoch, 2);
    assert.equal([...other.manifest.state.files.values()].flat().length, 2);
    otherEnd.abort();
    await second;
    await other.catalog.setNodeState("stopped", 1n);
    await node.catalog.refresh();
    await node.clock.advance(500);
    assert.equal(node.manifest.state.office.epoch, 3);
    end.abort();
    await first;
  });

  test("a plan that knew too little of the catalog is made again", async () => {
    const store = memoryStore();
    await using node = await withSnapshots({ store });
    await using other = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    const term = await node.manifest.takeOver();
    await other.catalog.createDatabase("later", undefined, { databaseCountMax: 9 });
    await other.manifest.raiseBarrier(other.catalog.state.position);
    await officeOf(node).adoptSnapshots(term);
    assert.equal([...node.manifest.state.files.values()].flat().length, 2);
    assert.equal(node.catalog.state.position, other.catalog.state.position);
  });

  test("a store that fails for a while is asked again", async () => {
    const inner = memoryStore();
    let broken = false;
    const store = storeWith(inner, {
      get: async (key) => {
        if (broken && key.startsWith("cluster01/manifest/"))
          throw new DbError("unavailable", "store_unreachable", "no answer");
        return inner.get(key);
      },
    });
    await using node = await withSnapshots({ store });
    broken = true;
    const end = new AbortController();
    const warnings: string[] = [];
    const running = officeOf(node, warnings).run(end.signal);
    await node.clock.advance(1_200);
    assert.ok(warnings.length >= 2);
    broken = false;
    await node.clock.advance(500);
    assert.equal([...node.manifest.state.files.values()].flat().length, 2);
    end.abort();
    await running;
  });
});
