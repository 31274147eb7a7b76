import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { LogTracker } from "#objectlog/log-tracker.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { laterObject, logPorts, neverAborted, storeWith, writerOf } from "#testing/logs.ts";
import {
  blockOf,
  contentOf,
  flush,
  positionsIn,
  readAnew,
  snapshot,
  startWriter,
  writtenLog,
} from "#testing/node-logs.ts";
import { nodeLogMachine } from "./node-log-state.ts";
import { NodeLogWriter } from "./node-log-writer.ts";

const PREFIX = "node1/log/";
const NOT_ADOPTED = { position: 0, manifest: 0 };

suite("node log writer", () => {
  test("a first epoch begins with a fence, and its flushes follow", async () => {
    const store = memoryStore();
    const writer = await startWriter(logPorts(store), 1);
    assert.deepEqual(writer.state.fences, [{ epoch: 1, position: 1 }]);
    assert.equal(await flush(writer, "two"), 2);
    assert.deepEqual(contentOf(writer.state), ["two"]);
    assert.deepEqual(contentOf(await readAnew(store)), ["two"]);
  });

  test("appends that are asked for at once stand one after the other", async () => {
    const store = memoryStore();
    const writer = await startWriter(logPorts(store), 1);
    const stamps = [1n, 2n, 3n, 4n];
    const positions = await Promise.all(
      stamps.map((stamp) =>
        writer.appendFlush(stamp, [blockOf(`${stamp}`)], {
          needs: NEEDS_NOTHING,
          onTrouble: () => undefined,
        }),
      ),
    );
    assert.deepEqual(positions, [2, 3, 4, 5]);
    assert.deepEqual(contentOf(await readAnew(store)), ["1", "2", "3", "4"]);
  });

  test("a later epoch has the rows of those before it, and the older one stops for ever", async () => {
    const store = memoryStore();
    const older = await writtenLog(store);
    const newer = await startWriter(logPorts(store, 2), 2);
    assert.deepEqual(contentOf(newer.state), ["file", "five"]);
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(flush(older, "lost"), { kind: "conflict", code: "node_fenced" });
    const before = await store.list("");
    await assert.rejects(older.checkpoint({ position: 4, manifest: 1 }), { code: "node_fenced" });
    await assert.rejects(older.lookAhead(), { code: "node_fenced" });
    await assert.rejects(snapshot(older, "late"), { code: "node_fenced" });
    assert.deepEqual(await store.list(""), before);
    await flush(newer, "seven");
    assert.deepEqual(contentOf(await readAnew(store)), ["file", "five", "seven"]);
  });

  test("an idle writer learns that it is fenced when it looks", async () => {
    const store = memoryStore();
    const older = await startWriter(logPorts(store), 1);
    await older.lookAhead();
    await startWriter(logPorts(store, 2), 2);
    await assert.rejects(older.lookAhead(), { code: "node_fenced" });
  });

  test("a starter that finds a higher epoch does not start", async () => {
    const store = memoryStore();
    await startWriter(logPorts(store), 3);
    const before = await store.list("");
    await assert.rejects(startWriter(logPorts(store, 2), 2), { code: "node_fenced" });
    assert.deepEqual(await store.list(""), before);
  });

  test("a starter that finds a higher epoch under a checkpoint alone does not start", async () => {
    const store = memoryStore();
    const newer = await startWriter(logPorts(store), 3);
    await newer.checkpoint(NOT_ADOPTED);
    await store.delete(`${PREFIX}entry/${"1".padStart(20, "0")}`);
    await assert.rejects(startWriter(logPorts(store, 2), 2), { code: "node_fenced" });
  });

  test("of starters at once, the highest epoch is the one that can write", async () => {
    for (let round = 0; round < 20; round++) {
      const store = memoryStore();
      const started = await Promise.allSettled(
        [1, 2, 3].map((epoch) => startWriter(logPorts(store, round * 10 + epoch), epoch)),
      );
      const written = await Promise.allSettled(
        started.map(async (start) => {
          if (start.status === "rejected") throw start.reason as Error;
          return flush(start.value, "mine");
        }),
      );
      assert.deepEqual(
        written.map(({ status }) => status),
        ["rejected", "rejected", "fulfilled"],
      );
    }
  });

  test("an entry of an older epoch at the writer's number is damage, and stops it", async () => {
    const store = memoryStore();
    const writer = await startWriter(logPorts(store), 5);
    const foreign = new ObjectLog(PREFIX, logPorts(store, 2));
    const record = { kind: "fence", ...writerOf(1, 4), needs: NEEDS_NOTHING, body: {} } as const;
    await foreign.append(2, { ...record, payload: new Uint8Array(0) }, { signal: neverAborted() });
    await assert.rejects(flush(writer, "two"), { kind: "corrupt", code: "log_entry_foreign" });
    await assert.rejects(writer.lookAhead(), { code: "log_entry_foreign" });
  });

  test("stamps that do not rise are a bug, and put nothing", async () => {
    const store = memoryStore();
    const writer = await startWriter(logPorts(store), 1);
    const options = { needs: NEEDS_NOTHING, onTrouble: () => undefined };
    await writer.appendFlush(5n, [blockOf("x")], options);
    await assert.rejects(writer.appendFlush(5n, [blockOf("y")], options), {
      code: "assertion_failed",
    });
    assert.deepEqual(await positionsIn(store, "entry"), [1, 2]);
  });

  test("the last stamp is known after a restart, in files or not", async () => {
    const store = memoryStore();
    const writer = await writtenLog(store);
    await snapshot(writer, "more");
    await writer.checkpoint({ position: 5, manifest: 1 });
    const newer = await startWriter(logPorts(store, 2), 2);
    assert.equal(newer.state.lastStamp, writer.state.lastStamp);
    assert.equal(newer.state.lastStamp, 3n);
  });

  test("a snapshot goes beyond the one before, and not beyond the log", async () => {
    const writer = await writtenLog(memoryStore());
    for (const through of [3, 6])
      await assert.rejects(
        writer.appendSnapshot({ through, stamp: 1n, files: [] }, NEEDS_NOTHING),
        { code: "assertion_failed" },
      );
  });

  test("the last entries that a checkpoint covers stay, if so wanted, for readers that are behind", async () => {
    const store = memoryStore();
    const writer = await startWriter(logPorts(store), 1, {}, 2);
    const behind = new LogTracker(new ObjectLog(PREFIX, logPorts(store, 9)), nodeLogMachine);
    for (const text of ["two", "three", "four"]) await flush(writer, text);
    await behind.advance({ certain: false });
    for (const text of ["five", "six"]) await flush(writer, text);
    await snapshot(writer, "file");
    await writer.checkpoint({ position: 6, manifest: 1 });
    assert.deepEqual(await positionsIn(store, "entry"), [1, 6, 7]);
    await writer.checkpoint({ position: 7, manifest: 1 });
    assert.deepEqual(await positionsIn(store, "entry"), [1, 6, 7], "they stay until others come");
    await flush(writer, "eight");
    await flush(writer, "nine");
    await writer.checkpoint({ position: 7, manifest: 1 });
    assert.deepEqual(
      await positionsIn(store, "entry"),
      [1, 8, 9],
      "what is not adopted stays as well",
    );
    await behind.advance({ certain: true });
    assert.deepEqual(contentOf(behind.state), contentOf(writer.state));
  });

  test("trouble with the store is told while the flush goes on", async () => {
    const store = memoryStore();
    let failuresLeft = 0;
    const failing = storeWith(store, {
      async putIfAbsent(key, body) {
        if (failuresLeft-- > 0) throw new DbError("unavailable", "store_full", "full");
        return store.putIfAbsent(key, body);
      },
    });
    const writer = await startWriter(logPorts(failing), 1);
    failuresLeft = 2;
    const troubles: string[] = [];
    const position = await writer.appendFlush(1n, [blockOf("two")], {
      needs: NEEDS_NOTHING,
      onTrouble: ({ code }) => troubles.push(code),
    });
    assert.equal(position, 2);
    assert.deepEqual(troubles, ["store_full", "store_full"]);
  });

  test("when the process closes, what waits for the store ends", async () => {
    const store = memoryStore();
    const stop = new AbortController();
    let closing = false;
    const failing = storeWith(store, {
      async putIfAbsent(key, body) {
        if (!closing) return store.putIfAbsent(key, body);
        stop.abort(new Error("closing"));
        throw new DbError("unavailable", "store_unreachable", "silence");
      },
    });
    const writer = await NodeLogWriter.start({
      log: new ObjectLog(PREFIX, logPorts(failing)),
      writer: writerOf(1, 1),
      observer: {},
      signal: stop.signal,
      needs: NEEDS_NOTHING,
    });
    closing = true;
    await assert.rejects(flush(writer, "two"), /closing/);
  });
});

