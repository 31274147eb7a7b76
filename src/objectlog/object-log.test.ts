import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { logPorts, neverAborted, storeWith, wordRecord, writerOf } from "#testing/logs.ts";
import { ObjectLog } from "./object-log.ts";

const ENTRY_1 = "log/entry/00000000000000000001";

/** How one put-if-absent goes. */
type Put =
  | "done"
  | "not_done"
  | "answer_lost"
  | "lands_after_next_get"
  | "conflict_in_doubt"
  | "full";

interface Trial {
  readonly log: ObjectLog;
  readonly store: ObjectStore;
  readonly bodies: Uint8Array[];
}

/** A log on a store whose puts go as `puts` say, one after the other, and then well. */
function tryOn(puts: readonly Put[]): Trial {
  const store = memoryStore();
  const bodies: Uint8Array[] = [];
  let late: (() => Promise<void>) | undefined;
  const failing = storeWith(store, {
    async putIfAbsent(key, body) {
      const how = puts[bodies.length] ?? "done";
      bodies.push(body.slice());
      if (how === "done") return store.putIfAbsent(key, body);
      if (how === "answer_lost") await store.putIfAbsent(key, body);
      if (how === "lands_after_next_get") late = () => store.putIfAbsent(key, body);
      if (how === "full") throw new DbError("unavailable", "store_full", "no room");
      throw how === "conflict_in_doubt"
        ? new DbError("conflict", "object_exists", "somebody is writing it")
        : unreachable();
    },
    async get(key) {
      const found = await store.get(key);
      await late?.();
      late = undefined;
      return found;
    },
  });
  return { log: new ObjectLog("log/", logPorts(failing)), store, bodies };
}

function unreachable(): DbError {
  return new DbError("unavailable", "store_unreachable", "no answer");
}

async function storedWord(store: ObjectStore): Promise<unknown> {
  const log = new ObjectLog("log/", logPorts(store));
  return (await log.read(1))?.body;
}

suite("append", () => {
  const OUTCOMES: readonly (readonly [string, readonly Put[], number])[] = [
    ["that is answered is won at once", ["done"], 1],
    ["that was not done is put again", ["not_done"], 2],
    ["that was not done is put again until it is", ["not_done", "not_done", "not_done"], 4],
    ["that was done and not answered is found by its nonce", ["answer_lost"], 1],
    ["that lands after it was looked for is found by its nonce", ["lands_after_next_get"], 2],
    ["that the store doubts and has not done is put again", ["conflict_in_doubt"], 2],
  ];
  for (const [what, puts, putCount] of OUTCOMES) {
    test(`a put ${what}`, async () => {
      const { log, store, bodies } = tryOn(puts);
      const troubles: string[] = [];
      const settled = await log.append(1, wordRecord("mine"), {
        signal: neverAborted(),
        onTrouble: ({ code }) => troubles.push(code),
      });
      assert.equal(settled.won, true);
      assert.deepEqual(await storedWord(store), { word: "mine" });
      assert.equal(bodies.length, putCount);
      for (const body of bodies) assert.deepEqual(body, bodies[0]);
      const unanswered = puts.filter((put) => put !== "done" && put !== "conflict_in_doubt");
      assert.equal(troubles.length, unanswered.length);
    });
  }

  test("a store that is full ends it, for nothing was put", async () => {
    const { log, store, bodies } = tryOn(["full"]);
    const appended = log.append(1, wordRecord("mine"), { signal: neverAborted() });
    await assert.rejects(appended, { code: "store_full" });
    assert.equal(bodies.length, 1);
    assert.equal(await storedWord(store), undefined);
  });

  test("a store that is full does not end it where an earlier put may have arrived", async () => {
    for (const first of ["not_done", "conflict_in_doubt"] as const) {
      const { log, store, bodies } = tryOn([first, "full", "full"]);
      await log.append(1, wordRecord("mine"), { signal: neverAborted() });
      assert.deepEqual(await storedWord(store), { word: "mine" });
      assert.equal(bodies.length, 4);
    }
  });

  test("a store that is full does not end it where somebody hears of the trouble", async () => {
    const { log, store } = tryOn(["full", "full"]);
    const troubles: string[] = [];
    await log.append(1, wordRecord("mine"), {
      signal: neverAborted(),
      onTrouble: ({ code }) => troubles.push(code),
    });
    assert.deepEqual(troubles, ["store_full", "store_full"]);
    assert.deepEqual(await storedWord(store), { word: "mine" });
  });

  test("a number that somebody else has is lost, and stays theirs", async () => {
    for (const puts of [["done"], ["not_done"]] as const) {
      const { log, store } = tryOn(puts);
      const other = new ObjectLog("log/", logPorts(store, 2));
      await other.append(1, wordRecord("theirs", writerOf(2, 9)), { signal: neverAborted() });
      const settled = await log.append(1, wordRecord("mine"), { signal: neverAborted() });
      assert.ok(!settled.won);
      const { found } = settled;
      assert.deepEqual([found.node, found.epoch, found.body], [2, 9, { word: "theirs" }]);
      assert.deepEqual(await storedWord(store), { word: "theirs" });
    }
  });

  test("of many who want one number, exactly one wins it", async () => {
    const store = memoryStore();
    const settled = await Promise.all(
      Array.from({ length: 20 }, (_, seed) =>
        new ObjectLog("log/", logPorts(store, seed)).append(1, wordRecord(`${seed}`), {
          signal: neverAborted(),
        }),
      ),
    );
    assert.equal(settled.filter(({ won }) => won).length, 1);
  });

  test("a read-back without an answer is asked again, for the outcome must be known", async () => {
    const store = memoryStore();
    let failuresLeft = 3;
    const failing = storeWith(store, {
      async putIfAbsent(key, body) {
        await store.putIfAbsent(key, body);
        throw unreachable();
      },
      async get(key) {
        if (failuresLeft-- > 0) throw unreachable();
        return store.get(key);
      },
    });
    const log = new ObjectLog("log/", logPorts(failing));
    const settled = await log.append(1, wordRecord("mine"), { signal: neverAborted() });
    assert.equal(settled.won, true);
  });

  test("an abort ends the waiting with its reason, whatever the store does", async () => {
    const stop = new AbortController();
    let putCount = 0;
    const failing = storeWith(memoryStore(), {
      async putIfAbsent() {
        if (++putCount === 3) stop.abort(new Error("closing"));
        throw unreachable();
      },
    });
    const log = new ObjectLog("log/", logPorts(failing));
    await assert.rejects(log.append(1, wordRecord("mine"), { signal: stop.signal }), /closing/);
    assert.equal(putCount, 3);
    await assert.rejects(log.append(2, wordRecord("more"), { signal: stop.signal }), /closing/);
    assert.equal(putCount, 3);
  });

  test("what is no doubt of the store's is passed on", async () => {
    const failing = storeWith(memoryStore(), {
      putIfAbsent: () => Promise.reject(new DbError("invalid", "object_key_invalid", "no")),
    });
    const log = new ObjectLog("log/", logPorts(failing));
    await assert.rejects(log.append(1, wordRecord("mine"), { signal: neverAborted() }), {
      code: "object_key_invalid",
    });
  });

  test("damage at the number is named, not overwritten", async () => {
    const store = memoryStore();
    await store.put(ENTRY_1, Uint8Array.of(1, 2, 3));
    const log = new ObjectLog("log/", logPorts(store));
    await assert.rejects(log.append(1, wordRecord("mine"), { signal: neverAborted() }), {
      code: "object_damaged",
    });
    assert.deepEqual(await store.get(ENTRY_1), Uint8Array.of(1, 2, 3));
  });
});

