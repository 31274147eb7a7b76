import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { Transport } from "#ports/transport.ts";
import { storeWith } from "#testing/logs.ts";
import { ANSWERING, keysOf, pair, recordOf, start, stop } from "#testing/members.ts";
import { readRows, writeLines } from "#testing/started-node.ts";
import { IDENTIFY_PATH } from "./registration.ts";

suite("a stop of another node", () => {
  test("that does not answer closes its log: its rows are in files, and it is stopped", async () => {
    const { store, writer, other } = await pair();
    await writeLines(writer.node, "m f=1 1\nm f=2 2");
    await other.node.stopNode("host01");
    assert.equal(recordOf(other)?.state, "stopping");
    await other.clock.advance(10_000);
    assert.deepEqual([recordOf(other)?.state, recordOf(other)?.epoch], ["stopped", 2]);
    const files = await keysOf(store, "host01/data/");
    assert.equal(files.length, 1);
    assert.match(files[0] ?? "", /\/2-[0-9a-f]{16}\.parquet$/);
    const rows = "SELECT f FROM m ORDER BY f";
    assert.deepEqual(await readRows(other.node, rows), [[1], [2]]);
    await assert.rejects(writeLines(writer.node, "m f=3 3"), { code: "node_replaced" });
    assert.equal((await writer.node.failure).code, "node_fenced");
    await using again = await start(store, 3, { modes: ["ingest", "query"] });
    assert.equal(recordOf(again)?.epoch, 3);
    assert.equal(again.node.unsavedRowCount, 0);
    await writeLines(again.node, "m f=3 3");
    await other.clock.advance(1_000);
    assert.deepEqual(await readRows(other.node, rows), [[1], [2], [3]]);
    await stop(writer);
    await stop(other);
    assert.equal(other.clock.sleeperCount, 0, "no timer outlives the node");
  });

  test("by two at once ends as by one", async () => {
    const { store, writer, other } = await pair();
    await using third = await start(store, 3, { nodeId: "host03", modes: ["ingest", "query"] });
    await writeLines(writer.node, "m f=1 1");
    await Promise.all([other, third].map(({ node }) => node.stopNode("host01")));
    await Promise.all([other, third].map(({ clock }) => clock.advance(20_000)));
    await other.node.refresh();
    assert.equal(recordOf(other)?.state, "stopped");
    for (const { node } of [other, third])
      assert.deepEqual(await readRows(node, "SELECT f FROM m"), [[1]]);
    await other.node.ready();
    await third.node.ready();
    await stop(writer);
    await stop(other);
  });

  test("that answers is left to that one, which hears of it and leaves its rows in files itself", async () => {
    const store = memoryStore();
    const writer = await start(store, 1, { modes: ["ingest"] });
    await using other = await start(store, 2, { nodeId: "host02", modes: ["query"] }, ANSWERING);
    await writeLines(writer.node, "m f=1 1");
    await other.node.stopNode("host01");
    await other.clock.advance(60_000);
    assert.deepEqual([recordOf(other)?.state, recordOf(other)?.epoch], ["stopping", 1]);
    await writer.node.refresh();
    assert.equal(await writer.node.stopAsked, undefined);
    await stop(writer);
    await other.clock.advance(10_000);
    assert.deepEqual([recordOf(other)?.state, recordOf(other)?.epoch], ["stopped", 1]);
    assert.equal((await keysOf(store, "host01/data/")).length, 1);
  });

  test("that answers and does not stop, for it cannot reach the store, is closed in the end", async () => {
    const store = memoryStore();
    const writer = await start(store, 1, { modes: ["ingest"] });
    await using other = await start(store, 2, { nodeId: "host02", modes: ["query"] }, ANSWERING);
    await writeLines(writer.node, "m f=1 1");
    await other.node.stopNode("host01");
    await other.clock.advance(150_000);
    assert.deepEqual([recordOf(other)?.state, recordOf(other)?.epoch], ["stopped", 2]);
    await assert.rejects(writeLines(writer.node, "m f=2 2"), { code: "node_replaced" });
    await stop(writer);
  });

  test("is tried again while the store does not take files, by epochs of its own", async () => {
    const inner = memoryStore();
    let broken = true;
    const store = storeWith(inner, {
      async putIfAbsent(key, body) {
        if (broken && key.startsWith("host01/data/"))
          throw new DbError("unavailable", "store_full", "no space");
        await inner.putIfAbsent(key, body);
      },
    });
    const { writer, other } = await pair(store);
    await writeLines(writer.node, "m f=1 1");
    await other.node.stopNode("host01");
    await other.clock.advance(20_000);
    assert.equal(recordOf(other)?.state, "stopping");
    assert.deepEqual(await readRows(other.node, "SELECT f FROM m"), [[1]]);
    broken = false;
    await other.clock.advance(60_000);
    assert.equal(recordOf(other)?.state, "stopped");
    assert.ok((recordOf(other)?.epoch ?? 0) > 2);
    assert.deepEqual(await readRows(other.node, "SELECT f FROM m"), [[1]]);
    await stop(writer);
    await stop(other);
  });

  test("that began to write after the stop was asked for closes the log that it began", async () => {
    const inner = memoryStore();
    const gate = Promise.withResolvers<void>();
    const store = storeWith(inner, {
      async putIfAbsent(key, body) {
        if (key.startsWith("host03/data/")) await gate.promise;
        await inner.putIfAbsent(key, body);
      },
    });
    const first = await start(store, 1, { nodeId: "host01", modes: ["query"] });
    const busy = await start(store, 3, { nodeId: "host03", modes: ["ingest"] });
    await using other = await start(store, 2, { nodeId: "host02", modes: ["query"] });
    await writeLines(busy.node, "m f=3 3");
    // Its log takes a while to be closed, and the other one's turn comes after that.
    await other.node.stopNode("host03");
    await other.clock.advance(5_000);
    await other.node.stopNode("host01");
    await other.clock.advance(5_000);
    const again = await start(store, 4, { nodeId: "host01", modes: ["ingest"] });
    await writeLines(again.node, "m f=1 1");
    await again.node.stopNode("host01");
    gate.resolve();
    await other.clock.advance(20_000);
    assert.equal(recordOf(other, "host01")?.state, "stopped");
    assert.equal((await keysOf(store, "host01/data/")).length, 1, "its rows are in files");
    for (const started of [first, busy, again]) await stop(started);
  });

  test("that is not there, or has stopped, is refused", async () => {
    const { writer, other } = await pair();
    await assert.rejects(other.node.stopNode("host09"), { code: "node_not_found" });
    await stop(writer);
    await assert.rejects(other.node.stopNode("host01"), {
      kind: "invalid",
      code: "node_already_stopped",
    });
    await stop(other);
  });
});

