import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { dropTable } from "#catalog/tables.ts";
import type { DataFile } from "#model/data-file.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { Engine } from "#ports/engine.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { dataPrefix } from "./snapshotter.ts";

const FOREVER = new AbortController().signal;
const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;

function filesOf(node: SmallNode): readonly DataFile[] {
  return node.writer.state.snapshots.flatMap(({ files }) => files);
}

async function keysIn(node: SmallNode): Promise<readonly string[]> {
  return (await node.store.list(dataPrefix("host01"))).map(({ key }) => key);
}

/** `inner`, of which some methods are `changed`. */
function engineWith(inner: Engine, changed: Partial<Engine>): Engine {
  return {
    append: (blocks) => inner.append(blocks),
    dropGeneration: (generation) => inner.dropGeneration(generation),
    writeFiles: (request, signal) => inner.writeFiles(request, signal),
    compact: (request, signal) => inner.compact(request, signal),
    query: (plan, signal) => inner.query(plan, signal),
    bufferSizeBytes: () => inner.bufferSizeBytes(),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    ...changed,
  };
}

/** An engine that makes files once `gate` is settled. */
function slowFiles(gate: Promise<void>) {
  return (inner: Engine): Engine =>
    engineWith(inner, {
      async *writeFiles(request, signal) {
        await gate;
        yield* inner.writeFiles(request, signal);
      },
    });
}

suite("a snapshot", () => {
  test("moves the rows into files, and the answers stay", async () => {
    await using node = await SmallNode.open();
    await node.write('m,t=a f=1,s="x" 5\nm,t=b f=2 6\nn g=1i 7');
    await node.write("m,t=a f=3 5");
    const before = await node.rows("SELECT * FROM m ORDER BY time");
    assert.equal(await node.snapshotter.take(FOREVER), true);
    assert.equal(node.buffer.rowCount, 0);
    assert.deepEqual(await node.rows("SELECT * FROM m ORDER BY time"), before);
    assert.deepEqual(await node.rows("SELECT g FROM n"), [{ g: 1n }]);
    const files = filesOf(node);
    assert.deepEqual(
      files.map(({ key }) => key).toSorted((a, b) => (a < b ? -1 : 1)),
      await keysIn(node),
    );
    assert.match(
      files[0]?.key ?? "",
      /^host01\/data\/1\/1\/1970-01-01T00-00\/1-[0-9a-f]{16}\.parquet$/,
    );
    assert.deepEqual(
      files.map(({ rowCount, unique, node: writer }) => [rowCount, unique, writer]),
      [
        [3, false, 1],
        [1, true, 1],
      ],
    );
  });

  test("of nothing is none", async () => {
    await using node = await SmallNode.open();
    assert.equal(await node.snapshotter.take(FOREVER), false);
    await node.write("m f=1 1");
    assert.equal(await node.snapshotter.take(FOREVER), true);
    const { position } = node.writer.state;
    assert.equal(await node.snapshotter.take(FOREVER), false);
    assert.equal(node.writer.state.position, position);
  });

  test("rows stay in the buffer that came while it was made", async () => {
    const writing = Promise.withResolvers<void>();
    await using node = await SmallNode.open({ engine: slowFiles(writing.promise) });
    await node.write("m f=1 1");
    const taking = node.snapshotter.take(FOREVER);
    await settle();
    await node.write("m f=2 2");
    assert.equal((await node.rows("SELECT f FROM m")).length, 2);
    writing.resolve();
    await taking;
    assert.equal(node.buffer.rowCount, 1);
    assert.deepEqual(
      filesOf(node).map(({ rowCount }) => rowCount),
      [1],
    );
    assert.equal((await node.rows("SELECT f FROM m")).length, 2);
    await node.snapshotter.take(FOREVER);
    assert.equal((await node.rows("SELECT f FROM m")).length, 2);
    assert.equal(node.buffer.rowCount, 0);
  });

  test("rows that the engine has, and the log does not show yet, are not in its files", async () => {
    const shown = Promise.withResolvers<void>();
    let slow = false;
    await using node = await SmallNode.open({
      engine: (inner) =>
        engineWith(inner, {
          async append(blocks) {
            await inner.append(blocks);
            if (slow) await shown.promise;
          },
        }),
    });
    await node.write("m f=1 1");
    slow = true;
    const writing = node.write("m f=2 2");
    await settle();
    const taking = node.snapshotter.take(FOREVER);
    await settle();
    shown.resolve();
    await Promise.all([writing, taking]);
    assert.deepEqual(
      filesOf(node).map(({ rowCount }) => rowCount),
      [1],
    );
    assert.equal((await node.rows("SELECT f FROM m")).length, 2);
  });

  test("two at once follow each other: no row is in two files", async () => {
    const writing = Promise.withResolvers<void>();
    await using node = await SmallNode.open({ engine: slowFiles(writing.promise) });
    await node.write("m f=1 1");
    const first = node.snapshotter.take(FOREVER);
    await settle();
    await node.write("m f=2 2");
    const second = node.snapshotter.take(FOREVER);
    await settle();
    writing.resolve();
    assert.deepEqual(await Promise.all([first, second]), [true, true]);
    assert.deepEqual(
      filesOf(node).map(({ rowCount }) => rowCount),
      [1, 1],
    );
  });

  test("rows of a dropped database, and of a dropped table, are left out", async () => {
    await using node = await SmallNode.open();
    const times = { nowNs: 1n, hardDeleteAtNs: undefined };
    await node.write("m f=1 1");
    await node.write("m f=1 1\nn f=1 1", { database: "other" });
    await node.catalog.dropDatabase("db", times);
    const name = { database: "other", table: "n" };
    await node.catalog.change((state) => dropTable(state, name, "table", times));
    await node.snapshotter.take(FOREVER);
    assert.equal(filesOf(node).length, 1);
    assert.equal(node.buffer.rowCount, 0);
  });

  test("each file is told of before others can know of it", async () => {
    const told: string[] = [];
    await using node = await SmallNode.open({
      snapshotter: {
        onFile: async ({ key }) => {
          assert.deepEqual(await keysIn(node), told);
          told.push(key);
        },
      },
    });
    const week = Array.from({ length: 3 }, (_, index) => `m f=1 ${BigInt(index) * SECOND * 700n}`);
    await node.write(week.join("\n"));
    await node.snapshotter.take(FOREVER);
    assert.deepEqual(await keysIn(node), told);
    assert.equal(told.length, 3);
  });
});

