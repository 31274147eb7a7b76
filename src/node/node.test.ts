import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memberOf, proveAnswer } from "#access/node-call.ts";
import { DbError } from "#base/errors.ts";
import { findNode } from "#catalog/catalog-state.ts";
import { decodePush, PUSH_PATH } from "#lifecycle/pusher.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Transport } from "#ports/transport.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { nodeOptions, readRows, writeLines } from "#testing/started-node.ts";
import type { NodeConfig } from "./config.ts";
import { Node } from "./node.ts";

const SILENCE = new DbError("unavailable", "store_unreachable", "no answer");

/** A node on `store`, its clock, and a stop that takes no time. */
async function start(store: ObjectStore, seed = 1, config: Partial<NodeConfig> = {}) {
  const options = nodeOptions(store, seed, { config });
  const node = await Node.start(options);
  const { clock } = options;
  return { node, clock, [Symbol.asyncDispose]: () => stop(node, clock) };
}

async function stop(node: Node, clock: { advance(ms: number): Promise<void> }): Promise<void> {
  const stopping = node.stop(10_000);
  await clock.advance(0);
  await Promise.race([stopping, clock.advance(20_000)]);
  await stopping;
}

async function noTrouble(): Promise<void> {
  // The store does as it is asked.
}

/** A store whose calls can be made to fail or to hang. */
function fragileStore() {
  const inner = memoryStore();
  let trouble: (key: string) => Promise<void> = noTrouble;
  const store = storeWith(inner, {
    async get(key) {
      await trouble(key);
      return inner.get(key);
    },
    async list(prefix, options) {
      await trouble(prefix);
      return inner.list(prefix, options);
    },
    async putIfAbsent(key, body) {
      await trouble(`put ${key}`);
      await inner.putIfAbsent(key, body);
    },
  });
  return {
    inner,
    store,
    /** Rejects, or never settles, for what begins with `prefix`. */
    breakAt(prefix: string, error?: DbError) {
      trouble = (key) => {
        if (!key.startsWith(prefix)) return Promise.resolve();
        return error === undefined ? new Promise(() => undefined) : Promise.reject(error);
      };
    },
    mend() {
      trouble = noTrouble;
    },
  };
}

function unexpectedChange(): never {
  assert.fail("the catalog is not changed");
}

