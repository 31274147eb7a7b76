import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { toJson } from "#base/schema.ts";
import { setTableRetention } from "#catalog/tables.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { Engine } from "#ports/engine.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { Compactor, type CompactorOptions } from "./compactor.ts";
import { compactedPrefix, termOfKey } from "./data-keys.ts";
import { Adoption } from "./office/adoption.ts";

const FOREVER = new AbortController().signal;
const LATELY_MS = 60_001;
const HOUR = 3_600_000;
const ALL = "SELECT * FROM m";

function compactorOf(node: SmallNode, some: Partial<CompactorOptions> = {}): Compactor {
  const { catalog, clock, engine, manifest, ports, store } = node;
  return new Compactor({
    clusterId: "cluster01",
    catalog,
    manifest,
    engine,
    store,
    clock,
    random: ports.random,
    log: ports.log,
    settings: {
      gen2DurationMs: 1_200_000,
      multipliers: [3, 4, 6, 5],
      filesPerPlanMax: 500,
      inputSizeMax: 2 ** 30,
      rowLimit: 1_000_000,
      checkIntervalMs: 10_000,
    },
    ...some,
  });
}

/** Takes the files of all snapshots into the manifest, in a term of its own; by default when their rows are no longer new. */
async function adopt(node: SmallNode, waitMs = LATELY_MS): Promise<Writer> {
  await node.clock.advance(waitMs);
  const { catalog, manifest } = node;
  const logs = () => [node.source, ...node.peers];
  const term = await manifest.takeOver();
  await new Adoption({ catalog, manifest, logs }).step(term);
  return term;
}

/** A node with a snapshot for each of `bodies`. */
async function withSnapshots(bodies: readonly string[], store = memoryStore()): Promise<SmallNode> {
  const node = await SmallNode.open({ store });
  for (const body of bodies) {
    await node.write(body);
    await node.snapshotter.take(FOREVER);
  }
  return node;
}

function filesOf({ manifest }: SmallNode) {
  return [...manifest.state.files].map(({ file }) => file);
}

async function compactedKeys(store: ObjectStore): Promise<readonly string[]> {
  return (await store.list(compactedPrefix("cluster01"))).map(({ key }) => key);
}

/** Steps until nothing is left to do. */
async function compactAll(compactor: Compactor, term: Writer): Promise<void> {
  while (await compactor.step(term, FOREVER));
}

/** A compactor that calls `meanwhile` once, when it has put the first file of a plan. */
function interrupted(node: SmallNode, meanwhile: () => Promise<unknown>): Compactor {
  let done = false;
  return compactorOf(node, {
    store: storeWith(node.store, {
      putIfAbsent: async (key, bytes) => {
        await node.store.putIfAbsent(key, bytes);
        if (done) return;
        done = true;
        await meanwhile();
      },
    }),
  });
}

