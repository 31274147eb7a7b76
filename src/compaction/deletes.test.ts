import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { addDeletes } from "#catalog/deletes.ts";
import type { RowDelete, TagCondition } from "#model/row-delete.ts";
import { ALL_TIME, type TimeRange } from "#model/time-range.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { CompactRequest, Engine } from "#ports/engine.ts";
import { SmallNode } from "#testing/small-node.ts";
import { Compactor } from "./compactor.ts";
import { FinishedDeletes } from "./garbage/finished-deletes.ts";
import { Adoption } from "./office/adoption.ts";

const FOREVER = new AbortController().signal;
const ERASE_AFTER_MS = 120_000;
const CHECK_MS = 60_000;
const HOUR_NS = 3_600_000_000_000n;

/** A node with a compactor, and what the engine was asked to merge. */
async function openNode() {
  const requests: CompactRequest[] = [];
  const engine = (inner: Engine): Engine => ({
    append: (blocks) => inner.append(blocks),
    dropGeneration: (generation) => inner.dropGeneration(generation),
    writeFiles: (request, signal) => inner.writeFiles(request, signal),
    query: (plan, signal) => inner.query(plan, signal),
    bufferSizeBytes: () => inner.bufferSizeBytes(),
    compact(request, signal) {
      requests.push(request);
      return inner.compact(request, signal);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  });
  const node = await SmallNode.open({ engine });
  const { catalog, clock, manifest, ports, store } = node;
  const compactor = new Compactor({
    clusterId: "cluster01",
    catalog,
    manifest,
    engine: node.engine,
    store,
    clock,
    random: ports.random,
    log: ports.log,
    settings: {
      gen2DurationMs: 1_200_000,
      multipliers: [3],
      filesPerPlanMax: 500,
      inputSizeMax: 2 ** 30,
      rowLimit: 1_000_000,
      // Windows in which rows came in the last six of these are not merged yet.
      checkIntervalMs: CHECK_MS,
      eraseAfterMs: ERASE_AFTER_MS,
    },
  });
  return { node, compactor, requests, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

/** Deletes the rows of `m` that are in the log by now. */
async function deleteRows(
  { catalog, clock, node, writer }: SmallNode,
  time: TimeRange,
  condition?: TagCondition,
): Promise<void> {
  const cuts = [{ node, stamp: writer.state.lastStamp }];
  await catalog.change((state) => {
    const [table] = [...state.databases.values()].flatMap(({ tables }) => [...tables.values()]);
    assert.ok(table);
    return addDeletes(state, [{ table, condition }], { time, cuts, atNs: clock.nowNs() });
  });
}

async function adopt({ catalog, manifest, source }: SmallNode): Promise<Writer> {
  const term = await manifest.takeOver();
  await new Adoption({ catalog, manifest, logs: () => [source] }).step(term);
  return term;
}

async function workAll(node: SmallNode, compactor: Compactor, term: Writer): Promise<void> {
  const { catalog, clock, manifest, ports } = node;
  while (await compactor.step(term, FOREVER));
  const finished = new FinishedDeletes({ catalog, clock, manifest, log: ports.log });
  while (await finished.step());
}

function pending({ catalog }: SmallNode): readonly RowDelete[] {
  return [...catalog.state.deletes.values()].flat();
}

function filesOf({ manifest }: SmallNode) {
  return [...manifest.state.files].map(({ file }) => file);
}

/** Two files hours apart, of which a delete covers a row of the first. */
async function withDelete() {
  const opened = await openNode();
  const { node } = opened;
  await node.write(`m,t=a f=1 1\nm,t=b f=2 2\nm,t=a f=3 ${9n * HOUR_NS}`);
  await node.snapshotter.take(FOREVER);
  await deleteRows(node, { start: 0n, end: 1n });
  return opened;
}

suite("deletes of rows, carried out", () => {
  test("a file that may have covered rows is written anew after a while, others are not; then the delete is gone", async () => {
    await using opened = await withDelete();
    const { compactor, node, requests } = opened;
    const before = await node.rows("SELECT * FROM m ORDER BY time");
    assert.equal(before.length, 2);
    const term = await adopt(node);
    const [hour, later] = filesOf(node);
    await workAll(node, compactor, term);
    assert.deepEqual([requests.length, pending(node).length], [0, 1]);
    await node.clock.advance(ERASE_AFTER_MS + 1_000);
    await workAll(node, compactor, term);
    assert.deepEqual(
      requests.map(({ files }) => files.map(({ file }) => file.key)),
      [[hour?.key]],
    );
    assert.deepEqual(pending(node), []);
    const [made, same] = filesOf(node);
    assert.deepEqual([made?.rowCount, made?.deletesBelow, same?.key], [1, 2, later?.key]);
    assert.deepEqual(await node.rows("SELECT * FROM m ORDER BY time"), before);
    // The catalog that has forgotten it names the manifest in which its rows are gone.
    assert.equal(node.catalog.state.needs.manifest, node.manifest.state.position);
  });

  test("a file of covered rows alone goes", async () => {
    await using opened = await withDelete();
    const { compactor, node } = opened;
    await deleteRows(node, ALL_TIME);
    const term = await adopt(node);
    await node.clock.advance(ERASE_AFTER_MS + 1_000);
    await workAll(node, compactor, term);
    assert.deepEqual([filesOf(node), pending(node)], [[], []]);
    assert.deepEqual(await node.rows("SELECT * FROM m"), []);
  });

  test("it stays while rows that it covers are in no file of the manifest", async () => {
    await using opened = await withDelete();
    const { compactor, node } = opened;
    const term = await adopt(node);
    await node.write("m,t=a f=4 1");
    await deleteRows(node, { start: 1n, end: 1n });
    await node.clock.advance(ERASE_AFTER_MS + 1_000);
    await workAll(node, compactor, term);
    assert.deepEqual(
      pending(node).map(({ time }) => time.start),
      [1n],
    );
    assert.equal((await node.rows("SELECT * FROM m")).length, 2);
    await node.snapshotter.take(FOREVER);
    const next = await adopt(node);
    await node.clock.advance(CHECK_MS + 1_000);
    await workAll(node, compactor, next);
    assert.deepEqual(pending(node), []);
    assert.equal((await node.rows("SELECT * FROM m")).length, 2);
  });

  test("a delete that comes while files are merged is carried out in them later", async () => {
    await using opened = await withDelete();
    const { compactor, node, requests } = opened;
    const term = await adopt(node);
    await node.clock.advance(ERASE_AFTER_MS + 1_000);
    assert.equal(await compactor.step(term, FOREVER), true);
    await deleteRows(node, { start: 2n, end: 2n });
    await workAll(node, compactor, term);
    assert.equal(requests.length, 1);
    assert.equal((await node.rows("SELECT * FROM m")).length, 1);
    await node.clock.advance(ERASE_AFTER_MS + 1_000);
    await workAll(node, compactor, term);
    assert.deepEqual([requests.length, pending(node)], [2, []]);
    assert.equal((await node.rows("SELECT * FROM m")).length, 1);
  });
});
