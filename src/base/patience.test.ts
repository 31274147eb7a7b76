import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { array, assert as check, integer, property } from "fast-check";
import { Patience } from "./patience.ts";

const LIMITS = { answerGraceMs: 30_000, answerRateMin: 4_096, answerStallMsMax: 240_000 };

suite("patience", () => {
  test("ends for a client that takes nothing when its first time is over", () => {
    const patience = new Patience(LIMITS);
    assert.equal(patience.leftMs, 30_000);
    patience.waited(20_000);
    assert.equal(patience.leftMs, 10_000);
    patience.waited(20_000);
    assert.equal(patience.leftMs, 0);
    assert.equal(patience.lastMs, 30_000);
  });

  test("ends within its bound, whatever was taken before", () => {
    const patience = new Patience(LIMITS);
    patience.took(1e12);
    assert.equal(patience.leftMs, 240_000);
  });

  test("never ends for who takes more than the least rate, in whatever lumps up to a bound", () => {
    const lumps = array(integer({ min: 1, max: 2_000_000 }), { maxLength: 50 });
    check(
      property(lumps, (sizes) => {
        const patience = new Patience(LIMITS);
        // What buffers take in before the client reads at all.
        patience.took(2_000_000);
        for (const size of sizes) {
          const waitMs = size / 10;
          assert.ok(patience.leftMs > waitMs);
          patience.waited(waitMs);
          patience.took(size);
        }
      }),
    );
  });
});