suite("compaction", () => {
  test("leaves fewer files, and every answer as it was: late rows, replaced fields, nulls, other nodes", async () => {
    const store = memoryStore();
    await using node = await withSnapshots(
      ["m,t=a f=1,g=1 1\nm,t=b f=1 2", "m,t=a f=2 1\nm f=9 3", 'm,t=a s="x" 1\nm,t=c f=5 9'],
      store,
    );
    await using other = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await other.write("m,t=a g=7 1\nm,t=z f=8 2", { tokens: [] });
    await other.snapshotter.take(FOREVER);
    await node.catalog.refresh();
    await node.follow(other).load();
    const term = await adopt(node);
    const before = await node.rows(ALL);
    assert.equal(filesOf(node).length, 4);
    const compactor = compactorOf(node);
    await compactAll(compactor, term);
    const [file, ...others] = filesOf(node);
    assert.equal(others.length, 0);
    assert.deepEqual(sorted(await node.rows(ALL)), sorted(before));
    assert.deepEqual(await compactedKeys(store), [file?.key]);
    assert.deepEqual(termOfKey(file?.key ?? ""), term);
    assert.equal(file?.node, 0);
    assert.equal(node.manifest.state.needs.catalog, node.catalog.state.position);
    const { published, rowsIn, rowsOut } = compactor.history.counts;
    // The rows of (a, 1) of the first node: the newest has one field, and the older ones have others.
    assert.deepEqual([published, rowsIn, rowsOut], [1, 8, 8]);
    await node.write("m,t=a f=3,g=3 1");
    assert.equal((await node.rows("SELECT f FROM m WHERE t = 'a'"))[0]?.["f"], 3);
  });

  test("does nothing where there is nothing to do or rows are new, and looks again after a while", async () => {
    await using node = await withSnapshots(["m f=1 1"]);
    const term = await adopt(node);
    const compactor = compactorOf(node);
    assert.equal(await compactor.step(term, FOREVER), false);
    await node.write("m f=2 2");
    await node.snapshotter.take(FOREVER);
    const next = await adopt(node, 0);
    assert.equal(await compactor.step(next, FOREVER), false);
    for (const waitMs of [10_000, 50_000]) {
      await node.clock.advance(waitMs);
      assert.equal(await compactor.step(next, FOREVER), false);
    }
    await node.clock.advance(10_000);
    assert.equal(await compactor.step(next, FOREVER), true);
    assert.equal(filesOf(node).length, 1);
  });

  test("publishes nothing, and leaves nothing, where another term has replaced its inputs", async () => {
    await using node = await withSnapshots(["m f=1 1", "m f=2 2"]);
    const first = await adopt(node);
    const rival = compactorOf(node);
    let term = first;
    // Just before the entry, another one is faster.
    const store = storeWith(node.store, {
      putIfAbsent: async (key, bytes) => {
        await node.store.putIfAbsent(key, bytes);
        if (key.startsWith(compactedPrefix("cluster01"))) await rival.step(term, FOREVER);
      },
    });
    const compactor = compactorOf(node, { store });
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.deepEqual(
      await compactedKeys(node.store),
      filesOf(node).map(({ key }) => key),
    );
    assert.equal(compactor.history.events.at(-1)?.outcome, "stale");
    assert.equal(rival.history.counts.published, 1);
    // A term that is over publishes nothing, and deletes nothing either: who came after decides on its files.
    await node.write("m f=3 3");
    await node.snapshotter.take(FOREVER);
    term = await adopt(node);
    const late = compactorOf(node, {
      store: storeWith(node.store, {
        putIfAbsent: async (key, bytes) => {
          await node.store.putIfAbsent(key, bytes);
          await node.manifest.takeOver();
        },
      }),
    });
    const before = filesOf(node);
    await assert.rejects(late.step(term, FOREVER), { code: "node_fenced" });
    assert.deepEqual(filesOf(node), before);
    assert.equal((await compactedKeys(node.store)).length, 2);
  });

  test("is published although tables and columns come while it is carried out, and snapshots that need them", async () => {
    await using node = await withSnapshots(["m f=1 1", "m f=2 2"]);
    const term = await adopt(node);
    const { catalog, manifest } = node;
    const adoption = new Adoption({ catalog, manifest, logs: () => [node.source] });
    const compactor = interrupted(node, async () => {
      await node.write("m f=3,more=1 3\nother f=1 1");
      await node.snapshotter.take(FOREVER);
      await adoption.step(term);
    });
    assert.equal(await compactor.step(term, FOREVER), true);
    assert.equal(compactor.history.events.at(-1)?.outcome, "success");
    // The merged one, and one of each table of the last snapshot.
    assert.equal(filesOf(node).length, 3);
    assert.equal(node.manifest.state.needs.catalog, node.catalog.state.position);
    assert.deepEqual(sorted(await node.rows("SELECT f, more FROM m")), [
      '{"f":1,"more":null}',
      '{"f":2,"more":null}',
      '{"f":3,"more":1}',
    ]);
  });

  test("is published under another retention unless rows that it left out count again", async () => {
    const hour = 3_600_000_000_000n;
    const fileCount = 8;
    // Each file has a row of five hours ago and one of ten; what is past its retention by two hours is left out.
    const cases = [
      { before: undefined, after: hour, published: true },
      { before: 8n * hour, after: hour, published: true },
      { before: 7n * hour, after: 20n * hour, published: false },
      { before: 7n * hour, after: undefined, published: false },
      { before: 20n * hour, after: undefined, published: true },
    ];
    for (const { after, before, published } of cases) {
      const snapshotter = { fileRowCountMin: 1_000 };
      await using node = await SmallNode.open({ store: memoryStore(), snapshotter });
      for (let index = 0; index < fileCount; index += 1) {
        const atNs = node.clock.nowNs() + BigInt(index);
        await node.write(`m f=1 ${atNs - 10n * hour}\nm f=2 ${atNs - 5n * hour}`);
        await node.snapshotter.take(FOREVER);
      }
      if (before !== undefined) await node.catalog.setRetention("db", before);
      const term = await adopt(node);
      const compactor = interrupted(node, async () => {
        await node.catalog.setRetention("db", after);
        await node.manifest.raiseBarrier(node.catalog.state.position);
      });
      const what = `${before} to ${after}`;
      assert.equal(await compactor.step(term, FOREVER), published, what);
      assert.equal(filesOf(node).length, published ? 1 : fileCount, what);
      if (!published) assert.deepEqual(await compactedKeys(node.store), [], what);
      if (after === undefined) assert.equal((await node.rows(ALL)).length, 2 * fileCount, what);
    }
  });

  test("is not published where the database is dropped meanwhile", async () => {
    await using node = await withSnapshots(["m f=1 1", "m f=2 2"]);
    const term = await adopt(node);
    const compactor = interrupted(node, async () => {
      await node.catalog.dropDatabase("db", { nowNs: 1n, hardDeleteAtNs: undefined });
    });
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.deepEqual(await compactedKeys(node.store), []);
    assert.equal(compactor.history.events.at(-1)?.outcome, "stale");
  });

  test("what no entry names is deleted later where the store refuses at first, and never before that is known", async () => {
    await using node = await withSnapshots(["m f=1 1", "m f=2 2"]);
    const term = await adopt(node);
    let refuses = true;
    const store = storeWith(node.store, {
      delete: async (key) => {
        if (refuses) throw new DbError("unavailable", "store_unreachable", "no answer came");
        await node.store.delete(key);
      },
      putIfAbsent: async (key, bytes) => {
        await node.store.putIfAbsent(key, bytes);
        if (refuses) throw new DbError("unavailable", "store_denied", "this key is refused");
      },
    });
    const compactor = compactorOf(node, { store });
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.equal((await compactedKeys(node.store)).length, 1);
    refuses = false;
    await node.clock.advance(HOUR);
    assert.equal(await compactor.step(term, FOREVER), true);
    assert.deepEqual(
      await compactedKeys(node.store),
      filesOf(node).map(({ key }) => key),
    );
  });

  test("what waits its turn is planned anew before the work where the manifest names a newer catalog version", async () => {
    const hour = 3_600_000_000_000n;
    await using node = await withSnapshots(
      [0n, 1n, hour, hour + 1n].map((time) => `m f=1 ${time}`),
    );
    const term = await adopt(node);
    const compactor = compactorOf(node);
    assert.equal(await compactor.step(term, FOREVER), true);
    await node.catalog.setRetention("db", 10n ** 18n);
    await node.catalog.setRetention("db", undefined);
    await node.manifest.raiseBarrier(node.catalog.state.position);
    assert.equal(await compactor.step(term, FOREVER), true);
    assert.equal(compactor.history.events.at(-1)?.outcome, "success");
  });

  test("rows past their retention are hidden at once, and gone some hours later", async () => {
    const store = memoryStore();
    await using node = await SmallNode.open({ store });
    const nowNs = node.clock.nowNs();
    const minutesAgo = (minutes: number) => nowNs - BigInt(minutes) * 60_000_000_000n;
    for (const minutes of [400, 70, 65, 1]) {
      await node.write(`m f=${minutes} ${minutesAgo(minutes)}`);
      await node.snapshotter.take(FOREVER);
    }
    await node.catalog.setRetention("db", 3_600_000_000_000n);
    assert.deepEqual(await node.rows("SELECT f FROM m"), [{ f: 1 }]);
    const term = await adopt(node);
    await compactAll(compactorOf(node), term);
    const rows = () => filesOf(node).reduce((sum, { rowCount }) => sum + rowCount, 0);
    // The file of the first row went unread; those of the next two may be within the difference of clocks.
    assert.equal(rows(), 3);
    await node.clock.advance(3 * HOUR);
    await compactAll(compactorOf(node), term);
    assert.equal(rows(), 0);
    assert.deepEqual(filesOf(node), []);
  });

  test("a table's own retention stands in place of its database's", async () => {
    await using node = await withSnapshots(["m f=1 1\nn f=1 1"]);
    await node.catalog.setRetention("db", 3_600_000_000_000n);
    const table = { database: "db", table: "m" };
    await node.catalog.change((state) => setTableRetention(state, table, 2n ** 62n));
    await compactAll(compactorOf(node), await adopt(node));
    assert.equal(filesOf(node).length, 1);
    assert.deepEqual(await node.rows("SELECT f FROM m"), [{ f: 1 }]);
    assert.deepEqual(await node.rows("SELECT f FROM n"), []);
  });

  test("a table that cannot be compacted is left alone for a while, and the others go on", async () => {
    await using node = await withSnapshots(["m f=1 1\nn f=1 1", "m f=2 2\nn f=2 2"]);
    const term = await adopt(node);
    const broken = filesOf(node)[0];
    assert.ok(broken);
    await node.store.delete(broken.key);
    const compactor = compactorOf(node);
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.match(compactor.history.events.at(-1)?.detail ?? "", /gone/);
    assert.equal(await compactor.step(term, FOREVER), true);
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.deepEqual([compactor.history.counts.failed, compactor.history.counts.published], [1, 1]);
    assert.equal(filesOf(node).length, 3);
  });

  test("a damaged file keeps no others of its table from being merged", async () => {
    const store = memoryStore();
    await using node = await withSnapshots(["m f=1 1", "m f=2 2", "m f=3 3"], store);
    const term = await adopt(node);
    const [damaged] = filesOf(node);
    assert.ok(damaged);
    await store.put(
      damaged.key,
      (await store.get(damaged.key))?.map((byte) => byte ^ 1) ?? utf8(""),
    );
    const compactor = compactorOf(node);
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.equal(await compactor.step(term, FOREVER), true);
    assert.deepEqual([compactor.history.counts.failed, compactor.history.counts.published], [1, 1]);
    assert.equal(filesOf(node).length, 2);
    assert.ok(filesOf(node).includes(damaged));
  });

  test("ends where the engine's memory holds fewer rows than a file should have", async () => {
    await using node = await withSnapshots(
      [0, 4].map((from) => [1, 2, 3, 4].map((i) => `m f=1 ${from + i}`).join("\n")),
    );
    const term = await adopt(node);
    const small: Pick<Engine, "compact"> = {
      compact: (request, signal) =>
        node.engine.compact({ ...request, rowCountMax: Math.min(request.rowCountMax, 4) }, signal),
    };
    const compactor = compactorOf(node, { engine: { ...node.engine, ...small } });
    for (let step = 0; step < 20; step += 1) await compactor.step(term, FOREVER);
    assert.equal(compactor.history.counts.published, 1);
    assert.equal(await compactor.step(term, FOREVER), false);
    assert.equal((await node.rows(ALL)).length, 8);
  });

  test("tables of a dropped database are not touched", async () => {
    await using node = await withSnapshots(["m f=1 1", "m f=2 2"]);
    const term = await adopt(node);
    await node.catalog.dropDatabase("db", { nowNs: 1n, hardDeleteAtNs: undefined });
    assert.equal(await compactorOf(node).step(term, FOREVER), false);
    assert.equal(filesOf(node).length, 2);
  });

  test("who stops leaves nothing behind", async () => {
    await using node = await withSnapshots(["m f=1 1", "m f=2 2"]);
    const term = await adopt(node);
    const end = new AbortController();
    const reason = new DbError("unavailable", "node_stopping", "this node is stopping");
    const store = storeWith(node.store, {
      putIfAbsent: async (key, bytes) => {
        await node.store.putIfAbsent(key, bytes);
        end.abort(reason);
      },
    });
    await assert.rejects(
      compactorOf(node, { store }).step(term, end.signal),
      (error) => error === reason,
    );
    assert.deepEqual(await compactedKeys(node.store), []);
    assert.equal(filesOf(node).length, 2);
  });
});

function sorted(rows: readonly object[]): readonly string[] {
  return rows.map((row) => toJson(row)).toSorted();
}
