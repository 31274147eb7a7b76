import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { runFoundation } from "./foundation.ts";
import { PLANTED_BUGS, withBug } from "./planted-bugs.ts";

/** A few of the seeds that the long programme goes through: `node src/sim/hunt.ts --seeds 5000`. */
const SEED_COUNT = Number(process.env["SEEDS"] ?? 60);
/** Seeds that once failed, and why. */
const KNOWN_SEEDS: ReadonlyMap<number, string> = new Map([
  [15, "a client heard that the process it spoke to was fenced"],
  [236, "a damaged read of the probe was taken for a store that overwrites"],
]);

suite("two ingest nodes, a compactor and a query node on a failing store", () => {
  test(`${SEED_COUNT} seeds keep every promise`, async () => {
    for (let seed = 1; seed <= SEED_COUNT; seed++) await keepsPromises(seed);
  });

  for (const [seed, why] of KNOWN_SEEDS)
    test(`seed ${seed} keeps every promise: ${why}`, () => keepsPromises(seed));

  test("each planted bug has its place in the source", async () => {
    for (const [name, bug] of Object.entries(PLANTED_BUGS)) {
      const source = await readFile(new URL(`../${bug.file}`, import.meta.url));
      assert.notEqual(withBug(source, name, bug), source.toString());
    }
  });

  test("one seed is one universe", async () => {
    const [first, second, other] = [
      await runFoundation(42),
      await runFoundation(42),
      await runFoundation(43),
    ];
    assert.equal(first.digest, second.digest);
    assert.notEqual(first.digest, other.digest);
  });
});

async function keepsPromises(seed: number): Promise<void> {
  const { violations, work } = await runFoundation(seed);
  assert.deepEqual(violations, [], `seed ${seed}`);
  assert.ok(work.acknowledged > 0 && work.reads > 0, `seed ${seed} does something`);
}
