import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import { settle } from "#testing/hand-clock.ts";
import { SmallNode } from "#testing/small-node.ts";
import { LogKeeper, type SnapshotLimits } from "./log-keeper.ts";

const FOREVER = new AbortController().signal;

const NEVER: SnapshotLimits = {
  snapshotSizeBytes: 2 ** 40,
  snapshotAgeMs: 2 ** 40,
  snapshotRowCount: 2 ** 40,
  flushesPerSnapshot: undefined,
  bufferSizeMax: 2 ** 40,
  checkpointEntries: 2 ** 40,
};

/** A keeper of a node's log, with limits that are never met but for `some`. */
async function keep(some: Partial<SnapshotLimits>, failures: unknown[] = []) {
  const node = await SmallNode.open();
  let bufferSizeBytes = 0;
  let takenCount = 0;
  const warnings: string[] = [];
  const keeper = new LogKeeper({
    writer: node.writer,
    takeSnapshot: async (signal) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const taken = await node.snapshotter.take(signal);
      if (taken) takenCount += 1;
      return taken;
    },
    unsavedSizeBytes: () => node.buffer.of(node.node).unsavedSizeBytes,
    unsavedRowCount: () => node.buffer.of(node.node).rowCount,
    bufferSizeBytes: () => bufferSizeBytes,
    adopted: () => node.adopted(),
    clock: node.clock,
    log: { ...node.ports.log, warn: (message) => warnings.push(message) },
    limits: { ...NEVER, ...some },
  });
  return {
    node,
    keeper,
    warnings,
    setBufferSizeBytes: (sizeBytes: number) => {
      bufferSizeBytes = sizeBytes;
    },
    get takenCount() {
      return takenCount;
    },
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

suite("a snapshot is due", () => {
  test("at no limit: never", async () => {
    await using kept = await keep({});
    await kept.node.write("m f=1 1");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 0);
  });

  test("at the size of blocks", async () => {
    await using kept = await keep({ snapshotSizeBytes: 150 });
    await kept.node.write("m f=1 1");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 0);
    await kept.node.write("m f=1 2");
    await kept.node.write("m f=1 3");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 1);
    assert.equal(kept.keeper.counts.taken, 1);
  });

  test("at a number of rows", async () => {
    await using kept = await keep({ snapshotRowCount: 3 });
    await kept.node.write("m f=1 1\nn f=1 1");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 0);
    await kept.node.write("m f=1 2");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 1);
  });

  test("at the age of the oldest flush since it was first seen, again after each snapshot", async () => {
    await using kept = await keep({ snapshotAgeMs: 1_000 });
    const { node, keeper } = kept;
    await keeper.step(FOREVER);
    await node.clock.advance(5_000);
    await node.write("m f=1 1");
    await keeper.step(FOREVER);
    await node.clock.advance(999);
    await node.write("m f=1 2");
    await keeper.step(FOREVER);
    assert.equal(kept.takenCount, 0, "an idle node's age begins with its first flush");
    await node.clock.advance(1);
    await keeper.step(FOREVER);
    assert.equal(kept.takenCount, 1);
    await node.write("m f=1 3");
    await keeper.step(FOREVER);
    await node.clock.advance(999);
    await keeper.step(FOREVER);
    assert.equal(kept.takenCount, 1);
  });

  test("at a number of flushes, where one is given", async () => {
    await using kept = await keep({ flushesPerSnapshot: 2 });
    await kept.node.write("m f=1 1");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 0);
    await kept.node.write("m f=1 2");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 1);
  });

  test("at what buffered rows take, and only when there is something of its own", async () => {
    await using kept = await keep({ bufferSizeMax: 1_000 });
    kept.setBufferSizeBytes(1_000);
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 0);
    await kept.node.write("m f=1 1");
    await kept.keeper.step(FOREVER);
    assert.equal(kept.takenCount, 1);
  });
});