suite("a node", () => {
  test("starts, takes rows, answers, and a stop leaves everything in files", async () => {
    const store = memoryStore();
    const { node, clock } = await start(store);
    await node.ready();
    await writeLines(node, "m f=1 1\nm f=2 2");
    assert.deepEqual(await readRows(node, "SELECT f FROM m ORDER BY time"), [[1], [2]]);
    assert.equal(node.unsavedRowCount, 2);
    await stop(node, clock);
    assert.equal(clock.sleeperCount, 0, "no timer outlives the node");
    assert.equal((await store.list("host01/data/")).length, 1);
    await using again = await start(store, 2);
    assert.equal(again.node.unsavedRowCount, 0);
    assert.deepEqual(await readRows(again.node, "SELECT f FROM m ORDER BY time"), [[1], [2]]);
  });

  test("says in the catalog that it runs, and that it has stopped", async () => {
    const store = memoryStore();
    const first = await start(store);
    const state = () => findNode(watcher.node.catalog.state, "host01")?.state;
    await using watcher = await start(store, 2, { nodeId: "host02", modes: ["query"] });
    assert.equal(state(), "running");
    await stop(first.node, first.clock);
    await watcher.node.refresh();
    assert.equal(state(), "stopped");
  });

  test("killed at any time has lost nothing that it acknowledged", async () => {
    const store = memoryStore();
    const killed = await start(store);
    await writeLines(killed.node, "m f=1 1");
    await using again = await start(store, 2);
    assert.deepEqual(await readRows(again.node, "SELECT f FROM m"), [[1]]);
    await stop(killed.node, killed.clock);
    assert.deepEqual(await readRows(again.node, "SELECT f FROM m"), [[1]]);
  });

  test("answers for another's rows, at once to who brings the token", async () => {
    const store = memoryStore();
    await using writer = await start(store, 1, { modes: ["ingest"] });
    await using reader = await start(store, 2, { nodeId: "host02", modes: ["query"] });
    const { token } = await writeLines(writer.node, "m f=1 1");
    const reading = readRows(reader.node, "SELECT f FROM m", { tokens: [token ?? ""] });
    await reader.clock.advance(500);
    assert.deepEqual(await reading, [[1]]);
    await writeLines(writer.node, "m f=2 2");
    await reader.clock.advance(500);
    assert.deepEqual(await readRows(reader.node, "SELECT f FROM m ORDER BY time"), [[1], [2]]);
  });

  test("shows another's rows without waiting, where they hear of each other", async () => {
    const store = memoryStore();
    const reached: { node?: Node } = {};
    const transport: Transport = {
      async send(_address, { authorization = "", body, path }) {
        if (path === PUSH_PATH) reached.node?.hearPush(decodePush(body ?? new Uint8Array(0)));
        const answer = { status: 202, body: new Uint8Array(0) };
        const self = reached.node && memberOf(reached.node.catalog);
        return { ...answer, ...(self && { proof: proveAnswer(self, authorization, answer) }) };
      },
    };
    const options = nodeOptions(store, 1, { config: { modes: ["ingest"] }, ports: { transport } });
    const writer = await Node.start(options);
    await writeLines(writer, "m f=0 1");
    await using reader = await start(store, 2, { nodeId: "host02", modes: ["query"] });
    reached.node = reader.node;
    await writer.refresh();
    await settle();
    for (let time = 2; time <= 4; time++) {
      await writeLines(writer, `m f=1 ${time}`);
      await settle();
      assert.equal((await readRows(reader.node, "SELECT f FROM m")).length, time);
    }
    assert.deepEqual(writer.ingest?.pusher.counts, { sent: 3, failed: 0, merged: 0 });
    await stop(writer, options.clock);
    assert.equal(options.clock.sleeperCount, 0, "no timer outlives the node");
  });

  test("a compactor takes over what is in files", async () => {
    const store = memoryStore();
    await using started = await start(store, 1, {
      modes: ["ingest", "query", "compact"],
      flushesPerSnapshot: 1,
    });
    await writeLines(started.node, "m f=1 1");
    await started.clock.advance(1_000);
    assert.equal([...started.node.manifest.state.files].length, 1);
    assert.deepEqual(await readRows(started.node, "SELECT f FROM m"), [[1]]);
  });
});

suite("what a node does not do", () => {
  test("the work of modes that it does not have", async () => {
    const store = memoryStore();
    await using ingest = await start(store, 1, { modes: ["ingest"] });
    await using query = await start(store, 2, { nodeId: "host02", modes: ["query"] });
    const missing = { kind: "unsupported", code: "mode_missing" };
    await writeLines(ingest.node, "m f=1 1");
    await assert.rejects(writeLines(query.node, "m f=1 1"), missing);
    await assert.rejects(readRows(ingest.node, "SELECT f FROM m"), missing);
    const nodes = await readRows(ingest.node, "SELECT node_id FROM system.nodes", {
      database: "_internal",
    });
    assert.deepEqual(nodes, [["host01"], ["host02"]]);
    await query.node.changeSchema("any", (catalog) =>
      catalog.createDatabase("any", undefined, { databaseCountMax: 9 }),
    );
  });

  test("changes to the database of the cluster itself", async () => {
    await using started = await start(memoryStore());
    const { node } = started;
    const refused = { kind: "invalid", code: "database_internal" };
    await assert.rejects(writeLines(node, "m f=1", "_internal"), refused);
    await assert.rejects(node.changeSchema("_internal", unexpectedChange), refused);
    await assert.rejects(node.changeRetention("_internal", unexpectedChange), refused);
  });
});