suite("a node", () => {
  test("that is asked to stop through itself asks to be stopped", async () => {
    await using writer = await start(memoryStore(), 1);
    await writer.node.stopNode("host01");
    assert.equal(await writer.node.stopAsked, undefined);
  });

  test("that could not leave its rows in files does not say that it has stopped", async () => {
    const inner = memoryStore();
    const store = storeWith(inner, {
      async putIfAbsent(key, body) {
        if (key.startsWith("host01/data/"))
          throw new DbError("unavailable", "store_full", "no space");
        await inner.putIfAbsent(key, body);
      },
    });
    const writer = await start(store, 1);
    await writeLines(writer.node, "m f=1 1");
    await stop(writer);
    await using other = await start(inner, 2, { nodeId: "host02" });
    assert.equal(recordOf(other)?.state, "running");
    await other.node.stopNode("host01");
    await other.clock.advance(10_000);
    assert.equal(recordOf(other)?.state, "stopped");
    assert.deepEqual(await readRows(other.node, "SELECT f FROM m"), [[1]]);
  });

  test("that goes on without mode ingest leaves the rows of its earlier start in files", async () => {
    const store = memoryStore();
    const killed = await start(store, 1, { modes: ["ingest", "query"] });
    await writeLines(killed.node, "m f=1 1");
    await using again = await start(store, 2, { modes: ["query"] });
    await again.clock.advance(1_000);
    assert.equal((await keysOf(store, "host01/data/")).length, 1);
    assert.deepEqual(await readRows(again.node, "SELECT f FROM m"), [[1]]);
    await assert.rejects(writeLines(killed.node, "m f=2 2"), { code: "node_replaced" });
    await stop(killed);
  });
});

