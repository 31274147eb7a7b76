import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import { SmallNode } from "#testing/small-node.ts";
import { deleteOrphans } from "./orphans.ts";

const FOREVER = new AbortController().signal;
const PREFIX = "host01/data/";
const NONCE = "0123456789abcdef";

function deleteOrphansOf(node: SmallNode): Promise<number> {
  const { manifest, store, writer } = node;
  return deleteOrphans({ prefix: PREFIX, manifest, writer, store, log: node.ports.log });
}

async function keys(node: SmallNode): Promise<readonly string[]> {
  return (await node.store.list("")).map(({ key }) => key).filter((key) => key.includes("/data/"));
}

suite("files that no record names", () => {
  test("of earlier epochs go; those of records, of this epoch, of others and foreign ones stay", async () => {
    const store = memoryStore();
    const first = await SmallNode.open({ store });
    await first.write("m f=1 1");
    await first.snapshotter.take(FOREVER);
    await first.write("m f=1 2");
    await first.snapshotter.take(FOREVER);
    const office = await first.manifest.takeOver();
    const [snapshot] = first.writer.state.snapshots;
    assert.ok(snapshot);
    const body = { node: first.node, ...snapshot, files: [...snapshot.files] };
    const needs = { catalog: first.catalog.state.position, manifest: 0 };
    await first.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
    await first.writer.checkpoint(first.adopted());
    await first[Symbol.asyncDispose]();
    const named = await keys(first);
    assert.equal(named.length, 2);
    const orphans = [`${PREFIX}1/1/x/1-${NONCE}.parquet`, `${PREFIX}9/9/x/1-${NONCE}.parquet`];
    const others = [
      `${PREFIX}1/1/x/2-${NONCE}.parquet`,
      `${PREFIX}1/1/x/3-${NONCE}.parquet`,
      `${PREFIX}1/1/x/1-${NONCE}.txt`,
      `${PREFIX}notes.txt`,
      `host011/data/1/1/x/1-${NONCE}.parquet`,
    ];
    for (const key of [...orphans, ...others]) await store.put(key, Uint8Array.of(1));
    await using second = await SmallNode.open({ store, seed: 2 });
    assert.equal(second.catalog.writer.epoch, 2);
    assert.equal(await deleteOrphansOf(second), 2);
    assert.deepEqual(new Set(await keys(second)), new Set([...named, ...others]));
    assert.equal(await deleteOrphansOf(second), 0);
    assert.equal((await second.rows("SELECT f FROM m")).length, 2);
  });

  test("those that compaction has replaced are left to it", async () => {
    const store = memoryStore();
    const first = await SmallNode.open({ store });
    await first.write("m f=1 1");
    await first.snapshotter.take(FOREVER);
    const [snapshot] = first.writer.state.snapshots;
    assert.ok(snapshot);
    const office = await first.manifest.takeOver();
    const body = { node: first.node, ...snapshot, files: [...snapshot.files] };
    const needs = { catalog: first.catalog.state.position, manifest: 0 };
    await first.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
    const inputs = snapshot.files.map(({ key }) => key);
    const replace = { inputs, outputs: [] };
    await first.manifest.publish(office, () => ({ kind: "replace", body: replace, needs }));
    await first.writer.checkpoint(first.adopted());
    await first[Symbol.asyncDispose]();
    await using second = await SmallNode.open({ store, seed: 2 });
    assert.equal(await deleteOrphansOf(second), 0);
    assert.deepEqual(await keys(second), inputs);
  });

  test("an adoption that this process has not read of yet counts", async () => {
    const store = memoryStore();
    const first = await SmallNode.open({ store });
    await first.write("m f=1 1");
    await first.snapshotter.take(FOREVER);
    const [snapshot] = first.writer.state.snapshots;
    assert.ok(snapshot);
    await using second = await SmallNode.open({ store, seed: 2 });
    const office = await first.manifest.takeOver();
    const body = { node: first.node, ...snapshot, files: [...snapshot.files] };
    const needs = { catalog: first.catalog.state.position, manifest: 0 };
    await first.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
    await second.writer.checkpoint({ position: snapshot.through, manifest: 0 });
    assert.equal(second.writer.state.snapshots.length, 0);
    assert.equal(await deleteOrphansOf(second), 0);
    await first[Symbol.asyncDispose]();
  });
});
