import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { HandClock } from "#testing/hand-clock.ts";
import { spaced } from "./spaced.ts";

suite("spaced work", () => {
  test("begins at once, then once in an interval however many ask", async () => {
    const clock = new HandClock();
    let count = 0;
    const ask = spaced(async () => (count += 1), 100, clock);
    await ask();
    assert.equal(count, 1);
    const asked = Array.from({ length: 1_000 }, ask);
    await clock.advance(99);
    assert.equal(count, 1);
    await clock.advance(1);
    await Promise.all(asked);
    assert.equal(count, 2);
    await clock.advance(100);
    await ask();
    assert.equal(count, 3);
  });

  test("goes on after a failure, which all who shared it meet", async () => {
    const clock = new HandClock();
    let fails = true;
    const ask = spaced(async () => assert.ok(!fails, "no store"), 100, clock);
    const asked = [ask(), ask()];
    for (const one of asked) await assert.rejects(one, /no store/);
    fails = false;
    const again = ask();
    await clock.advance(100);
    await again;
  });
});
