import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ResultBatch } from "#model/query/result.ts";
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

  test("EXPLAIN ANALYZE counts the rows of the answer that it does not give", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1\nm f=2 2\nm f=3 3");
    const rows = await node.rows("EXPLAIN ANALYZE SELECT f FROM m WHERE f > 1");
    assert.deepEqual(
      rows.map(({ plan_type: type }) => type),
      ["logical_plan", "physical_plan", "Plan with Metrics"],
    );
    const [, physical, metrics] = rows.map(({ plan }) => JSON.stringify(plan));
    assert.match(physical ?? "", /scan m: files_read=0, .*buffered_parts=1/);
    assert.match(metrics ?? "", /output_rows=2, .*elapsed=[0-9.]+ms/);
    await node.snapshotter.take(FOREVER);
    const [, later] = await node.rows("EXPLAIN SELECT f FROM m WHERE time > now()");
    assert.match(JSON.stringify(later?.["plan"]), /files_read=0, files_pruned=1/);
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

/** What is asked for when a statement is described. */
function describe(node: SmallNode, text = "SELECT f FROM m", signal = FOREVER) {
  return node.queries.describe({ database: "db", text, parameters: {}, tokens: [] }, signal);
}

/** A store whose reads wait while it `hangs`. */
function hangingStore() {
  const inner = memoryStore();
  const gate = Promise.withResolvers<void>();
  const hanging = { hangs: false, store: inner, release: gate.resolve };
  hanging.store = storeWith(inner, {
    async get(key) {
      if (hanging.hangs) await gate.promise;
      return inner.get(key);
    },
  });
  return hanging;
}

suite("describing statements", () => {
  test("needs no place among the queries", async () => {
    await using watched = await watchedNode();
    const { node, watch } = watched;
    const answers = await Promise.all([ask(node), ask(node)]);
    assert.deepEqual(
      (await describe(node)).map(({ name }) => name),
      ["f"],
    );
    await Promise.all(answers.map(rowCount));
    await assertAtRest(node, watch);
  });

  test("has the time of a query, and few wait", async () => {
    const hanging = hangingStore();
    await using watched = await watchedNode({ store: hanging.store });
    const { node, watch } = watched;
    hanging.hangs = true;
    const late = { kind: "exceeded", code: "query_timeout" };
    const unknown = () => assert.rejects(describe(node, "SELECT * FROM unknown"), late);
    const waiting = Array.from({ length: 1_004 }, unknown);
    await settle();
    await assert.rejects(describe(node), { kind: "exceeded", code: "queries_full" });
    await node.clock.advance(60_000);
    await Promise.all(waiting);
    hanging.hangs = false;
    hanging.release();
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
    const hanging = hangingStore();
    await using watched = await watchedNode({ store: hanging.store });
    const { node, watch } = watched;
    hanging.hangs = true;
    const unknown = assert.rejects(ask(node, "SELECT * FROM unknown"), { code: "query_timeout" });
    await node.clock.advance(60_000);
    await unknown;
    hanging.hangs = false;
    hanging.release();
    await assertAtRest(node, watch);
  });
});
