import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { SortedKeys } from "./sorted-keys.ts";

suite("sorted keys", () => {
  test("are those that were added and not deleted, in order, from any one on", () => {
    // Enough for several chunks.
    const aKey = fc.nat(20_000).map((number) => `key-${number}`);
    const adding = fc.array(aKey, { minLength: 0, maxLength: 6_000, size: "max" });
    fc.assert(
      fc.property(
        adding,
        fc.array(aKey, { maxLength: 5_000, size: "max" }),
        aKey,
        (added, gone, start) => {
          const keys = new SortedKeys();
          for (const key of added) keys.add(key);
          for (const key of gone) keys.delete(key);
          for (const key of added.slice(0, 10)) keys.add(key);
          const left = new Set(added).difference(new Set(gone)).union(new Set(added.slice(0, 10)));
          const sorted = [...left].toSorted();
          assert.deepEqual([...keys.from("")], sorted);
          assert.deepEqual(
            [...keys.from(start)],
            sorted.filter((key) => key >= start),
          );
        },
      ),
      { numRuns: 20 },
    );
  });
});
