import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { ResultBatch } from "#model/plan.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { Engine } from "#ports/engine.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode, type SmallNodeOptions } from "#testing/small-node.ts";
import type { QueryAnswer } from "./query.ts";

const FOREVER = new AbortController().signal;

function ask(node: SmallNode, text = "SELECT f FROM m", signal = FOREVER): Promise<QueryAnswer> {
  return node.queries.run({ database: "db", text, parameters: {}, tokens: [] }, signal);
}

async function rowCount(answer: QueryAnswer): Promise<number> {
  let count = 0;
  for await (const batch of answer.batches) count += batch.rowCount;
  return count;
}

/** Counts what runs in an engine that gives every row as a batch of its own, and that can be told to hang. */
class Watch {
  running = 0;
  hangs = false;

  wrap = (inner: Engine): Engine => ({
    append: (blocks) => inner.append(blocks),
    dropGeneration: (generation) => inner.dropGeneration(generation),
    writeFiles: (request, signal) => inner.writeFiles(request, signal),
    compact: (request, signal) => inner.compact(request, signal),
    bufferSizeBytes: () => inner.bufferSizeBytes(),
    query: (plan, signal) => this.#query(inner.query(plan, signal), signal),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  });

  async *#query(
    rows: AsyncIterable<ResultBatch>,
    signal: AbortSignal,
  ): AsyncGenerator<ResultBatch> {
    this.running += 1;
    try {
      for await (const { columns } of rows)
        for (const value of columns[0]?.type === "float64" ? columns[0].values : []) {
          if (this.hangs) await untilAborted(signal);
          signal.throwIfAborted();
          yield { rowCount: 1, columns: [{ type: "float64", values: Float64Array.of(value) }] };
        }
    } finally {
      this.running -= 1;
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

/** A node with three rows, and a watch on its engine. */
async function watchedNode(some: Partial<SmallNodeOptions> = {}) {
  const watch = new Watch();
  const node = await SmallNode.open({ engine: watch.wrap, ...some });
  await node.write("m f=1 1\nm f=2 2\nm f=3 3");
  return { node, watch, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

/** Nothing of any query is left: no place taken, no view held, no timer, nothing in the engine. */
async function assertAtRest(node: SmallNode, watch: Watch): Promise<void> {
  await settle();
  assert.equal(watch.running, 0);
  assert.equal(node.clock.sleeperCount, 0);
  await node.snapshotter.take(FOREVER);
  await settle();
  assert.equal(node.buffer.sizeBytes, 0, "a view is still held");
  const [first, second] = await Promise.all([ask(node), ask(node)]);
  await Promise.all([rowCount(first), rowCount(second)]);
}

suite("names in queries", () => {
  test("that nobody has are refused", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const refusals: readonly [text: string, database: string, code: string][] = [
      ["SELECT 1", "nowhere", "database_not_found"],
      ["SELECT * FROM n", "db", "table_not_found"],
      ["SELECT g FROM m", "db", "column_not_found"],
    ];
    for (const [text, database, code] of refusals)
      await assert.rejects(node.rows(text, { database }), { code });
    assert.equal(node.clock.sleeperCount, 0);
  });

  test("that this node has not heard of are asked for before they are refused", async () => {
    const store = memoryStore();
    await using writer = await SmallNode.open({ store });
    await using reader = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    for (const [line, text] of [
      ["m f=1 1", "SELECT f FROM m"],
      ["n f=1 1", "SELECT f FROM n"],
      ["n g=1 1", "SELECT g FROM n"],
    ] as const) {
      await writer.write(line);
      assert.deepEqual(await reader.rows(text), []);
    }
  });

  test("what the cluster says of itself is of now", async () => {
    const store = memoryStore();
    await using reader = await SmallNode.open({ store });
    await using other = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    const rows = await reader.rows("SELECT node_id FROM system.nodes", { database: "_internal" });
    assert.deepEqual(rows, [{ node_id: "host01" }, { node_id: other.nodeId }]);
  });
});

suite("places of queries", () => {
  test("so many run at a time, the others wait for them", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const [first, second] = await Promise.all([ask(node), ask(node)]);
    let third: QueryAnswer | undefined;
    const waiting = ask(node).then((answer) => (third = answer));
    await settle();
    assert.equal(watch.running, 2);
    assert.equal(third, undefined);
    assert.equal(await rowCount(first), 3);
    await waiting;
    assert.equal(watch.running, 2);
    await Promise.all([rowCount(second), waiting.then(rowCount)]);
    await assertAtRest(node, watch);
  });

  test("a place is given back by who reads all, who stops reading, who never begins, and who leaves", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    await rowCount(await ask(node));
    for await (const batch of (await ask(node)).batches) {
      assert.equal(batch.rowCount, 1);
      break;
    }
    const never = (await ask(node)).batches[Symbol.asyncIterator]();
    await never.return?.();
    const leaving = new AbortController();
    await ask(node, undefined, leaving.signal);
    leaving.abort(new Error("gone"));
    await assertAtRest(node, watch);
  });

  test("who leaves while waiting for a place is not waited for, and takes none", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const answers = await Promise.all([ask(node), ask(node)]);
    const leaving = new AbortController();
    const waiting = assert.rejects(ask(node, undefined, leaving.signal), /gone/);
    leaving.abort(new Error("gone"));
    await waiting;
    await Promise.all(answers.map(rowCount));
    await assertAtRest(node, watch);
  });

  test("a place is given back by queries that fail", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    for (let round = 0; round < 3; round++) {
      await assert.rejects(ask(node, "SELECT nothing FROM m"), { code: "column_not_found" });
      await assert.rejects(ask(node, "SELECT 1 / 0 FROM m"), { code: "divide_by_zero" });
      await assert.rejects(ask(node, "SELECT"));
    }
    await assertAtRest(node, watch);
  });

  test("so many run at a time as is said later", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    node.queries.limitConcurrency(1);
    const first = await ask(node);
    const waiting = ask(node);
    await settle();
    assert.equal(watch.running, 1);
    node.queries.limitConcurrency(undefined);
    assert.equal(node.queries.concurrentMax, 2);
    await Promise.all([rowCount(await waiting), rowCount(first)]);
    for (const limit of [0, 3, 1.5, Number.NaN])
      assert.throws(() => node.queries.limitConcurrency(limit), { code: "query_limit_range" });
    await assertAtRest(node, watch);
  });

  test("more than may wait are refused", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const answers = await Promise.all([ask(node), ask(node)]);
    const leaving = new AbortController();
    const waiting = Array.from({ length: 1_000 }, () =>
      assert.rejects(ask(node, undefined, leaving.signal), /gone/),
    );
    await settle();
    await assert.rejects(ask(node), { kind: "exceeded", code: "queries_full" });
    leaving.abort(new Error("gone"));
    await Promise.all(waiting);
    await Promise.all(answers.map(rowCount));
    await assertAtRest(node, watch);
  });
});

