import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Budget, inTurns, Mutex, Semaphore, Signal, untilAborted } from "./async.ts";

const REASON = new Error("enough");

/** Lets all that is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

suite("a mutex", () => {
  test("runs work in the order it came, one at a time, failures included", async () => {
    const mutex = new Mutex();
    const trace: string[] = [];
    const work = (name: string, fails: boolean) =>
      mutex.run(async () => {
        trace.push(`${name} begins`);
        await turn();
        trace.push(`${name} ends`);
        if (fails) throw REASON;
        return name;
      });
    const [first, second] = await Promise.allSettled([work("a", true), work("b", false)]);
    assert.deepEqual(first, { status: "rejected", reason: REASON });
    assert.deepEqual(second, { status: "fulfilled", value: "b" });
    assert.deepEqual(trace, ["a begins", "a ends", "b begins", "b ends"]);
  });
});

suite("a semaphore", () => {
  test("lets so many in, and the others in their order", async () => {
    const semaphore = new Semaphore(2);
    const releases = [await semaphore.acquire(), await semaphore.acquire()];
    const trace: number[] = [];
    const waiting = [1, 2].map((name) => semaphore.acquire().then(() => trace.push(name)));
    await turn();
    assert.deepEqual(trace, []);
    assert.equal(semaphore.waitingCount, 2);
    releases[0]?.();
    releases[0]?.();
    await turn();
    assert.deepEqual(trace, [1]);
    releases[1]?.();
    await Promise.all(waiting);
    assert.deepEqual(trace, [1, 2]);
  });

  test("lets more in when it is widened, and none until enough have left when it is narrowed", async () => {
    const semaphore = new Semaphore(1);
    const trace: number[] = [];
    const enter = async (name: number) => {
      const leave = await semaphore.acquire();
      trace.push(name);
      return leave;
    };
    const leaving = [1, 2, 3, 4].map(enter);
    await turn();
    assert.deepEqual(trace, [1]);
    semaphore.countMax = 3;
    await turn();
    assert.deepEqual(trace, [1, 2, 3]);
    semaphore.countMax = 1;
    for (const count of [3, 3, 4]) {
      (await leaving.shift())?.();
      await turn();
      assert.equal(trace.length, count);
    }
    const last = semaphore.acquire();
    (await leaving.shift())?.();
    (await last)();
  });

  test("who gives up while waiting takes no place", async () => {
    const semaphore = new Semaphore(1);
    const release = await semaphore.acquire();
    const giving = new AbortController();
    const given = assert.rejects(semaphore.acquire(giving.signal), REASON);
    const patient = semaphore.acquire();
    giving.abort(REASON);
    await given;
    assert.equal(semaphore.waitingCount, 1);
    release();
    (await patient)();
    (await semaphore.acquire())();
  });

  test("a place given to one who gives up in the same instant goes to the next", async () => {
    const semaphore = new Semaphore(1);
    const release = await semaphore.acquire();
    const giving = new AbortController();
    const given = semaphore.acquire(giving.signal).then(
      (leave) => leave(),
      () => undefined,
    );
    giving.abort(REASON);
    release();
    await given;
    (await semaphore.acquire())();
  });
});

suite("a budget", () => {
  test("lets in what fits, in the order it came, and what is larger than all alone", async () => {
    const budget = new Budget(10);
    const trace: string[] = [];
    const enter = (size: number) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = budget.run(size, async () => {
        trace.push(`${size}`);
        await promise;
      });
      return async () => {
        resolve();
        await done;
        await turn();
      };
    };
    const [leave4, leave6, leave20, leave1] = [4, 6, 20, 1].map(enter);
    await turn();
    assert.deepEqual(trace, ["4", "6"]);
    await leave4?.();
    // The one behind would fit, but waits for its turn.
    assert.deepEqual(trace, ["4", "6"]);
    await leave6?.();
    assert.deepEqual(trace, ["4", "6", "20"]);
    await leave20?.();
    assert.deepEqual(trace, ["4", "6", "20", "1"]);
    await leave1?.();
  });

  test("has its room again after work that failed", async () => {
    const budget = new Budget(1);
    await assert.rejects(
      budget.run(1, () => Promise.reject(REASON)),
      (error) => error === REASON,
    );
    assert.equal(await budget.run(1, async () => "in"), "in");
  });
});

suite("a signal", () => {
  test("wakes all who wait, once", async () => {
    const signal = new Signal();
    let count = 0;
    for (let index = 0; index < 3; index++) void signal.wait().then(() => (count += 1));
    signal.notify();
    void signal.wait().then(() => (count += 100));
    await turn();
    assert.equal(count, 3);
  });

  test("who gives up is told why, and is not woken", async () => {
    const signal = new Signal();
    const giving = new AbortController();
    const waiting = signal.wait(giving.signal);
    giving.abort(REASON);
    await assert.rejects(waiting, REASON);
    await assert.rejects(signal.wait(giving.signal), REASON);
    signal.notify();
  });
});

suite("work until a signal", () => {
  test("settles as the work does when that is first", async () => {
    const { signal } = new AbortController();
    assert.equal(await untilAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(untilAborted(Promise.reject(REASON), signal), REASON);
  });

  test("ends with the reason of the signal, before or during the work, though the work fails later", async () => {
    const late = Promise.withResolvers<never>();
    const controller = new AbortController();
    const waiting = untilAborted(late.promise, controller.signal);
    controller.abort(REASON);
    await assert.rejects(waiting, REASON);
    await assert.rejects(untilAborted(late.promise, controller.signal), REASON);
    late.reject(new Error("nobody hears this"));
    await turn();
  });
});

suite("work in turns", () => {
  test("answers in the order of the items, with so many at work at once and no more", async () => {
    for (const countMax of [1, 3, 20]) {
      let [workingCount, workingCountMax] = [0, 0];
      const items = Array.from({ length: 9 }, (_, index) => index);
      const results = await inTurns(items, countMax, async (item) => {
        workingCount += 1;
        workingCountMax = Math.max(workingCountMax, workingCount);
        for (let turns = 9 - item; turns > 0; turns -= 1) await turn();
        workingCount -= 1;
        return item * item;
      });
      assert.deepEqual(
        results,
        items.map((item) => item * item),
      );
      assert.equal(workingCountMax, Math.min(countMax, items.length));
    }
    assert.deepEqual(await inTurns([], 3, turn), []);
  });

  test("begins no more after a failure, and rejects with the first when those at work have ended", async () => {
    const ends = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const begun: number[] = [];
    let settled = false;
    const all = inTurns([0, 1, 2, 3, 4], 3, (item) => {
      begun.push(item);
      return ends[item]?.promise ?? Promise.resolve();
    });
    void all.catch(() => undefined).finally(() => (settled = true));
    ends[1]?.reject(REASON);
    await turn();
    ends[0]?.reject(new Error("a later one"));
    await turn();
    assert.equal(settled, false, "one is still at work");
    ends[2]?.resolve();
    await assert.rejects(all, REASON);
    assert.deepEqual(begun, [0, 1, 2]);
  });
});