/** A starter of epoch 2 that stops before it puts its fence, and what the live epoch does meanwhile. */
async function raceFence(meanwhile: (live: NodeLogWriter) => Promise<void>) {
  const store = memoryStore();
  const live = await startWriter(logPorts(store), 1);
  let met = false;
  const slow = storeWith(store, {
    async putIfAbsent(key, body) {
      if (!met) {
        met = true;
        await meanwhile(live);
      }
      return store.putIfAbsent(key, body);
    },
  });
  const starter = await startWriter(logPorts(slow, 2), 2);
  return { store, live, starter };
}

suite("a starter that is slow", () => {
  const CHECKPOINTS: readonly (readonly [string, readonly string[]])[] = [
    ["at the very number", []],
    ["above the number", ["three", "four"]],
  ];
  for (const [where, more] of CHECKPOINTS) {
    test(`wins nothing at a number deleted under a checkpoint ${where}`, async () => {
      const { store, live, starter } = await raceFence(async (writer) => {
        await flush(writer, "two");
        for (const text of more) await flush(writer, text);
        await writer.checkpoint({ position: 2, manifest: 1 });
      });
      const fence = 3 + more.length;
      assert.deepEqual(starter.state.fences, [
        { epoch: 1, position: 1 },
        { epoch: 2, position: fence },
      ]);
      assert.deepEqual(contentOf(starter.state), ["two", ...more]);
      await assert.rejects(flush(live, "late"), { code: "node_fenced" });
      await flush(starter, "next");
      assert.deepEqual(contentOf(await readAnew(store)), ["two", ...more, "next"]);
    });
  }

  test("takes in what was appended before its fence", async () => {
    const { starter } = await raceFence(async (writer) => {
      await flush(writer, "two");
    });
    assert.deepEqual(contentOf(starter.state), ["two"]);
    assert.equal(starter.state.position, 3);
  });

  test("finds its fence although the answer was lost", async () => {
    const store = memoryStore();
    let lost = false;
    const losing = storeWith(store, {
      async putIfAbsent(key, body) {
        await store.putIfAbsent(key, body);
        if (!lost) {
          lost = true;
          throw new DbError("unavailable", "store_unreachable", "lost");
        }
      },
    });
    const writer = await startWriter(logPorts(losing), 1);
    assert.deepEqual(await positionsIn(store, "entry"), [1]);
    assert.equal(writer.state.epoch, 1);
  });
});

test("a record of a later version stops whoever reads, and nothing is put above it", async () => {
  const store = memoryStore();
  const writer = await writtenLog(store);
  const record = { kind: "flush", ...writerOf(1, 1), needs: NEEDS_NOTHING, body: {} } as const;
  const bytes = laterObject({ ...record, payload: new Uint8Array(0) }, 6);
  await store.put(`${PREFIX}entry/${"6".padStart(20, "0")}`, bytes);
  const before = await store.list("");
  const unknown = { kind: "unsupported", code: "record_unknown" };
  await assert.rejects(startWriter(logPorts(store, 2), 2), unknown);
  await assert.rejects(flush(writer, "six"), unknown);
  assert.deepEqual(await store.list(""), before);
});