suite("the time of queries", () => {
  test("a query that runs too long ends, and says so", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    watch.hangs = true;
    const asking = assert.rejects(ask(node), { kind: "exceeded", code: "query_timeout" });
    await node.clock.advance(60_000);
    await asking;
    watch.hangs = false;
    await assertAtRest(node, watch);
  });

  test("a query that hangs between its rows ends, and says so", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const answer = await ask(node);
    watch.hangs = true;
    const reading = assert.rejects(rowCount(answer), { code: "query_timeout" });
    await node.clock.advance(60_000);
    await reading;
    watch.hangs = false;
    await assertAtRest(node, watch);
  });

  test("an answer that nobody reads ends too, and is not taken for whole afterwards", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const unread = await ask(node);
    const begun = (await ask(node)).batches[Symbol.asyncIterator]();
    assert.equal((await begun.next()).done, false);
    await node.clock.advance(60_000);
    await settle();
    assert.equal(watch.running, 0);
    await assert.rejects(rowCount(unread), { code: "query_timeout" });
    await assert.rejects(begun.next(), { code: "query_timeout" });
    await assertAtRest(node, watch);
  });

  test("waiting for a place counts", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const answers = await Promise.all([ask(node), ask(node)]);
    await node.clock.advance(30_000);
    watch.hangs = true;
    let endedMs = 0;
    const waiting = assert
      .rejects(ask(node), { code: "query_timeout" })
      .then(() => (endedMs = node.clock.monotonicMs()));
    await node.clock.advance(60_000);
    await waiting;
    assert.equal(endedMs, 90_000);
    for (const answer of answers) await assert.rejects(rowCount(answer), { code: "query_timeout" });
    watch.hangs = false;
    await assertAtRest(node, watch);
  });

  test("a store that does not answer is not waited for beyond it", async () => {
    const inner = memoryStore();
    let hangs = false;
    const gate = Promise.withResolvers<void>();
    const store = storeWith(inner, {
      async get(key) {
        if (hangs) await gate.promise;
        return inner.get(key);
      },
    });
    await using watched = await watchedNode({ store });
    const { node, watch } = watched;
    hangs = true;
    const unknown = assert.rejects(ask(node, "SELECT * FROM unknown"), { code: "query_timeout" });
    await node.clock.advance(60_000);
    await unknown;
    hangs = false;
    gate.resolve();
    await assertAtRest(node, watch);
  });
});

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
