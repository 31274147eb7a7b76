import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { parseText } from "#lineprotocol/rows.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { STAMP_NONE } from "#model/stamp.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { PlainBody, plainStage } from "#staging/plain-stage.ts";
import type { Stage } from "#staging/stage.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode, type SmallNodeOptions } from "#testing/small-node.ts";
import { BATCH_ROW_COUNT_MAX } from "./rows.ts";

const NEVER = new AbortController().signal;
const ENTRY = /^host01\/log\/entry\//;

/** A node whose store calls `onPut` for each entry of the node's log, and puts when that resolves. */
async function nodeWith(
  onPut: (count: number) => Promise<void> | void,
  some: Partial<SmallNodeOptions> = {},
): Promise<SmallNode> {
  const inner = memoryStore();
  let count = -1;
  const store = storeWith(inner, {
    async putIfAbsent(key, body) {
      // The first is the fence.
      if (ENTRY.test(key)) count += 1;
      if (ENTRY.test(key) && count > 0) await onPut(count);
      await inner.putIfAbsent(key, body);
    },
  });
  return SmallNode.open({ ...some, store });
}

/** One row of table 1 at `time`; `rowCount` is what is said of it. */
function item(time: bigint, rowCount = 1) {
  const body = new PlainBody(parseText(`m f=1 ${time}`));
  const target = {
    databaseId: 1 as DatabaseId,
    tableId: 1 as TableId,
    columnIds: [1 as ColumnId],
  };
  const rows = [{ body, tableIndex: 0, rows: { start: 0, end: rowCount }, target }];
  return { rows, catalogVersion: 0, stampFloor: STAMP_NONE };
}

/** As item; tells who holds its rows. */
function heldItem(time: bigint) {
  const made = item(time);
  let holderCount = 0;
  for (const { body } of made.rows)
    body.hold = () => {
      holderCount += 1;
      return () => {
        holderCount -= 1;
      };
    };
  return { ...made, holderCount: () => holderCount };
}

/** Takes each part for its one row. */
const oneRowStage: Stage = {
  ...plainStage,
  encode: (parts) =>
    plainStage.encode(parts.map((part) => ({ ...part, rows: { start: 0, end: 1 } }))),
};

suite("group commit", () => {
  test("one flush is on its way, and what arrives meanwhile rides the next one together", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let running = 0;
    let most = 0;
    await using node = await nodeWith(async (count) => {
      running += 1;
      most = Math.max(most, running);
      await gates[count - 1]?.promise;
      running -= 1;
    });
    const first = node.flusher.add(item(1n));
    await settle();
    const others = [2n, 3n, 4n].map((time) => node.flusher.add(item(time)));
    await settle();
    assert.equal(running, 1);
    gates[0]?.resolve();
    gates[1]?.resolve();
    const receipts = await Promise.all([first, ...others]);
    const [one, two] = receipts.map(({ position }) => position);
    assert.deepEqual(
      receipts.map(({ position }) => position),
      [one, two, two, two],
    );
    assert.equal(two, (one ?? 0) + 1);
    assert.equal(most, 1);
    assert.ok((receipts[1]?.stamp ?? 0n) > (receipts[0]?.stamp ?? 0n));
  });

  test("nothing is acknowledged before it is put and its rows are in the engine", async () => {
    const put = Promise.withResolvers<void>();
    const append = Promise.withResolvers<void>();
    await using node = await nodeWith(() => put.promise, {
      engine: (inner) => ({
        append: async (blocks) => {
          await append.promise;
          await inner.append(blocks);
        },
        dropGeneration: (generation) => inner.dropGeneration(generation),
        query: (plan, signal) => inner.query(plan, signal),
        writeFiles: (request, signal) => inner.writeFiles(request, signal),
        compact: (request, signal) => inner.compact(request, signal),
        bufferSizeBytes: () => inner.bufferSizeBytes(),
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      }),
    });
    let acknowledged = false;
    const adding = node.flusher.add(item(1n)).then(() => (acknowledged = true));
    await settle();
    assert.equal(acknowledged, false);
    put.resolve();
    await settle();
    assert.equal(acknowledged, false);
    append.resolve();
    await adding;
  });

  test("a flush takes whole requests, up to so many rows", async () => {
    const gate = Promise.withResolvers<void>();
    await using node = await nodeWith((count) => (count === 1 ? gate.promise : undefined), {
      flusher: { stage: oneRowStage },
    });
    const first = node.flusher.add(item(0n));
    await settle();
    const half = BATCH_ROW_COUNT_MAX / 2;
    const rest = [half, half, 1, BATCH_ROW_COUNT_MAX].map((rowCount, index) =>
      node.flusher.add(item(BigInt(index + 1), rowCount)),
    );
    gate.resolve();
    const base = (await first).position;
    const positions = (await Promise.all(rest)).map(({ position }) => position - base);
    assert.deepEqual(positions, [1, 1, 2, 3]);
  });

  test("flushes start no more often than the interval says, and the first at once", async () => {
    const startsMs: number[] = [];
    await using node = await nodeWith(() => void startsMs.push(node.clock.monotonicMs()), {
      flusher: { flushIntervalMs: 100 },
    });
    await node.clock.advance(1_000);
    for (const time of [1n, 2n, 3n]) {
      void node.flusher.add(item(time));
      await node.clock.advance(30);
    }
    await node.clock.advance(500);
    void node.flusher.add(item(4n));
    await settle();
    assert.deepEqual(startsMs, [1_000, 1_100, 1_590]);
  });

  test("the receipt names the catalog as it was while the rows were put", async () => {
    await using node = await SmallNode.open();
    await using other = await SmallNode.open({ store: node.store, nodeId: "host02", seed: 2 });
    await other.catalog.createDatabase("new", undefined, { databaseCountMax: 9 });
    const { catalog } = await node.flusher.add(item(1n));
    assert.ok(catalog.databaseIds.has("new"));
  });

  test("stamps are above what the log has and what requests bring, though the clock stands", async () => {
    await using node = await SmallNode.open();
    const { stamp: first } = await node.flusher.add(item(1n));
    const { stamp: second } = await node.flusher.add(item(2n));
    const floor = second + 2n ** 40n;
    const { stamp: third } = await node.flusher.add({ ...item(3n), stampFloor: floor });
    const { stamp: last } = await node.flusher.add(item(4n));
    assert.ok(first < second && floor < third && third < last);
  });
});

