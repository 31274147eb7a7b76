import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { realClock, realRandom } from "./machine.ts";

suite("the machine's clocks", () => {
  test("agree with the machine's time, and do not fall", () => {
    const apartNs = realClock.nowNs() - BigInt(Date.now()) * 1_000_000n;
    assert.ok(apartNs > -20_000_000n && apartNs < 20_000_000n, `${apartNs} ns apart`);
    const [first, second] = [realClock.monotonicMs(), realClock.monotonicMs()];
    assert.ok(first <= second);
  });

  test("sleep ends after its time, and with its signal", async () => {
    const startMs = realClock.monotonicMs();
    await realClock.sleep(20);
    assert.ok(realClock.monotonicMs() - startMs >= 19);
    const end = new AbortController();
    const reason = new Error("enough");
    const sleeping = assert.rejects(realClock.sleep(60_000, end.signal), reason);
    end.abort(reason);
    await sleeping;
    await assert.rejects(realClock.sleep(1, end.signal), reason);
  });

  test("a sleep of months does not end at once", async () => {
    const end = new AbortController();
    let ended = false;
    const sleeping = realClock.sleep(2 ** 40, end.signal).then(
      () => (ended = true),
      () => undefined,
    );
    await realClock.sleep(20);
    assert.equal(ended, false);
    end.abort();
    await sleeping;
  });
});

test("chance is at least 0 and below 1", () => {
  for (let index = 0; index < 100; index++) {
    const value = realRandom.next();
    assert.ok(value >= 0 && value < 1);
  }
});
