import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { logPorts, neverAborted, storeWith, writerOf } from "#testing/logs.ts";
import {
  contentOf,
  flush,
  positionsIn,
  readAnew,
  snapshot,
  startWriter,
  writtenLog,
} from "#testing/node-logs.ts";

const PREFIX = "node1/log/";
const NOT_ADOPTED = { position: 0, manifest: 0 };

suite("checkpoints of a node log", () => {
  test("they carry what is in no file, and what is not adopted", async () => {
    const store = memoryStore();
    const writer = await writtenLog(store);
    await writer.checkpoint(NOT_ADOPTED);
    assert.deepEqual(await positionsIn(store, "checkpoint"), [5]);
    assert.deepEqual(await positionsIn(store, "entry"), [1, 2, 3, 4, 5]);
    assert.equal(writer.replayCount, 0);
    for (const position of [1, 2, 3, 4, 5])
      await store.delete(`${PREFIX}entry/${String(position).padStart(20, "0")}`);
    assert.deepEqual(contentOf(await readAnew(store)), ["file", "five"]);
  });

  test("entries go that are under the checkpoint and under what is adopted; fences stay", async () => {
    const store = memoryStore();
    const writer = await writtenLog(store);
    await writer.checkpoint({ position: 3, manifest: 8 });
    assert.deepEqual(await positionsIn(store, "entry"), [1, 4, 5]);
    const state = await readAnew(store);
    assert.deepEqual(contentOf(state), ["five"]);
    assert.equal(state.needs.manifest, 8);
  });

  test("an adoption that this process has not read up to deletes nothing above the checkpoint", async () => {
    const store = memoryStore();
    const writer = await writtenLog(store);
    await writer.checkpoint({ position: 99, manifest: 8 });
    assert.deepEqual(await positionsIn(store, "entry"), [1]);
    await flush(writer, "six");
    assert.deepEqual(await positionsIn(store, "entry"), [1, 6]);
  });

  test("fences of every epoch stay for ever, and void ones go", async () => {
    const store = memoryStore();
    const first = await writtenLog(store);
    await first.checkpoint({ position: 3, manifest: 1 });
    // A starter that was very late puts its fence at a number that was deleted.
    const late = new ObjectLog(PREFIX, logPorts(store, 9));
    const fence = { kind: "fence", ...writerOf(1, 1), needs: NEEDS_NOTHING, body: {} } as const;
    await late.append(2, { ...fence, payload: new Uint8Array(0) }, { signal: neverAborted() });
    const second = await startWriter(logPorts(store, 2), 2);
    await flush(second, "seven");
    await snapshot(second, "more");
    await second.checkpoint({ position: 7, manifest: 2 });
    assert.deepEqual(await positionsIn(store, "entry"), [1, 6, 8]);
    assert.deepEqual(second.state.fences, [
      { epoch: 1, position: 1 },
      { epoch: 2, position: 6 },
    ]);
  });

  test("a late writer meets the fence, however much was deleted", async () => {
    const store = memoryStore();
    const older = await startWriter(logPorts(store), 1);
    await flush(older, "two");
    const newer = await startWriter(logPorts(store, 2), 2);
    await flush(newer, "four");
    await snapshot(newer, "file");
    await newer.checkpoint({ position: 5, manifest: 1 });
    await assert.rejects(flush(older, "late"), { code: "node_fenced" });
  });

  test("the newest two stay", async () => {
    const store = memoryStore();
    const writer = await startWriter(logPorts(store), 1);
    for (let count = 0; count < 4; count++) {
      await flush(writer, "more");
      await writer.checkpoint(NOT_ADOPTED);
    }
    assert.deepEqual(await positionsIn(store, "checkpoint"), [4, 5]);
  });

  test("appends go on while one is written, and are not in it", async () => {
    const store = memoryStore();
    let release: (() => void) | undefined;
    const held = storeWith(store, {
      async putIfAbsent(key, body) {
        if (key.includes("/checkpoint/"))
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return store.putIfAbsent(key, body);
      },
    });
    const writer = await startWriter(logPorts(held), 1);
    await flush(writer, "two");
    const writing = writer.checkpoint({ position: 99, manifest: 1 });
    await flush(writer, "three");
    assert.ok(release);
    release();
    await writing;
    assert.deepEqual(await positionsIn(store, "entry"), [1, 3]);
    assert.deepEqual(contentOf(await readAnew(store)), ["two", "three"]);
  });

  test("one that fails deletes nothing, and the next does its work", async () => {
    const store = memoryStore();
    let failing = true;
    const failed = storeWith(store, {
      async putIfAbsent(key, body) {
        if (failing && key.includes("/checkpoint/"))
          throw new DbError("unavailable", "store_unreachable", "silence");
        return store.putIfAbsent(key, body);
      },
    });
    const writer = await writtenLog(failed);
    const adopted = { position: 3, manifest: 1 };
    await assert.rejects(writer.checkpoint(adopted), { code: "store_unreachable" });
    assert.deepEqual(await positionsIn(store, "entry"), [1, 2, 3, 4, 5]);
    assert.equal(writer.replayCount, 5);
    failing = false;
    await writer.checkpoint(adopted);
    assert.deepEqual(await positionsIn(store, "entry"), [1, 4, 5]);
  });

  test("replay counts what stands above the newest checkpoint, also after a start", async () => {
    const store = memoryStore();
    const writer = await writtenLog(store);
    assert.equal(writer.replayCount, 5);
    await writer.checkpoint(NOT_ADOPTED);
    const newer = await startWriter(logPorts(store, 2), 2);
    assert.equal(newer.replayCount, 1);
  });
});
