import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import {
  logPorts,
  neverAborted,
  storeWith,
  type Words,
  wordRecord,
  wordsMachine,
  writerOf,
} from "#testing/logs.ts";
import { ObjectLog } from "./object-log.ts";
import { SharedLog } from "./shared-log.ts";

const CHECKPOINT_ENTRIES = 4;
const LARGE = "large".repeat(1000);

function open(store: ObjectStore, seed = 1, checkpointEntries = CHECKPOINT_ENTRIES) {
  const log = new ObjectLog("log/", logPorts(store, seed));
  return new SharedLog(log, wordsMachine, neverAborted(), { checkpointEntries });
}

function say(shared: SharedLog<Words>, word: string, writer = writerOf(1, 1)): Promise<Words> {
  return shared.transact(
    () => writer,
    () => wordRecord(word, writer),
  );
}

/** `inner`, whose calls take turns by chance, and whose puts and reads lose their answers now and then. */
function shaken(inner: ObjectStore, random: Random, lossChance: number): ObjectStore {
  const wait = async () => {
    for (let turns = below(random, 6); turns > 0; turns--) await Promise.resolve();
  };
  const mayLose = () => {
    if (random.next() < lossChance) throw new DbError("unavailable", "store_unreachable", "lost");
  };
  return storeWith(inner, {
    async putIfAbsent(key, body) {
      await wait();
      mayLose();
      await inner.putIfAbsent(key, body);
      mayLose();
      await wait();
    },
    async get(key) {
      await wait();
      const found = await inner.get(key);
      await wait();
      return found;
    },
  });
}

