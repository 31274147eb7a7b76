import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { settle } from "#testing/hand-clock.ts";
import {
  logPorts,
  neverAborted,
  storeWith,
  type Words,
  wordRecord,
  wordsMachine,
  writerOf,
} from "#testing/logs.ts";
import { encodeEnvelope } from "./envelope.ts";
import { LogTracker, type TrackerObserver } from "./log-tracker.ts";
import { ObjectLog } from "./object-log.ts";
import { type LogEntry, toEnvelope } from "./record.ts";

const CERTAIN = { certain: true };
const WAITING = { certain: false };
const WRITER = writerOf(1, 1);

/** A log with the words "1" to "count". */
async function logOf(count: number, store = memoryStore()) {
  const log = new ObjectLog("log/", logPorts(store));
  const tracker = trackerOf(store);
  for (let position = 1; position <= count; position++)
    await log.append(position, wordRecord(`${position}`), { signal: neverAborted() });
  await tracker.advance(WAITING);
  const checkpoint = async (position: number) => {
    const words = Array.from({ length: position }, (_, index) => `${index + 1}`);
    const state: Words = { position, words, epochs: new Map() };
    await log.writeCheckpoint(position, wordsMachine.checkpoint(state, WRITER));
  };
  return { store, log, tracker, checkpoint };
}

function trackerOf(store: ObjectStore, observer: TrackerObserver<Words> = {}) {
  return new LogTracker(new ObjectLog("log/", logPorts(store)), wordsMachine, observer);
}