suite("bounds of what is taken", () => {
  test("requests above the bound are refused until others are settled", async () => {
    await using node = await SmallNode.open({ flusher: { pendingSizeMax: 100 } });
    const release = await node.flusher.admit(60, NEVER);
    const other = await node.flusher.admit(60, NEVER);
    await assert.rejects(node.flusher.admit(1, NEVER), {
      kind: "exceeded",
      code: "write_queue_full",
    });
    release();
    (await node.flusher.admit(1, NEVER))();
    other();
    assert.equal(node.flusher.pendingSizeBytes, 0);
  });

  test("more requests than may wait are refused, however small, until others are settled", async () => {
    await using node = await SmallNode.open({ flusher: { pendingCountMax: 2 } });
    const releases = [await node.flusher.admit(1, NEVER), await node.flusher.admit(1, NEVER)];
    await assert.rejects(node.flusher.admit(1, NEVER), {
      kind: "exceeded",
      code: "write_queue_full",
      message: /2 writes wait .* at most 2 may \(--wal-max-buffered-writes\)/,
    });
    releases[0]?.();
    releases.push(await node.flusher.admit(1, NEVER));
    await assert.rejects(node.flusher.admit(1, NEVER), { code: "write_queue_full" });
  });

  test("a full buffer makes writes wait a moment, and refuses those for which no room is made", async () => {
    let sizeBytes = 10;
    await using node = await SmallNode.open({
      flusher: { bufferSizeBytes: () => sizeBytes, bufferSizeMax: 10 },
    });
    const refused = node.flusher.admit(1, NEVER);
    await Promise.all([
      assert.rejects(refused, { kind: "exceeded", code: "buffer_full" }),
      node.clock.advance(2_000),
    ]);
    assert.equal(node.flusher.pendingSizeBytes, 0);
    const taken = node.flusher.admit(1, NEVER);
    await node.clock.advance(500);
    assert.equal(node.flusher.pendingSizeBytes, 1);
    sizeBytes = 9;
    await node.clock.advance(100);
    (await taken)();
    const left = new AbortController();
    sizeBytes = 10;
    const abandoned = node.flusher.admit(1, left.signal);
    left.abort(new Error("the client left"));
    await assert.rejects(abandoned, /the client left/);
    assert.equal(node.flusher.pendingSizeBytes, 0);
  });
});