suite("shared log", () => {
  test("a transaction is in the state that it answers, and for all who refresh", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    assert.deepEqual((await say(mine, "one")).words, ["one"]);
    assert.deepEqual(other.state.words, []);
    assert.deepEqual((await other.refresh()).words, ["one"]);
  });

  test("what stood in the log at `wholeMs` is in the state: that is before the store was asked, and only where it answered", async () => {
    let nowMs = 100;
    let failure: DbError | undefined;
    const inner = memoryStore();
    const answer = () => {
      nowMs += 5;
      if (failure !== undefined) throw failure;
    };
    const store = storeWith(inner, {
      get: async (key) => {
        answer();
        return inner.get(key);
      },
      putIfAbsent: async (key, body) => {
        answer();
        await inner.putIfAbsent(key, body);
      },
    });
    const clock = { ...logPorts(store).clock, monotonicMs: () => nowMs };
    const log = new ObjectLog("log/", { ...logPorts(store), clock });
    const shared = new SharedLog(log, wordsMachine, neverAborted());
    assert.equal(shared.wholeMs, Number.NEGATIVE_INFINITY);
    await shared.refresh();
    assert.equal(shared.wholeMs, 100);
    nowMs = 200;
    await say(shared, "mine");
    assert.equal(shared.wholeMs, 200);
    nowMs = 300;
    failure = new DbError("unavailable", "store_unreachable", "no answer");
    await assert.rejects(shared.refresh(), failure);
    assert.equal(shared.wholeMs, 200);
  });

  test("a transaction that has nothing to do puts nothing", async () => {
    const store = memoryStore();
    const state = await open(store).transact(
      () => writerOf(1, 1),
      () => undefined,
    );
    assert.equal(state.position, 0);
    assert.deepEqual(await store.list(""), []);
  });

  test("who loses a race decides again on the state after it", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    await say(other, "first", writerOf(2, 1));
    const decidedOn: (readonly string[])[] = [];
    await mine.transact(
      () => writerOf(1, 1),
      ({ words }) => {
        decidedOn.push(words);
        return wordRecord("second");
      },
    );
    assert.deepEqual(decidedOn, [[], ["first"]]);
  });

  test("what a decision throws is answered, and the log goes on", async () => {
    const shared = open(memoryStore());
    const refused = shared.transact(
      () => writerOf(1, 1),
      () => {
        throw new DbError("conflict", "database_exists", "there");
      },
    );
    await assert.rejects(refused, { code: "database_exists" });
    assert.equal((await say(shared, "one")).position, 1);
  });

  test("a record that nobody could apply is never put", async () => {
    const store = memoryStore();
    const shared = open(store);
    await say(shared, "one");
    await assert.rejects(say(shared, "impossible"), { code: "assertion_failed" });
    assert.equal((await open(store, 2).refresh()).position, 1);
    assert.equal((await say(shared, "two")).position, 2);
  });

  for (const lossChance of [0, 0.2]) {
    test(`many writers at once lose nothing and double nothing, ${lossChance * 100} % of answers lost`, async () => {
      for (let seed = 1; seed <= 20; seed++) {
        const random = seededRandom(seed);
        const store = memoryStore();
        const answered: string[][] = [];
        await Promise.all(
          Array.from({ length: 5 }, async (_, writer) => {
            const shared = open(shaken(store, random, lossChance), seed * 100 + writer, 1_000);
            for (let count = 0; count < 6; count++) {
              const word = `${writer}.${count}`;
              const { words } = await say(shared, word, writerOf(writer + 1, 1));
              assert.equal(words.at(-1), word);
              answered.push([...words]);
            }
          }),
        );
        const { words } = await open(store, 99).refresh();
        assert.equal(new Set(words).size, 30, `seed ${seed}`);
        assert.equal(words.length, 30, `seed ${seed}`);
        // Every answer is a state that the log went through: all agree on one order.
        for (const seen of answered) assert.deepEqual(seen, words.slice(0, seen.length));
      }
    });
  }

  test("refresh sees every transaction that was answered before", async () => {
    const store = memoryStore();
    const random = seededRandom(7);
    const [mine, other] = [open(shaken(store, random, 0)), open(shaken(store, random, 0), 2)];
    for (let count = 1; count <= 20; count++) {
      await say(mine, `${count}`);
      assert.equal((await other.refresh()).position, count);
    }
  });

  test("the first reading takes a hole for no tail, so that nothing is appended into it", async () => {
    const store = memoryStore();
    const writer = open(store, 1, 1000);
    for (const word of ["a", "b", "c"]) await say(writer, word);
    await store.delete("log/entry/00000000000000000002");
    await assert.rejects(open(store, 2).refresh(), { kind: "corrupt", code: "log_hole" });
  });

  test("reach waits for nothing that is there, and says what is not", async () => {
    const store = memoryStore();
    await say(open(store), "one");
    const other = open(store, 2);
    assert.equal((await other.reach(1)).position, 1);
    await assert.rejects(other.reach(2), { kind: "unavailable", code: "log_behind" });
  });

  test("those who wait are told of every step", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    const heard = Promise.all([mine.changed.wait(), other.changed.wait()]);
    await say(mine, "one");
    await other.refresh();
    await heard;
  });

  test("a writer stops when it finds a newer epoch of its node at the number it lost", async () => {
    const store = memoryStore();
    const [older, newer] = [open(store), open(store, 2)];
    await say(newer, "mine now", writerOf(1, 2));
    await assert.rejects(say(older, "still mine"), { kind: "conflict", code: "node_fenced" });
    assert.deepEqual((await newer.refresh()).words, ["mine now"]);
  });

  test("a writer stops when it has read of a newer epoch of its node, without losing anything", async () => {
    const store = memoryStore();
    const [older, newer] = [open(store), open(store, 2)];
    await say(newer, "mine now", writerOf(1, 2));
    await older.refresh();
    await assert.rejects(say(older, "still mine"), { code: "node_fenced" });
    assert.deepEqual((await newer.refresh()).words, ["mine now"]);
  });

  test("a lost answer of a transaction is one transaction", async () => {
    const store = memoryStore();
    let lostCount = 0;
    const losing = storeWith(store, {
      async putIfAbsent(key, body) {
        await store.putIfAbsent(key, body);
        if (lostCount++ === 0) throw new DbError("unavailable", "store_unreachable", "lost");
      },
    });
    assert.deepEqual((await say(open(losing), "one")).words, ["one"]);
    assert.deepEqual((await open(store, 2).refresh()).words, ["one"]);
  });

  test("a signal ends a transaction that the store does not answer", async () => {
    const stop = new AbortController();
    const silent = storeWith(memoryStore(), {
      async putIfAbsent() {
        stop.abort(new Error("closing"));
        throw new DbError("unavailable", "store_unreachable", "silence");
      },
    });
    const log = new ObjectLog("log/", logPorts(silent));
    const shared = new SharedLog(log, wordsMachine, stop.signal);
    await assert.rejects(say(shared, "one"), /closing/);
  });
});

