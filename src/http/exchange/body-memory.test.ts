import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { isKind } from "#base/errors.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { BodyBudget } from "./body-budget.ts";
import { BodyMemory } from "./body-memory.ts";

const SLOW_MS = 1_000;
const PIECE_SIZE = 16 * 1024;

function someBudget(heldMax: number) {
  const clock = new HandClock();
  return { clock, budget: new BodyBudget(clock, heldMax, SLOW_MS) };
}

function ignore(): void {}

suite("the memory of a body", () => {
  test("holds what came, whole and alone, however it was cut, and little more than that on the way", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 8 }),
        fc.boolean(),
        fc.boolean(),
        (chunks, said, ample) => {
          const all = Buffer.concat(chunks);
          const { budget } = someBudget(1_000_000);
          using other = budget.claim(ignore);
          other.hold(ample ? 0 : 600_000);
          using claim = budget.claim(ignore);
          const memory = new BodyMemory(claim, 300_000, said ? all.length : undefined);
          const before = budget.heldBytes;
          let sizeBytes = 0;
          for (const chunk of chunks) {
            memory.add(chunk);
            sizeBytes += chunk.length;
            assert.equal(memory.sizeBytes, sizeBytes);
            const most = said && ample ? all.length : 2 * sizeBytes + PIECE_SIZE;
            assert.ok(budget.heldBytes - before <= most);
          }
          const body = memory.take();
          assert.deepEqual(Buffer.from(body), all);
          assert.equal(body.buffer.byteLength, all.length);
          assert.equal(budget.heldBytes - before, all.length);
        },
      ),
    );
  });

  test("is given back when it is dropped, and when its request is over", () => {
    const { budget } = someBudget(1_000_000);
    {
      using claim = budget.claim(ignore);
      const memory = new BodyMemory(claim, 300_000, undefined);
      memory.add(new Uint8Array(100_000));
      memory.drop();
      assert.equal(budget.heldBytes, 0);
      claim.hold(5);
    }
    assert.equal(budget.heldBytes, 0);
  });
});

suite("the budget of all bodies", () => {
  test("is refused to one too many, with what there is", () => {
    const { budget } = someBudget(100);
    using first = budget.claim(ignore);
    using second = budget.claim(ignore);
    first.hold(60);
    assert.throws(
      () => second.hold(41),
      (error) => isKind(error, "exceeded") && error.code === "request_memory",
    );
    second.hold(40);
    first.hold(0);
    second.hold(100);
    assert.equal(budget.heldBytes, 100);
  });

  test("is taken from slow bodies, the slowest first, no more than is wanted, and from no others", async () => {
    const { budget, clock } = someBudget(100);
    const gone: string[] = [];
    const open = (name: string, receivedBytes: number) => {
      const claim = budget.claim(({ code }) => {
        gone.push(`${name} ${code}`);
        claim.receiving = false;
        claim.hold(0);
      });
      claim.begin();
      claim.hold(20);
      claim.receivedBytes = receivedBytes;
      return claim;
    };
    open("slow", 10);
    open("slowest", 1);
    open("received", 2).receiving = false;
    open("fast", 1_000_000);
    await clock.advance(SLOW_MS);
    open("young", 0);
    using last = budget.claim(ignore);
    last.hold(15);
    assert.deepEqual(gone, ["slowest request_memory"]);
    last.hold(40);
    assert.deepEqual(gone, ["slowest request_memory", "slow request_memory"]);
    assert.throws(() => last.hold(41), /together may hold 100 bytes; try again later/);
    assert.equal(gone.length, 2);
  });

  test("is never taken from the one that asks: slow and alone, it is refused, and what it held is given back once", async () => {
    const { budget, clock } = someBudget(100_000);
    using other = budget.claim(ignore);
    other.hold(83_000);
    {
      const gone: string[] = [];
      using claim = budget.claim(({ code }) => {
        gone.push(code);
        memory.drop();
      });
      claim.begin();
      const memory = new BodyMemory(claim, 300_000, undefined);
      memory.add(new Uint8Array(10));
      claim.receivedBytes = 10;
      await clock.advance(5 * SLOW_MS);
      const heldBytes = budget.heldBytes;
      assert.throws(
        () => memory.add(new Uint8Array(17_000)),
        (error) => isKind(error, "exceeded") && error.code === "request_memory",
      );
      assert.deepEqual(gone, []);
      assert.equal(budget.heldBytes, heldBytes);
    }
    assert.equal(budget.heldBytes, 83_000);
  });

  test("is taken from others by one that is slow itself", async () => {
    const { budget, clock } = someBudget(100);
    using asking = budget.claim(ignore);
    using other = budget.claim(() => other.hold(0));
    for (const claim of [asking, other]) claim.begin();
    asking.hold(20);
    other.hold(80);
    other.receivedBytes = 10;
    await clock.advance(SLOW_MS);
    asking.hold(50);
    assert.equal(budget.heldBytes, 50);
  });

  test("is taken from nobody who was not asked for a body, or only now", async () => {
    const { budget, clock } = someBudget(100);
    using waiting = budget.claim(() => waiting.hold(0));
    waiting.hold(80);
    await clock.advance(5 * SLOW_MS);
    assert.equal(budget.slowest(), undefined);
    waiting.begin();
    assert.equal(budget.slowest(), undefined);
    await clock.advance(SLOW_MS);
    assert.equal(budget.slowest(), waiting);
  });

  test("is not held by a request that is over", () => {
    const { budget } = someBudget(100);
    const claim = budget.claim(ignore);
    claim.hold(10);
    claim[Symbol.dispose]();
    assert.throws(
      () => claim.hold(20),
      (error) => isKind(error, "unavailable") && error.code === "client_left",
    );
    claim.hold(0);
    assert.equal(budget.heldBytes, 0);
  });
});
