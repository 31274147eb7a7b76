import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { adoptedOf } from "#manifest/manifest-state.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode, type SmallNodeOptions } from "#testing/small-node.ts";
import { Adoption } from "./adoption.ts";

const FOREVER = new AbortController().signal;

function adoptionOf(node: SmallNode): Adoption {
  const { catalog, manifest } = node;
  return new Adoption({ catalog, manifest, logs: () => [node.source, ...node.peers] });
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
    const adoption = adoptionOf(node);
    const term = await node.manifest.takeOver();
    const { position } = node.manifest.state;
    assert.equal(await adoption.step(term), true);
    assert.equal(node.manifest.state.position, position + 1);
    const [, last] = node.writer.state.snapshots;
    const { through, stamp } = last ?? {};
    assert.deepEqual(adoptedOf(node.manifest.state, node.node), { position: through, stamp });
    assert.equal([...node.manifest.state.files].length, 2);
    assert.equal((await node.rows("SELECT f FROM m")).length, 2);
    assert.equal(await adoption.step(term), false);
    assert.equal(node.manifest.state.position, position + 1, "nothing new makes no entry");
    await node.write("m f=1 3");
    await node.snapshotter.take(FOREVER);
    await adoption.step(term);
    assert.equal([...node.manifest.state.files].length, 3);
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
    await adoptionOf(node).step(await node.manifest.takeOver());
    assert.ok(node.manifest.state.needs.catalog >= other.catalog.state.position);
    assert.equal(adoptedOf(node.manifest.state, other.node).position, follower.state.snapshotted);
    assert.equal((await node.rows("SELECT * FROM m")).length, 3);
  });

  test("a plan that knew too little of the catalog is made again", async () => {
    const store = memoryStore();
    await using node = await withSnapshots({ store });
    await using other = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    const term = await node.manifest.takeOver();
    await other.catalog.createDatabase("later", undefined, { databaseCountMax: 9 });
    await other.manifest.raiseBarrier(other.catalog.state.position);
    await adoptionOf(node).step(term);
    assert.equal([...node.manifest.state.files].length, 2);
    assert.equal(node.catalog.state.position, other.catalog.state.position);
  });

  test("asks nothing of the store while there is nothing new", async () => {
    let askedCount = 0;
    const inner = memoryStore();
    const get = async (key: string) => {
      askedCount += 1;
      return inner.get(key);
    };
    await using node = await withSnapshots({ store: storeWith(inner, { get }) });
    const adoption = adoptionOf(node);
    const term = await node.manifest.takeOver();
    await adoption.step(term);
    askedCount = 0;
    for (let round = 0; round < 10; round++) await adoption.step(term);
    assert.equal(askedCount, 0);
  });
});