suite("a removal", () => {
  test("waits for the compactor, keeps the rows and the fences, and the node-id goes on where it was", async () => {
    const { store, writer, other } = await pair();
    const rows = "SELECT f FROM m ORDER BY f";
    const { token } = await writeLines(writer.node, "m f=1 1");
    await assert.rejects(other.node.removeNode("host01"), { code: "node_not_stopped" });
    await stop(writer);
    await other.node.removeNode("host01");
    await other.node.removeNode("host01");
    assert.equal(recordOf(other)?.state, "removing");
    await assert.rejects(start(store, 3, { modes: ["ingest"] }), { code: "node_removing" });
    await other.clock.advance(10_000);
    assert.equal(recordOf(other), undefined);
    assert.deepEqual(await readRows(other.node, rows, { tokens: [token ?? ""] }), [[1]]);
    await using fresh = await start(store, 4, { nodeId: "host04", modes: ["query"] });
    assert.deepEqual(await readRows(fresh.node, rows, { tokens: [token ?? ""] }), [[1]]);
    await assert.rejects(other.node.removeNode("host01"), { code: "node_not_found" });

    await using again = await start(store, 5, { modes: ["ingest", "query"] });
    const record = recordOf(again);
    assert.deepEqual([record?.number, record?.epoch, record?.instanceId], [1, 3, "uuid-5-4"]);
    await writeLines(again.node, "m f=2 2");
    for (const reader of [other, fresh]) {
      await reader.node.refresh();
      await reader.clock.advance(1_000);
      assert.deepEqual(await readRows(reader.node, rows), [[1], [2]]);
    }
    assert.deepEqual(await readRows(again.node, rows), [[1], [2]]);
    await stop(other);
  });

  test("leaves a fence for whoever wakes up late", async () => {
    const { writer, other } = await pair();
    await writeLines(writer.node, "m f=1 1");
    await other.node.stopNode("host01");
    await other.clock.advance(10_000);
    await other.node.removeNode("host01");
    await other.clock.advance(10_000);
    assert.equal(recordOf(other), undefined);
    await assert.rejects(writeLines(writer.node, "m f=2 2"), { code: "node_replaced" });
    await writer.node.refresh().catch(() => undefined);
    assert.equal((await writer.node.failure).code, "node_fenced");
    await stop(writer);
    await stop(other);
  });

  test("of a node that never wrote is over at once", async () => {
    const store = memoryStore();
    const reader = await start(store, 1, { modes: ["query"] });
    await using other = await start(store, 2, { nodeId: "host02", modes: ["query", "compact"] });
    await stop(reader);
    await other.node.removeNode("host01");
    await other.clock.advance(2_000);
    assert.equal(recordOf(other), undefined);
    assert.deepEqual(await keysOf(store, "host01/"), []);
  });
});

suite("when nodes were last seen", () => {
  test("shows who answers, greets or pushes, and who does not", async () => {
    const store = memoryStore();
    const answering: Transport = {
      async send(address, { path }) {
        if (address !== "host01" || path !== IDENTIFY_PATH)
          throw new DbError("unavailable", "peer_unreachable", "silence");
        const identity = { nodeId: "host01", clusterId: "cluster01", processId: "process-1" };
        return { status: 200, body: utf8(JSON.stringify(identity)) };
      },
    };
    await using first = await start(store, 1);
    await using second = await start(store, 2, { nodeId: "host02" });
    await using third = await start(store, 3, { nodeId: "host03" }, answering);
    const text = "SELECT last_seen FROM system.nodes ORDER BY node_catalog_id";
    const seen = async () =>
      (await readRows(third.node, text, { database: "_internal" })).map(([at]) => at);
    await third.clock.advance(5_000);
    const [one, two, three] = await seen();
    assert.equal(two, null, "the second one never answered");
    assert.equal(three, third.clock.nowNs(), "a node has heard from itself");
    assert.equal(one, third.clock.nowNs() - 5_000_000_000n);
    third.node.hearPush({ node: second.node.catalog.writer.node, position: 1 });
    assert.equal((await seen())[1], third.clock.nowNs());
    await third.clock.advance(1_000);
    third.node.hearGreeting(second.node.catalog.writer.node);
    assert.equal((await seen())[1], third.clock.nowNs());
    await third.clock.advance(60_000);
    assert.equal((await seen())[1], third.clock.nowNs() - 60_000_000_000n);
    await first.node.ready();
  });
});