suite("checkpoints of a shared log", () => {
  test("the one who won the number writes the checkpoint, and stones over what is large", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    const words = ["small", LARGE, "small too"];
    for (const word of words) await say(mine, word);
    await other.refresh();
    await say(other, LARGE, writerOf(2, 1));
    await mine.refresh();
    await mine.keep(writerOf(1, 1));
    const log = new ObjectLog("log/", logPorts(store));
    assert.equal(await log.newestCheckpoint(), 0);
    const nonces = [];
    for (const position of [1, 2, 3, 4]) nonces.push((await log.read(position))?.nonce);
    await other.keep(writerOf(2, 1));
    assert.equal(await log.newestCheckpoint(), 4);
    const kinds = [];
    for (const position of [1, 2, 3, 4]) {
      const entry = await log.read(position);
      kinds.push(entry?.kind);
      assert.equal(entry?.nonce, nonces[position - 1]);
    }
    assert.deepEqual(kinds, ["transaction", "stone", "transaction", "stone"]);
    for (const { key, sizeBytes } of await store.list("log/entry/"))
      assert.ok(sizeBytes < 512, `${key} is small`);
    const fresh = await open(store, 3).refresh();
    assert.deepEqual(fresh.words, [...words, LARGE]);
  });

  test("it is written once, whatever is appended meanwhile", async () => {
    const store = memoryStore();
    let checkpointCount = 0;
    const counting = storeWith(store, {
      async putIfAbsent(key, body) {
        if (key.startsWith("log/checkpoint/")) checkpointCount += 1;
        return store.putIfAbsent(key, body);
      },
    });
    const shared = open(counting);
    for (let count = 1; count <= 6; count++) await say(shared, `${count}`);
    await shared.keep(writerOf(1, 1));
    await shared.keep(writerOf(1, 1));
    const log = new ObjectLog("log/", logPorts(store));
    assert.equal(await log.newestCheckpoint(), 4);
    assert.equal(checkpointCount, 1);
    assert.equal((await open(store, 2).refresh()).position, 6);
  });

  test("a reader that lags meets a stone and goes on from the checkpoint", async () => {
    const store = memoryStore();
    const [mine, slow] = [open(store), open(store, 2)];
    await say(mine, "1");
    await slow.refresh();
    for (const word of [LARGE, "3", "4", "5"]) await say(mine, word);
    await mine.keep(writerOf(1, 1));
    assert.deepEqual((await slow.refresh()).words, ["1", LARGE, "3", "4", "5"]);
  });

  test("a writer whose answer was lost finds its entry again under a stone", async () => {
    const store = memoryStore();
    const other = open(store, 2);
    let lostCount = 0;
    const losing = storeWith(store, {
      async putIfAbsent(key, body) {
        await store.putIfAbsent(key, body);
        if (lostCount++ > 0) return;
        // Before it looks, others go on, write a checkpoint and lay stones.
        await other.refresh();
        for (const word of ["2", "3", "4"]) await say(other, word, writerOf(2, 1));
        await other.keep(writerOf(2, 1));
        throw new DbError("unavailable", "store_unreachable", "lost");
      },
    });
    const state = await say(open(losing), LARGE);
    assert.equal(state.position, 1);
    const stone = await new ObjectLog("log/", logPorts(store)).read(1);
    assert.equal(stone?.kind, "stone");
    assert.deepEqual((await open(store, 3).refresh()).words, [LARGE, "2", "3", "4"]);
  });

  test("the newest two stay, and entries are never deleted", async () => {
    const store = memoryStore();
    const shared = open(store);
    for (let count = 1; count <= 17; count++) {
      await say(shared, `${count}`);
      await shared.keep(writerOf(1, 1));
    }
    const keys = (await store.list("log/checkpoint/")).map(({ key }) => Number(key.slice(-20)));
    assert.deepEqual(keys, [12, 16]);
    assert.equal((await store.list("log/entry/")).length, 17);
  });

  test("a large entry of a section whose checkpoint was somebody else's is left to them", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    await say(mine, LARGE);
    await other.refresh();
    for (const word of ["2", "3", "4"]) await say(other, word, writerOf(2, 1));
    for (const word of ["5", "6", "7", "8"]) await say(mine, word);
    await mine.keep(writerOf(1, 1));
    assert.equal((await new ObjectLog("log/", logPorts(store)).read(1))?.kind, "transaction");
  });
});