suite("a node is ready", () => {
  test("not while the store does not answer, and again when it does", async () => {
    const fragile = fragileStore();
    await using started = await start(fragile.store);
    await started.node.ready();
    const idle = started.clock.sleeperCount;
    fragile.breakAt("cluster01/catalog/");
    const asking = assert.rejects(started.node.ready(), { code: "store_unreachable" });
    await started.clock.advance(2_000);
    await asking;
    assert.ok(started.clock.sleeperCount <= idle, "asking leaves no timer behind");
  });

  test("not while the store is full", async () => {
    const fragile = fragileStore();
    await using started = await start(fragile.store);
    await writeLines(started.node, "m f=1 1");
    const full = new DbError("unavailable", "store_full", "no space");
    fragile.breakAt("put host01/log/", full);
    await assert.rejects(writeLines(started.node, "m f=1 2"), { code: "store_full" });
    await assert.rejects(started.node.ready(), { code: "store_full" });
    fragile.mend();
    await started.clock.advance(10_000);
    await started.node.ready();
    assert.equal((await readRows(started.node, "SELECT f FROM m")).length, 2);
  });

  test("not once it has met a damaged file", async () => {
    const store = memoryStore();
    await using started = await start(store, 1, { flushesPerSnapshot: 1 });
    await writeLines(started.node, "m f=1 1");
    await started.clock.advance(500);
    const [file] = await store.list("host01/data/");
    assert.ok(file);
    await store.put(file.key, Uint8Array.of(1, 2, 3));
    await started.node.ready();
    await assert.rejects(readRows(started.node, "SELECT f FROM m"), { code: "file_damaged" });
    await assert.rejects(started.node.ready(), { kind: "corrupt", code: "file_damaged" });
  });

  test("not while it cannot read another's log on", async () => {
    const fragile = fragileStore();
    await using writer = await start(fragile.inner, 1, { modes: ["ingest"] });
    await using reader = await start(fragile.store, 2, { nodeId: "host02", modes: ["query"] });
    await writeLines(writer.node, "m f=1 1");
    const damage = new DbError("corrupt", "object_damaged", "an entry is damaged");
    fragile.breakAt("host01/log/", damage);
    await reader.clock.advance(300);
    await assert.rejects(reader.node.ready(), damage);
    await assert.rejects(readRows(reader.node, "SELECT f FROM m"), damage);
    fragile.mend();
    await reader.clock.advance(5_000);
    await reader.node.ready();
    assert.deepEqual(await readRows(reader.node, "SELECT f FROM m"), [[1]]);
  });

  test("not once it was replaced: its clients are sent elsewhere, and it asks to be stopped", async () => {
    const store = memoryStore();
    await using replaced = await start(store);
    await writeLines(replaced.node, "m f=1 1");
    await using newer = await start(store, 2);
    await assert.rejects(writeLines(replaced.node, "m f=2 2"), {
      kind: "unavailable",
      code: "node_replaced",
    });
    assert.equal((await replaced.node.failure).code, "node_fenced");
    await assert.rejects(replaced.node.ready(), { code: "node_fenced" });
    await stop(replaced.node, replaced.clock);
    await newer.node.refresh();
    assert.equal(findNode(newer.node.catalog.state, "host01")?.state, "running");
    assert.deepEqual(await readRows(newer.node, "SELECT f FROM m"), [[1]]);
  });

  test("an idle node learns from the catalog that it was replaced", async () => {
    const store = memoryStore();
    await using replaced = await start(store, 1, { modes: ["query"] });
    await using newer = await start(store, 2, { modes: ["query"] });
    await replaced.clock.advance(10_000);
    assert.equal((await replaced.node.failure).code, "node_fenced");
    await newer.node.ready();
  });
});

