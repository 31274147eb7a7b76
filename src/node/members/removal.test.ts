import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { findNode } from "#catalog/catalog-state.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { SmallNode } from "#testing/small-node.ts";
import { nodeOptions, readRows } from "#testing/started-node.ts";
import { Node } from "../node.ts";
import { Removals } from "./removal.ts";

const ORPHAN = "host01/data/1/1/x/1-0123456789abcdef.parquet";

/** A node whose rows are in files that the manifest does not have, and one in office that removes it, and does nothing else there. */
async function removing({ inOffice } = { inOffice: true }) {
  const store = memoryStore();
  const gone = await SmallNode.open({ store });
  await gone.write("m f=1 1");
  await gone.snapshotter.take(new AbortController().signal);
  await gone.write("m f=2 2");
  await gone.catalog.setNodeState("stopped", 1n);
  await store.put(ORPHAN, Uint8Array.of(1));
  const options = nodeOptions(store, 2, { config: { nodeId: "host02", modes: ["query"] } });
  const node = await Node.start(options);
  const { catalog, engine, manifest } = node;
  const office = await (inOffice ? manifest : gone.manifest).takeOver();
  await manifest.refresh();
  const removals = new Removals({ ...options, catalog, engine, manifest });
  await catalog.transact(() => [
    { kind: "set_node_state", number: gone.node, state: "removing", updatedAtNs: 2n },
  ]);
  const end = new AbortController();
  const running = removals.run(end.signal);
  return {
    store,
    gone,
    node,
    office,
    clock: options.clock,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      const stopping = node.stop(10_000);
      await options.clock.advance(20_000);
      await stopping;
      await gone[Symbol.asyncDispose]();
    },
  };
}

suite("the removal of a node", () => {
  test("waits until the manifest has every row, and whoever reads of it reads that manifest", async () => {
    await using running = await removing();
    const { clock, gone, node, office, store } = running;
    const rows = () => readRows(node, "SELECT f FROM m ORDER BY f");
    await clock.advance(5_000);
    assert.equal(findNode(node.catalog.state, "host01")?.state, "removing");
    assert.deepEqual(await rows(), [[1], [2]]);
    await using reader = await SmallNode.open({ store, nodeId: "host03", seed: 3 });
    const follower = reader.follow(gone);
    await follower.load();
    assert.equal(follower.state.snapshots.length, 2, "the rest of the rows is in files as well");
    for (const [index, snapshot] of follower.state.snapshots.entries()) {
      assert.ok(findNode(node.catalog.state, "host01"), `before snapshot ${index} is adopted`);
      const body = { ...snapshot, node: gone.node, files: [...snapshot.files] };
      const needs = { catalog: node.catalog.state.position, manifest: 0 };
      await node.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
      await clock.advance(3_000);
    }
    const { needs, nodes } = node.catalog.state;
    assert.deepEqual([...nodes.keys()], [node.catalog.writer.node, reader.node]);
    assert.equal(needs.manifest, node.manifest.state.position);
    assert.deepEqual(await rows(), [[1], [2]]);
    const keys = (await store.list("host01/")).map(({ key }) => key);
    assert.ok(!keys.includes(ORPHAN), "files that nobody names are gone");
    assert.equal(keys.filter((key) => key.endsWith(".parquet")).length, 2);
    await assert.rejects(gone.writer.lookAhead(), { code: "node_fenced" });
  });

  test("is nothing for who is not in office", async () => {
    await using running = await removing({ inOffice: false });
    const { clock, node } = running;
    await clock.advance(5_000);
    assert.equal(findNode(node.catalog.state, "host01")?.epoch, 1, "nobody has closed its log");
  });
});