suite("windows of files", () => {
  const cases: readonly [name: string, times: readonly bigint[], windows: readonly string[]][] = [
    ["rows of one window", [0n, 599n * SECOND], ["1970-01-01T00-00"]],
    [
      "rows of ten minutes each",
      [0n, 600n * SECOND, 1_800n * SECOND],
      ["1970-01-01T00-00", "1970-01-01T00-10", "1970-01-01T00-30"],
    ],
    [
      "rows before 1970",
      [-1n, 1n, -601n * SECOND],
      ["1969-12-31T23-40", "1969-12-31T23-50", "1970-01-01T00-00"],
    ],
    [
      "the ends of time",
      [-(2n ** 63n), 0n, 2n ** 63n - 1n],
      ["1677-09-21T00-10", "1970-01-01T00-00", "2262-04-11T23-40"],
    ],
  ];
  for (const [name, times, windows] of cases) {
    test(name, async () => {
      await using node = await SmallNode.open();
      await node.write(times.map((time) => `m f=1 ${time}`).join("\n"));
      await node.snapshotter.take(FOREVER);
      const found = filesOf(node).map(({ key }) => key.split("/")[4]);
      assert.deepEqual(
        found.toSorted((a = "", b = "") => (a < b ? -1 : 1)),
        windows,
      );
    });
  }

  test("a year of history makes few files, and so do late rows beside those of now", async () => {
    await using node = await SmallNode.open({ snapshotter: { fileRowCountMin: 30 } });
    const start = 1_700_000_000n * SECOND;
    const history = Array.from({ length: 366 }, (_, day) => start + BigInt(day) * DAY);
    const now = Array.from({ length: 50 }, (_, second) => start + 400n * DAY + BigInt(second));
    await node.write([...history, ...now].map((time) => `m f=1 ${time}`).join("\n"));
    await node.snapshotter.take(FOREVER);
    const files = filesOf(node);
    // A file for each thirty days, what is left before them and after them, and the late rows.
    assert.ok(files.length > 1 && files.length <= 15, `${files.length} files`);
    assert.ok(files.some(({ rowCount, time }) => rowCount === 50 && time.start === now[0]));
    const [row] = await node.rows("SELECT count(*) AS c FROM m");
    assert.deepEqual(row, { c: 416n });
  });
});