suite("log tracker", () => {
  test("reads an empty log to its end", async () => {
    const tracker = trackerOf(memoryStore());
    await tracker.advance(CERTAIN);
    assert.equal(tracker.state.position, 0);
  });

  test("applies entries in order, from where it stands", async () => {
    const { log, tracker } = await logOf(3);
    assert.deepEqual(tracker.state.words, ["1", "2", "3"]);
    await log.append(4, wordRecord("4"), { signal: neverAborted() });
    await tracker.advance(WAITING);
    assert.deepEqual(tracker.state.words, ["1", "2", "3", "4"]);
  });

  test("who is far behind goes on from a newer checkpoint, and reads little of what it covers", async () => {
    const { store, log, checkpoint } = await logOf(10);
    let readCount = 0;
    const counting = storeWith(store, {
      get: (key) => {
        readCount += 1;
        return store.get(key);
      },
    });
    const behind = trackerOf(counting);
    await behind.advance(WAITING);
    for (let position = 11; position <= 2_000; position++)
      await log.append(position, wordRecord(`${position}`), { signal: neverAborted() });
    await checkpoint(1_990);
    readCount = 0;
    await behind.advance(WAITING);
    assert.equal(behind.state.words.length, 2_000);
    assert.ok(readCount < 600, `${readCount}`);
  });

  test("a list that is older than the objects is no damage, and is not asked for ever", async () => {
    const { store, checkpoint } = await logOf(6);
    await checkpoint(2);
    const old = await store.list("log/checkpoint/");
    await checkpoint(4);
    await store.delete(old[0]?.key ?? "");
    let listCount = 0;
    const stale = storeWith(store, {
      async list(prefix, options) {
        listCount += 1;
        return listCount > 8 ? store.list(prefix, options) : old;
      },
    });
    const tracker = trackerOf(stale);
    await assert.rejects(tracker.advance(CERTAIN), { kind: "unavailable", code: "list_stale" });
    assert.ok(listCount < 8, `${listCount}`);
    listCount = 9;
    await tracker.advance(CERTAIN);
    assert.equal(tracker.state.position, 6);
  });

  test("starts from the newest checkpoint", async () => {
    const { store, log, checkpoint } = await logOf(6);
    await checkpoint(2);
    await checkpoint(5);
    for (let position = 1; position <= 5; position++) await log.deleteEntry(position);
    const tracker = trackerOf(store);
    await tracker.advance(WAITING);
    assert.deepEqual(tracker.state.words, ["1", "2", "3", "4", "5", "6"]);
  });

  test("an entry that is gone is not taken for the tail by whoever must be certain", async () => {
    const { store, log, checkpoint } = await logOf(2);
    const tracker = trackerOf(store);
    await tracker.advance(WAITING);
    for (const position of [3, 4, 5])
      await log.append(position, wordRecord(`${position}`), { signal: neverAborted() });
    await checkpoint(4);
    await log.deleteEntry(3);
    await log.deleteEntry(4);
    await tracker.advance(WAITING);
    assert.equal(tracker.state.position, 2);
    await tracker.advance(CERTAIN);
    assert.deepEqual(tracker.state.words, ["1", "2", "3", "4", "5"]);
  });

  test("a checkpoint at the very number that is gone counts", async () => {
    const { store, log, checkpoint } = await logOf(2);
    const tracker = trackerOf(store);
    await tracker.advance(WAITING);
    await log.append(3, wordRecord("3"), { signal: neverAborted() });
    await checkpoint(3);
    await log.deleteEntry(3);
    await tracker.advance(CERTAIN);
    assert.equal(tracker.state.position, 3);
  });

  test("a checkpoint that vanishes while it is read is replaced by the newer one", async () => {
    const { store, log, checkpoint } = await logOf(6);
    await checkpoint(3);
    let vanishedCount = 0;
    const moving = storeWith(store, {
      async get(key) {
        if (key.endsWith("checkpoint/00000000000000000003") && vanishedCount++ === 0) {
          await checkpoint(5);
          await store.delete(key);
          for (let position = 1; position <= 5; position++) await log.deleteEntry(position);
        }
        return store.get(key);
      },
    });
    const tracker = trackerOf(moving);
    await tracker.advance(WAITING);
    assert.equal(vanishedCount, 1);
    assert.equal(tracker.state.position, 6);
  });

  test("entries that came while the checkpoints were listed are no hole", async () => {
    const { store, log } = await logOf(1);
    let appendedCount = 0;
    const moving = storeWith(store, {
      async list(prefix, options) {
        const found = await store.list(prefix, options);
        if (prefix === "log/checkpoint/" && appendedCount++ === 1)
          for (const position of [2, 3])
            await log.append(position, wordRecord(`${position}`), { signal: neverAborted() });
        return found;
      },
    });
    const tracker = trackerOf(moving);
    await tracker.advance(CERTAIN);
    assert.deepEqual(tracker.state.words, ["1", "2", "3"]);
  });

  test("an entry that was deleted without a checkpoint is a hole, and is named", async () => {
    const { store, log } = await logOf(3);
    await log.deleteEntry(2);
    const tracker = trackerOf(store);
    await assert.rejects(tracker.advance(CERTAIN), { kind: "corrupt", code: "log_hole" });
    assert.equal(tracker.state.position, 1);
  });

  test("stones lead to the checkpoint that they name, or a newer one", async () => {
    const { store, log, checkpoint } = await logOf(4);
    const behind = trackerOf(store);
    await behind.take({ ...wordRecord("1"), position: 1, nonce: "" });
    await checkpoint(2);
    await checkpoint(3);
    for (const position of [1, 2]) {
      const entry = await log.read(position);
      assert.ok(entry);
      await log.layStone(entry, 2);
    }
    await behind.advance(WAITING);
    assert.deepEqual(behind.state.words, ["1", "2", "3", "4"]);
  });

  test("a stone without its checkpoint is damage", async () => {
    const { store, log } = await logOf(2);
    const entry = await log.read(1);
    assert.ok(entry);
    await log.layStone(entry, 2);
    await assert.rejects(trackerOf(store).advance(WAITING), {
      kind: "corrupt",
      code: "checkpoint_missing",
    });
  });

  test("a fence under a checkpoint is void: it leads to the checkpoint", async () => {
    const { store, log, checkpoint } = await logOf(3);
    const behind = trackerOf(store);
    await behind.take({ ...wordRecord("1"), position: 1, nonce: "" });
    await checkpoint(2);
    await log.deleteEntry(2);
    await log.append(2, { ...wordRecord("void"), kind: "fence" }, { signal: neverAborted() });
    await behind.advance(WAITING);
    assert.deepEqual(behind.state.words, ["1", "2", "3"]);
  });

  test("a fence above every checkpoint is an entry", async () => {
    const { store, log, checkpoint } = await logOf(2);
    await checkpoint(2);
    await log.append(3, { ...wordRecord("fence"), kind: "fence" }, { signal: neverAborted() });
    const tracker = trackerOf(store);
    await tracker.advance(WAITING);
    assert.deepEqual(tracker.state.words, ["1", "2", "fence"]);
  });

  test("what it does not know ends the reading below it, every time", async () => {
    const { store, log } = await logOf(1);
    const bytes = encodeEnvelope({ ...toEnvelope(wordRecord("2"), 2, "0".repeat(32)) });
    await store.put("log/entry/00000000000000000002", bytes.fill(9, 40));
    await log.append(3, wordRecord("3"), { signal: neverAborted() });
    const tracker = trackerOf(store);
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(tracker.advance(CERTAIN), { code: "object_damaged" });
    assert.equal(tracker.state.position, 1);
  });

  test("who is far behind reads several entries at once, and none above where it is to get", async () => {
    const { store } = await logOf(40);
    let [current, most] = [0, 0];
    const read: number[] = [];
    const slow = storeWith(store, {
      async get(key) {
        read.push(Number(key.slice(-20)));
        current += 1;
        most = Math.max(most, current);
        await settle();
        current -= 1;
        return store.get(key);
      },
    });
    const tracker = trackerOf(slow);
    await tracker.advance({ certain: false, through: 30 });
    assert.equal(tracker.state.position, 30);
    assert.ok(most >= 3 && most <= 5, `${most} at once`);
    assert.deepEqual(
      read.toSorted((a, b) => a - b),
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    await tracker.advance(CERTAIN);
    assert.equal(tracker.state.words.length, 40);
  });

  test("who is to read one entry at a time does so", async () => {
    const { store } = await logOf(20);
    let [current, most] = [0, 0];
    const slow = storeWith(store, {
      async get(key) {
        current += 1;
        most = Math.max(most, current);
        await settle();
        current -= 1;
        return store.get(key);
      },
    });
    const log = new ObjectLog("log/", logPorts(slow));
    const tracker = new LogTracker(log, wordsMachine, {}, 1);
    await tracker.advance(CERTAIN);
    assert.equal(tracker.state.words.length, 20);
    assert.equal(most, 1);
  });

  test("an entry that comes after it was asked for early is found", async () => {
    const { store, log } = await logOf(6);
    const late = storeWith(store, {
      async get(key) {
        const found = await store.get(key);
        if (Number(key.slice(-20)) === 5)
          await log.append(7, wordRecord("7"), { signal: neverAborted() });
        return found;
      },
    });
    const tracker = trackerOf(late);
    await tracker.advance(WAITING);
    assert.equal(tracker.state.position, 7);
  });

  test("a leap shows the first state that is wanted alone, and goes on where it found nothing", async () => {
    const { store, log } = await logOf(3);
    const read: string[] = [];
    const counting = storeWith(store, {
      get(key, ...rest) {
        read.push(key.slice(-1));
        return store.get(key, ...rest);
      },
    });
    const tracker = trackerOf(counting);
    const last = "5";
    const wanted = ({ words }: Words) => words.includes(last);
    const brings = ({ position }: LogEntry) => position === Number(last);
    assert.equal(await tracker.leap(wanted, brings), false);
    assert.equal(tracker.state.position, 0);
    for (const word of ["4", "5", "6"])
      await log.append(Number(word), wordRecord(word), { signal: neverAborted() });
    assert.equal(await tracker.leap(wanted, brings), true);
    assert.deepEqual(tracker.state.words, ["1", "2", "3", "4", "5"]);
    assert.equal(read.join(""), "12344512345");
  });

  test("a checkpoint that says another position is a bug here", async () => {
    const { store, log } = await logOf(1);
    await log.writeCheckpoint(1, wordsMachine.checkpoint(wordsMachine.empty, WRITER));
    const wrong = { ...wordsMachine, restore: () => wordsMachine.empty };
    const tracker = new LogTracker(new ObjectLog("log/", logPorts(store)), wrong);
    await assert.rejects(tracker.advance(WAITING), { code: "assertion_failed" });
  });

  test("observers hear of a state before it is shown, and after", async () => {
    const heard: string[] = [];
    const { store } = await logOf(2);
    const tracker: LogTracker<Words> = trackerOf(store, {
      onEntry: ({ position }) => void heard.push(`entry ${position}`),
      onNext: (next) => void heard.push(`next ${next.position} at ${tracker.state.position}`),
      onShown: (state) => void heard.push(`shown ${state.position} at ${tracker.state.position}`),
    });
    await tracker.advance(WAITING);
    assert.deepEqual(heard, [
      "entry 1",
      "next 1 at 0",
      "shown 1 at 1",
      "entry 2",
      "next 2 at 1",
      "shown 2 at 2",
    ]);
  });

  test("a state whose observer fails is not shown, and comes again", async () => {
    const { store } = await logOf(2);
    let failuresLeft = 1;
    const tracker = trackerOf(store, {
      onNext: ({ position }) => {
        if (position === 2 && failuresLeft-- > 0) throw new Error("not ready");
      },
    });
    await assert.rejects(tracker.advance(WAITING), /not ready/);
    assert.equal(tracker.state.position, 1);
    await tracker.advance(WAITING);
    assert.equal(tracker.state.position, 2);
  });

  test("entries are not applied over a hole", async () => {
    const { tracker } = await logOf(1);
    const entry = { ...wordRecord("3"), position: 3, nonce: "" };
    await assert.rejects(tracker.take(entry), { code: "assertion_failed" });
  });
});