suite("the log is kept short", () => {
  test("a checkpoint after so many entries; what it and the manifest cover goes, fences stay", async () => {
    await using kept = await keep({ flushesPerSnapshot: 3, checkpointEntries: 5 });
    const { node, keeper } = kept;
    for (let time = 1; time <= 6; time++) {
      await node.write(`m f=1 ${time}`);
      await keeper.step(FOREVER);
    }
    assert.ok((await node.store.list("host01/log/checkpoint/")).length >= 1);
    assert.ok(node.writer.replayCount < 5);
    const entries = async () => (await node.store.list("host01/log/entry/")).length;
    assert.equal(await entries(), node.writer.state.position, "nothing goes that is not adopted");
    const office = await node.manifest.takeOver();
    const [first] = node.writer.state.snapshots;
    assert.ok(first);
    const body = { node: node.node, ...first, files: [...first.files] };
    const needs = { catalog: node.catalog.state.position, manifest: 0 };
    await node.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
    for (let time = 1; time <= 6; time++) {
      await node.write(`m f=1 ${time}`);
      await keeper.step(FOREVER);
    }
    // Entries 2 to `through` are gone, the fence at 1 is there.
    assert.equal(await entries(), node.writer.state.position - first.through + 1);
    assert.equal(node.writer.state.snapshots.length, 3);
  });

  test("a checkpoint after so much time, if the log has grown", async () => {
    await using kept = await keep({ checkpointIntervalMs: 1_000 });
    const { node, keeper } = kept;
    const newest = async () =>
      (await node.store.list("host01/log/checkpoint/")).at(-1)?.key.slice(-1);
    await node.write("m f=1 1");
    await node.clock.advance(999);
    await keeper.step(FOREVER);
    assert.equal(await newest(), undefined);
    await node.clock.advance(1);
    await keeper.step(FOREVER);
    assert.equal(await newest(), "2");
    await node.clock.advance(5_000);
    await keeper.step(FOREVER);
    assert.equal(await newest(), "2", "nothing was written since");
    await node.write("m f=1 2");
    await keeper.step(FOREVER);
    assert.equal(await newest(), "3");
    await node.write("m f=1 3");
    await keeper.step(FOREVER);
    assert.equal(await newest(), "3", "the time begins anew");
  });

  test("a stop leaves everything in files, and nothing to replay", async () => {
    await using kept = await keep({});
    await kept.node.write("m f=1 1");
    await kept.keeper.finish(FOREVER);
    assert.equal(kept.node.buffer.rowCount, 0);
    assert.equal(kept.node.writer.replayCount, 0);
    const { position } = kept.node.writer.state;
    await kept.keeper.finish(FOREVER);
    assert.equal(kept.node.writer.state.position, position);
  });

  test("a stop that is out of time writes nothing more", async () => {
    await using kept = await keep({});
    await kept.node.write("m f=1 1");
    await assert.rejects(kept.keeper.finish(AbortSignal.abort(new Error("late"))), /late/);
    assert.deepEqual(await kept.node.store.list("host01/log/checkpoint/"), []);
  });
});

suite("the keeper's loop", () => {
  test("goes on after a failure, and says so", async () => {
    await using kept = await keep({ flushesPerSnapshot: 1 }, [
      new Error("no room"),
      new Error("still"),
    ]);
    const end = new AbortController();
    await kept.node.write("m f=1 1");
    const running = kept.keeper.run(end.signal);
    await kept.node.clock.advance(2_500);
    assert.equal(kept.warnings.length, 2);
    assert.equal(kept.takenCount, 1);
    end.abort();
    await running;
    assert.equal(kept.node.clock.sleeperCount, 0);
  });

  test("an idle node learns within five minutes that it was replaced, and stops", async () => {
    await using kept = await keep({});
    const running = kept.keeper.run(FOREVER).catch((error: unknown) => error);
    await kept.node.clock.advance(1_000);
    await using newer = await SmallNode.open({ store: kept.node.store, seed: 2 });
    await kept.node.clock.advance(5 * 60_000);
    const error = await running;
    assert.ok(isKind(error, "conflict") && error.code === "node_fenced");
    assert.equal(newer.flusher.trouble, undefined);
  });

  test("a snapshot that is on its way ends with the signal", async () => {
    await using kept = await keep({ flushesPerSnapshot: 1 });
    const end = new AbortController();
    await kept.node.write("m f=1 1");
    const running = kept.keeper.run(end.signal);
    end.abort();
    await running;
    await settle();
    assert.equal(kept.node.clock.sleeperCount, 0);
    assert.deepEqual(kept.warnings, []);
  });
});