suite("a start that fails leaves nothing running", () => {
  test("on a store that takes an object twice", async () => {
    const inner = memoryStore();
    const store = storeWith(inner, { putIfAbsent: (key, body) => inner.put(key, body) });
    const options = nodeOptions(store, 1);
    await assert.rejects(Node.start(options), { kind: "unsupported", code: "store_unsafe" });
    assert.equal(options.clock.sleeperCount, 0);
  });

  test("on its own log when that is damaged", async () => {
    const { store, first } = await damagedStore();
    const options = nodeOptions(store, 2, { config: { nodeId: "host01" } });
    await assert.rejects(Node.start(options), { kind: "corrupt", code: "object_damaged" });
    await settle();
    assert.equal(options.clock.sleeperCount, 0);
    await stop(first.node, first.clock);
  });

  test("on an engine that does not start", async () => {
    const failure = new DbError("unavailable", "engine_start_failed", "no engine");
    const options = nodeOptions(memoryStore(), 1, {
      ports: { openEngine: () => Promise.reject(failure) },
    });
    await assert.rejects(Node.start(options), failure);
    assert.equal(options.clock.sleeperCount, 0);
  });
});

suite("a stop", () => {
  test("does not wait longer than it may for a store that does not answer", async () => {
    const fragile = fragileStore();
    const started = await start(fragile.store);
    await writeLines(started.node, "m f=1 1");
    fragile.breakAt("put host01/data/", SILENCE);
    let stopped = false;
    const stopping = started.node.stop(3_000).then(() => (stopped = true));
    await started.clock.advance(2_999);
    assert.equal(stopped, false);
    await started.clock.advance(1);
    await stopping;
    await settle();
    assert.equal(started.clock.sleeperCount, 0);
    fragile.mend();
    await using again = await start(fragile.store, 2);
    assert.deepEqual(await readRows(again.node, "SELECT f FROM m"), [[1]]);
  });

  test("does not wait for a call that never returns", async () => {
    const fragile = fragileStore();
    const started = await start(fragile.store);
    await writeLines(started.node, "m f=1 1");
    fragile.breakAt("put host01/");
    const writing = writeLines(started.node, "m f=2 2").catch((error: unknown) => error);
    const stopping = started.node.stop(3_000);
    await started.clock.advance(10_000);
    await stopping;
    assert.equal(((await writing) as DbError).code, "node_stopping");
  });

  test("in the middle of a snapshot leaves everything in files", async () => {
    const fragile = fragileStore();
    const started = await start(fragile.store, 1, { flushesPerSnapshot: 1 });
    fragile.breakAt("put host01/data/", SILENCE);
    await writeLines(started.node, "m f=1 1");
    await started.clock.advance(300);
    const stopping = started.node.stop(10_000);
    await started.clock.advance(500);
    fragile.mend();
    await started.clock.advance(500);
    await stopping;
    await using again = await start(fragile.store, 2);
    assert.equal(again.node.unsavedRowCount, 0);
    assert.equal(findNode(again.node.catalog.state, "host01")?.epoch, 2);
    assert.deepEqual(await readRows(again.node, "SELECT f FROM m"), [[1]]);
  });
});

suite("a node beside one whose log is damaged", () => {
  test("takes writes, and refuses reads that would not be whole", async () => {
    const { store, first } = await damagedStore();
    const { node, clock } = await start(store, 2, { nodeId: "host02" });
    const { token } = await writeLines(node, "m f=2 2");
    assert.ok(token !== undefined);
    const damage = { kind: "corrupt", code: "object_damaged" };
    await assert.rejects(readRows(node, "SELECT f FROM m"), damage);
    await assert.rejects(node.ready(), damage);
    await stop(node, clock);
    await stop(first.node, first.clock);
  });
});

/** The store of a running node, `host01`, whose last log entry is damaged. */
async function damagedStore() {
  const store = memoryStore();
  const first = await start(store);
  await writeLines(first.node, "m f=1 1");
  const entries = await store.list("host01/log/entry/");
  await store.put(entries.at(-1)?.key ?? "", Uint8Array.of(1, 2, 3));
  return { store, first };
}