suite("a snapshot that fails", () => {
  test("deletes its own files, leaves the rows where they were, and the next one has them", async () => {
    let fails = true;
    await using node = await SmallNode.open({
      engine: (inner) =>
        engineWith(inner, {
          async *writeFiles(request, signal) {
            yield* inner.writeFiles(request, signal);
            if (fails && request.tableId === 2)
              throw new DbError("exceeded", "query_memory", "no room");
          },
        }),
    });
    await node.write("m f=1 1\nn f=2 2");
    await assert.rejects(node.snapshotter.take(FOREVER), { code: "query_memory" });
    assert.deepEqual(await keysIn(node), []);
    assert.equal(node.buffer.rowCount, 2);
    assert.deepEqual(await node.rows("SELECT f FROM n"), [{ f: 2 }]);
    fails = false;
    await node.snapshotter.take(FOREVER);
    assert.equal((await keysIn(node)).length, 2);
    assert.equal(node.buffer.rowCount, 0);
  });

  test("keeps its files when it is not known whether their record is in the log", async () => {
    const inner = memoryStore();
    let entryCount = 0;
    const store = storeWith(inner, {
      async putIfAbsent(key, body) {
        await inner.putIfAbsent(key, body);
        if (key.startsWith("host01/log/entry/") && ++entryCount === 3)
          throw new DbError("unavailable", "store_unreachable", "the answer was lost");
      },
      async get(key) {
        if (entryCount < 3) return inner.get(key);
        await node.stop();
        throw new DbError("unavailable", "store_unreachable", "no answer");
      },
    });
    await using node = await SmallNode.open({ store });
    await node.write("m f=1 1");
    await assert.rejects(node.snapshotter.take(FOREVER), { code: "node_stopping" });
    assert.equal((await keysIn(node)).length, 1);
  });

  test("a put whose answer was lost is not tried under another name", async () => {
    const inner = memoryStore();
    let lost = 0;
    const store = storeWith(inner, {
      async putIfAbsent(key, body) {
        await inner.putIfAbsent(key, body);
        if (!key.startsWith(dataPrefix("host01")) || lost > 0) return;
        lost += 1;
        throw new DbError("unavailable", "store_unreachable", "the answer was lost");
      },
    });
    await using node = await SmallNode.open({ store });
    await node.write("m f=1 1");
    const taking = node.snapshotter.take(FOREVER);
    await node.clock.advance(1_000);
    await taking;
    assert.equal(lost, 1);
    assert.deepEqual(
      await keysIn(node),
      filesOf(node).map(({ key }) => key),
    );
  });

  test("a stop ends it while the store does not answer", async () => {
    const inner = memoryStore();
    const store = storeWith(inner, {
      async putIfAbsent(key, body) {
        if (key.startsWith(dataPrefix("host01")))
          throw new DbError("unavailable", "store_unreachable", "no answer");
        await inner.putIfAbsent(key, body);
      },
    });
    await using node = await SmallNode.open({ store });
    await node.write("m f=1 1");
    const end = new AbortController();
    const taking = assert.rejects(node.snapshotter.take(end.signal), /enough/);
    await node.clock.advance(5_000);
    end.abort(new Error("enough"));
    await taking;
    assert.equal(node.clock.sleeperCount, 0);
    await assert.rejects(node.snapshotter.take(end.signal), /enough/);
  });
});
