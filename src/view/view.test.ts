import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { adoptedOf } from "#manifest/manifest-state.ts";
import type { DataFile } from "#model/data-file.ts";
import type { TableId } from "#model/ids.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { settle } from "#testing/hand-clock.ts";
import { SmallNode } from "#testing/small-node.ts";

const FOREVER = new AbortController().signal;
const TABLE = 1 as TableId;

/** Takes the snapshots of `node` into the manifest. */
async function adopt(node: SmallNode): Promise<void> {
  const office = await node.manifest.takeOver();
  await node.manifest.publish(office, (state) => {
    const { position } = adoptedOf(state, node.node);
    const all = node.writer.state.snapshots;
    const snapshots = all.filter(({ through }) => through > position);
    const last = snapshots.at(-1);
    assert.ok(last);
    const files = snapshots.flatMap((snapshot) => snapshot.files as DataFile[]);
    const body = { node: node.node, through: last.through, stamp: last.stamp, files };
    return { kind: "adopt", body, needs: { catalog: node.catalog.state.position, manifest: 0 } };
  });
}

/** What `view` names of table 1: rows of files, and bounds of buffers. */
async function namesOf(node: SmallNode) {
  using view = await node.views.acquire([], FOREVER);
  return {
    files: view
      .files(TABLE, ALL_TIME)
      .map(({ file, stampAbove }) => [file.rowCount, stampAbove > 0n]),
    buffers: view
      .buffers(TABLE)
      .map(({ source }) => [source.generation, source.positionAbove, source.positionMax]),
    position: view.positionOf(node.node),
  };
}

suite("a view", () => {
  test("holds the buffer alone, then snapshots, then the manifest's files: each row in one of them", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    // The fence is entry 1.
    assert.deepEqual(await namesOf(node), { files: [], buffers: [[1, 0, 2]], position: 2 });
    await node.snapshotter.take(FOREVER);
    assert.deepEqual(await namesOf(node), { files: [[1, false]], buffers: [], position: 3 });
    await node.write("m f=2 2\nm f=3 3");
    const both = { files: [[1, false]], buffers: [[2, 2, 4]], position: 4 };
    assert.deepEqual(await namesOf(node), both);
    await adopt(node);
    assert.deepEqual(await namesOf(node), both);
    await node.snapshotter.take(FOREVER);
    // Of files of later snapshots only the rows above what is adopted count.
    const later = {
      files: [
        [1, false],
        [2, true],
      ],
      buffers: [],
      position: 5,
    };
    assert.deepEqual(await namesOf(node), later);
    await adopt(node);
    assert.deepEqual(await namesOf(node), later);
  });

  test("is a value: what comes after it is not in it", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    using view = await node.views.acquire([], FOREVER);
    await node.write("m f=2 2\nn f=1 1");
    await node.snapshotter.take(FOREVER);
    assert.deepEqual(view.files(TABLE, ALL_TIME), []);
    assert.deepEqual(
      view.buffers(TABLE).map(({ source }) => source.positionMax),
      [2],
    );
    assert.equal(view.catalog.tableCount, 1);
    assert.equal(view.positionOf(node.node), 2);
  });

  test("keeps what it names in the buffer until the last one that names it is released", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const own = node.buffer.of(node.node);
    const first = await node.views.acquire([], FOREVER);
    const second = await node.views.acquire([], FOREVER);
    await node.snapshotter.take(FOREVER);
    const kept = () => own.sizeBytes > own.unsavedSizeBytes;
    assert.ok(kept());
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await settle();
    assert.ok(kept(), "releasing twice counts once");
    second[Symbol.dispose]();
    await settle();
    assert.ok(!kept());
  });

  test("a table whose rows of a generation are all in files is not read there", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const through = node.writer.state.position;
    await node.write("n f=1 1");
    const office = await node.manifest.takeOver();
    const body = { node: node.node, through, stamp: 1n, files: [] };
    const needs = { catalog: node.catalog.state.position, manifest: 0 };
    await node.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
    using view = await node.views.acquire([], FOREVER);
    assert.deepEqual(view.buffers(TABLE), []);
    assert.equal(view.buffers(2 as TableId).length, 1);
  });

  test("a table that only other generations hold is not read there", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    node.buffer.of(node.node).closeGeneration();
    await node.write("n f=1 1");
    using view = await node.views.acquire([], FOREVER);
    assert.equal(view.buffers(TABLE).length, 1);
    assert.equal(view.buffers(2 as TableId).length, 1);
    assert.deepEqual(view.buffers(3 as TableId), []);
  });
});
