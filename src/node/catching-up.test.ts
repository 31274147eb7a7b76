import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { storeWith } from "#testing/logs.ts";
import { nodeOptions, readRows, writeLines } from "#testing/started-node.ts";
import { COMPACTION_DEFAULTS, type NodeConfig } from "./config.ts";
import { Node } from "./node.ts";

const CHECKPOINT_ENTRIES = 10;

/** A node on `store` and its clock; it ends with the test. */
async function start(store: ObjectStore, seed: number, config: Partial<NodeConfig>) {
  const options = nodeOptions(store, seed, { config });
  const node = await Node.start(options);
  const { clock } = options;
  return {
    node,
    clock,
    async [Symbol.asyncDispose]() {
      const stopping = node.stop(10_000);
      await Promise.race([stopping, clock.advance(20_000)]);
      await stopping;
    },
  };
}

/** A node that writes, makes files and compacts them. */
function startWriter(store: ObjectStore) {
  return start(store, 1, {
    modes: ["ingest", "query", "compact"],
    checkpointEntries: CHECKPOINT_ENTRIES,
    manifestPartFilesMax: 4,
    flushesPerSnapshot: 5,
    compaction: { ...COMPACTION_DEFAULTS, cleanupWaitMs: 5_000, checkIntervalMs: 1_000 },
  });
}

/** `store`, and how often entries of logs were read in it. */
function countingStore(store: ObjectStore) {
  const counts = { entries: 0 };
  const get = (key: string) => {
    if (key.includes("/entry/")) counts.entries += 1;
    return store.get(key);
  };
  return { store: storeWith(store, { get }), counts };
}

suite("a query node that was off for long", () => {
  test("reads checkpoints and what is above them, holds few rows, and is ready when it has all", async () => {
    const inner = memoryStore();
    await using writer = await startWriter(inner);
    const config: Partial<NodeConfig> = { nodeId: "host02", modes: ["query"] };
    await (await start(inner, 2, config))[Symbol.asyncDispose]();
    for (let time = 1; time <= 120; time++) {
      await writeLines(writer.node, `m f=${time} ${time}`);
      await writer.clock.advance(time % 10 === 0 ? 1_000 : 0);
    }
    await writer.clock.advance(10_000);
    const entries = await inner.list("host01/log/entry/");
    assert.ok(entries.length < 100, `${entries.length} entries are left`);
    const { counts, store } = countingStore(inner);
    await using reader = await start(store, 3, config);
    await reader.node.ready();
    assert.ok(counts.entries < 100, `${counts.entries} entries were read`);
    assert.ok(reader.node.buffer.rowCount <= 5, `${reader.node.buffer.rowCount} rows`);
    const rows = await readRows(reader.node, "SELECT f FROM m ORDER BY time");
    assert.deepEqual(
      rows.map(([f]) => f),
      Array.from({ length: 120 }, (_, index) => index + 1),
    );
  });
});

suite("files that compaction has replaced and deleted", () => {
  test("are looked for once more by a node that did not know, whose answer is whole", async () => {
    const store = memoryStore();
    await using writer = await startWriter(store);
    await using reader = await start(store, 2, { nodeId: "host02", modes: ["query"] });
    for (let time = 1; time <= 40; time++) {
      await writeLines(writer.node, `m f=${time} ${time}`);
      await writer.clock.advance(100);
    }
    // The reader sees the files of snapshots, and nothing of what becomes of them.
    await reader.clock.advance(1_000);
    const known = reader.node.manifest.state.position;
    await writer.clock.advance(120_000);
    assert.ok((writer.node.compaction?.deletedCounts.cleanup ?? 0) > 0);
    assert.equal(reader.node.manifest.state.position, known);
    assert.equal((await readRows(reader.node, "SELECT f FROM m")).length, 40);
    assert.ok(reader.node.manifest.state.position > known);
    await reader.node.ready();
  });

  test("and files that are lost fail the query and show at /ready, by name", async () => {
    const store = memoryStore();
    await using writer = await startWriter(store);
    for (let time = 1; time <= 5; time++) await writeLines(writer.node, `m f=${time} ${time}`);
    await writer.clock.advance(1_000);
    const [file] = (await store.list("host01/data/")).map(({ key }) => key);
    assert.ok(file);
    await store.delete(file);
    const lost = { code: "file_vanished", detail: { key: file } };
    await assert.rejects(readRows(writer.node, "SELECT f FROM m"), lost);
    await assert.rejects(writer.node.ready(), lost);
  });
});