suite("objects of a log", () => {
  test("entries and checkpoints are found under their numbers, in order", async () => {
    const store = memoryStore();
    const log = new ObjectLog("log/", logPorts(store));
    for (const position of [1, 2, 10])
      await log.append(position, wordRecord(`${position}`), { signal: neverAborted() });
    await log.writeCheckpoint(2, wordRecord("checkpoint"));
    assert.deepEqual(await log.listEntries(9), [1, 2]);
    assert.deepEqual(await log.listEntries(10), [1, 2, 10]);
    assert.equal(await log.hasEntryAfter(9), true);
    assert.equal(await log.hasEntryAfter(10), false);
    assert.equal(await log.newestCheckpoint(), 2);
    assert.deepEqual((await log.readCheckpoint(2)).body, { word: "checkpoint" });
    await log.deleteEntry(10);
    assert.equal(await log.read(10), undefined);
    const keys = (await store.list("")).map(({ key }) => key);
    assert.deepEqual(keys[0], "log/checkpoint/00000000000000000002");
    assert.deepEqual(keys[1], ENTRY_1);
  });

  test("an empty log has no checkpoint and no entries", async () => {
    const log = new ObjectLog("log/", logPorts(memoryStore()));
    assert.equal(await log.newestCheckpoint(), 0);
    assert.equal(await log.read(1), undefined);
    assert.equal(await log.hasEntryAfter(0), false);
  });

  test("all checkpoints go but the newest two", async () => {
    const store = memoryStore();
    const log = new ObjectLog("log/", logPorts(store));
    for (const position of [3, 5, 9, 12]) {
      await log.writeCheckpoint(position, wordRecord(""));
      await log.deleteOldCheckpoints();
    }
    await assert.rejects(log.readCheckpoint(5), { code: "checkpoint_vanished" });
    assert.equal((await log.readCheckpoint(9)).position, 9);
    assert.equal((await log.readCheckpoint(12)).position, 12);
  });

  test("a checkpoint that is there already is as good as ours; one that cannot be put is not", async () => {
    const store = memoryStore();
    const log = new ObjectLog("log/", logPorts(store));
    await log.writeCheckpoint(3, wordRecord("first"));
    await log.writeCheckpoint(3, wordRecord("second"));
    assert.deepEqual((await log.readCheckpoint(3)).body, { word: "first" });
    const failing = storeWith(store, { putIfAbsent: () => Promise.reject(unreachable()) });
    const other = new ObjectLog("log/", logPorts(failing));
    await assert.rejects(other.writeCheckpoint(4, wordRecord("")), { code: "store_unreachable" });
  });

  test("a stone is small, names the checkpoint, and keeps who wrote the entry and its nonce", async () => {
    const log = new ObjectLog("log/", logPorts(memoryStore()));
    const record = wordRecord("word".repeat(5000), writerOf(3, 4));
    const settled = await log.append(1, record, { signal: neverAborted() });
    assert.ok(settled.won);
    await log.layStone(settled.entry, 2);
    const stone = await log.read(1);
    assert.deepEqual(stone, {
      ...record,
      kind: "stone",
      position: 1,
      nonce: settled.entry.nonce,
      body: { checkpoint: 2 },
    });
  });

  test("an object that is no number of ours is named", async () => {
    const store = memoryStore();
    await store.put("log/checkpoint/notes.txt", Uint8Array.of(1));
    const log = new ObjectLog("log/", logPorts(store));
    await assert.rejects(log.newestCheckpoint(), { kind: "corrupt", code: "object_foreign" });
  });
});