suite("a store in trouble", () => {
  for (const code of ["store_full", "store_read_only", "store_denied", "store_missing"]) {
    test(`that says ${code}: those who wait are told at once, more is refused, until a put succeeds`, async () => {
      let broken = true;
      await using node = await nodeWith(() => {
        if (broken) throw new DbError("unavailable", code, "the disk says no");
      });
      const waiting = [node.flusher.add(item(1n))];
      waiting.push(node.flusher.add(item(2n)));
      for (const write of waiting) await assert.rejects(write, { kind: "unavailable", code });
      assert.equal(node.flusher.trouble?.code, code);
      await assert.rejects(node.flusher.admit(1, NEVER), { code });
      await assert.rejects(node.flusher.add(item(3n)), { code });
      broken = false;
      await node.clock.advance(10_000);
      await node.flusher.drain();
      assert.equal(node.flusher.trouble, undefined);
      // Both may have been in the store: they are, in the end.
      assert.equal(node.buffer.rowCount, 2);
      await node.flusher.add(item(4n));
    });
  }

  test("tells those as well who wait for the next flush, and keeps what they sent", async () => {
    const gate = Promise.withResolvers<void>();
    let broken = true;
    await using node = await nodeWith(async () => {
      await gate.promise;
      if (broken) throw new DbError("unavailable", "store_full", "the disk is full");
    });
    const [one, two] = [heldItem(1n), heldItem(2n)];
    const first = assert.rejects(node.flusher.add(one), { code: "store_full" });
    await settle();
    const second = assert.rejects(node.flusher.add(two), { code: "store_full" });
    gate.resolve();
    await Promise.all([first, second]);
    assert.equal(two.holderCount(), 1);
    broken = false;
    await node.clock.advance(10_000);
    await node.flusher.drain();
    assert.equal(node.buffer.rowCount, 2);
    assert.deepEqual([one.holderCount(), two.holderCount()], [0, 0]);
  });

  test("that does not answer: those who wait go on waiting, until it does", async () => {
    let broken = true;
    await using node = await nodeWith(() => {
      if (broken) throw new DbError("unavailable", "store_unreachable", "no answer");
    });
    let settled = false;
    const write = node.flusher.add(item(1n)).finally(() => (settled = true));
    await node.clock.advance(20_000);
    assert.equal(settled, false);
    assert.equal(node.flusher.trouble, undefined);
    broken = false;
    await node.clock.advance(20_000);
    await write;
  });
});

suite("the end of a flusher", () => {
  test("drain waits for what was added and no longer", async () => {
    const gate = Promise.withResolvers<void>();
    await using node = await nodeWith(() => gate.promise);
    await node.flusher.drain();
    const writes = [node.flusher.add(item(1n)), node.flusher.add(item(2n))];
    let drained = false;
    const draining = node.flusher.drain().then(() => (drained = true));
    await settle();
    assert.equal(drained, false);
    gate.resolve();
    await draining;
    await Promise.all(writes);
  });

  test("a stop refuses those who wait and those who come, though a put never returns", async () => {
    await using node = await nodeWith(() => new Promise(() => undefined));
    const writes = [node.flusher.add(item(1n))];
    await settle();
    writes.push(node.flusher.add(item(2n)));
    const draining = node.flusher.drain();
    const refused = writes.map((write) => assert.rejects(write, { code: "node_stopping" }));
    await node.stop();
    await Promise.all([...refused, draining]);
    await assert.rejects(node.flusher.add(item(3n)), { code: "node_stopping" });
    await assert.rejects(node.flusher.admit(1, NEVER), {
      kind: "unavailable",
      code: "node_stopping",
    });
  });

  test("a newer process of this node ends it: those who wait are sent elsewhere", async () => {
    await using node = await SmallNode.open();
    await using newer = await SmallNode.open({ store: node.store, seed: 2 });
    await assert.rejects(node.flusher.add(item(1n)), { code: "node_fenced" });
    const ended = await node.flushing;
    assert.equal((ended as DbError).code, "node_fenced");
    assert.equal(node.flusher.trouble?.code, "node_stopped");
    await assert.rejects(node.flusher.admit(1, NEVER), {
      kind: "unavailable",
      code: "node_stopped",
    });
    await newer.flusher.add(item(1n));
  });
});
