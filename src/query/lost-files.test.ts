import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";

const FOREVER = new AbortController().signal;

/** A writer whose one file a reader knows by its log, and which the compactor has replaced meanwhile. */
async function replaced() {
  const store = memoryStore();
  const writer = await SmallNode.open({ store });
  const reader = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
  await writer.write("m f=1 1");
  await writer.snapshotter.take(FOREVER);
  await reader.follow(writer).load();
  const [snapshot] = writer.writer.state.snapshots;
  const [file] = snapshot?.files ?? [];
  assert.ok(snapshot !== undefined && file !== undefined);
  return { store, writer, reader, snapshot, file };
}

async function compact({ writer, snapshot, store, file }: Awaited<ReturnType<typeof replaced>>) {
  const office = await writer.manifest.takeOver();
  const needs = { catalog: writer.catalog.state.position, manifest: 0 };
  const { through, stamp } = snapshot;
  const adopt = { node: writer.node, through, stamp, files: [file] };
  await writer.manifest.publish(office, () => ({ kind: "adopt", body: adopt, needs }));
  const output: DataFile = { ...file, key: "cluster01/data/new.parquet" };
  await store.put(output.key, (await store.get(file.key)) ?? new Uint8Array());
  const body = { inputs: [file.key], outputs: [output] };
  await writer.manifest.publish(office, () => ({ kind: "replace", body, needs }));
  await store.delete(file.key);
}

suite("files that are gone or damaged", () => {
  test("a file that was replaced is looked for in a newer view, once", async () => {
    const world = await replaced();
    await compact(world);
    assert.deepEqual(await world.reader.rows("SELECT f FROM m"), [{ f: 1 }]);
    assert.deepEqual(world.reader.damages, []);
    await world.reader[Symbol.asyncDispose]();
    await world.writer[Symbol.asyncDispose]();
  });

  test("a file that is gone in the newer view as well is damage", async () => {
    const { store, writer, reader, file } = await replaced();
    await store.delete(file.key);
    await assert.rejects(reader.rows("SELECT f FROM m"), { code: "file_vanished" });
    assert.deepEqual(
      reader.damages.map(({ code }) => code),
      ["file_vanished"],
    );
    assert.equal(reader.clock.sleeperCount, 0);
    await reader[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  });

  test("a file that is replaced again and again is no damage: whoever asks again hears", async () => {
    const inner = memoryStore();
    const writer = await SmallNode.open({ store: inner });
    await writer.write("m f=1 1");
    await writer.snapshotter.take(FOREVER);
    const office = await writer.manifest.takeOver();
    const needs = { catalog: writer.catalog.state.position, manifest: 0 };
    const [snapshot] = writer.writer.state.snapshots;
    assert.ok(snapshot);
    const adopt = { node: writer.node, ...snapshot, files: [...snapshot.files] };
    await writer.manifest.publish(office, () => ({ kind: "adopt", body: adopt, needs }));
    let leftCount = 2;
    /** Just before it is read, the file is replaced by another. */
    const get = async (key: string) => {
      if (!key.endsWith(".parquet") || leftCount === 0) return inner.get(key);
      leftCount -= 1;
      const held = writer.manifest.state.files.find(new Set([key])).get(key);
      assert.ok(held);
      const file = { ...held.file, key: `cluster01/data/${leftCount}.parquet` };
      await inner.put(file.key, (await inner.get(key)) ?? new Uint8Array());
      const body = { inputs: [key], outputs: [file] };
      await writer.manifest.publish(office, () => ({ kind: "replace", body, needs }));
      await inner.delete(key);
      return undefined;
    };
    const store = storeWith(inner, { get });
    await using reader = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await reader.follow(writer).load();
    await assert.rejects(reader.rows("SELECT f FROM m"), { code: "file_vanished" });
    assert.deepEqual(reader.damages, []);
    assert.deepEqual(await reader.rows("SELECT f FROM m"), [{ f: 1 }]);
    await writer[Symbol.asyncDispose]();
  });

  test("a damaged file is named, and never part of an answer", async () => {
    const { store, writer, reader, file } = await replaced();
    const bytes = (await store.get(file.key)) ?? new Uint8Array();
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await store.put(file.key, bytes);
    await assert.rejects(reader.rows("SELECT f FROM m"), { kind: "corrupt", code: "file_damaged" });
    assert.deepEqual(
      reader.damages.map(({ code, detail }) => [code, detail["key"]]),
      [["file_damaged", file.key]],
    );
    await reader[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  });

  test("a log that cannot be read on now is not a damaged file", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const trouble = new DbError("corrupt", "object_damaged", "an entry is damaged");
    node.peers.push({ ...node.source, trouble });
    await assert.rejects(node.rows("SELECT f FROM m"), trouble);
    assert.deepEqual(node.damages, []);
  });

  test("damage that shows after the first rows is noted as well", async () => {
    await using node = await SmallNode.open({
      engine: (inner) => ({
        append: (blocks) => inner.append(blocks),
        dropGeneration: (generation) => inner.dropGeneration(generation),
        writeFiles: (request, signal) => inner.writeFiles(request, signal),
        compact: (request, signal) => inner.compact(request, signal),
        bufferSizeBytes: () => inner.bufferSizeBytes(),
        async *query(plan, signal) {
          yield* inner.query(plan, signal);
          throw new DbError("corrupt", "file_damaged", "the second file is damaged");
        },
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      }),
    });
    await node.write("m f=1 1");
    await assert.rejects(node.rows("SELECT f FROM m"), { code: "file_damaged" });
    assert.equal(node.damages.length, 1);
  });
});
