import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Chaos, type ChaosCounts, type ChaosSettings } from "./chaos.ts";

const SEED_COUNT = Number(process.env["RAFT_SEEDS"] ?? 25);

const WORLDS: readonly (Pick<ChaosSettings, "changes" | "options"> & {
  readonly name: string;
  /** The least of three numbers of members to begin with. */
  readonly memberCountMin?: number;
})[] = [
  { name: "three to five nodes whose members change", changes: true, options: {} },
  {
    name: "one to three nodes whose members change",
    changes: true,
    memberCountMin: 1,
    options: { asyncStorageWrites: true },
  },
  { name: "storage beside the protocol", changes: true, options: { asyncStorageWrites: true } },
  {
    name: "neither pre-votes nor checks of the quorum",
    changes: false,
    options: { preVote: false, checkQuorum: false },
  },
  {
    name: "leaders that stay until they are voted out",
    changes: true,
    options: { stepDownOnRemoval: false },
  },
];

suite("raft in a world where everything fails", () => {
  for (const { name, memberCountMin = 3, ...world } of WORLDS) {
    test(`keeps its promises: ${name}`, () => {
      const total: ChaosCounts = {
        applied: 0,
        reads: 0,
        crashes: 0,
        snapshots: 0,
        changes: 0,
        leaders: 0,
      };
      for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
        const memberCount = memberCountMin + (seed % 3);
        const lostPercent = seed % 2 === 0 ? 2 : 25;
        const settings = { nodeCount: 5, memberCount, stepCount: 3000, lostPercent, ...world };
        let counts: ChaosCounts;
        try {
          counts = new Chaos(seed, settings).run();
        } catch (cause) {
          throw new Error(`seed ${seed}`, { cause });
        }
        for (const key of Object.keys(total) as (keyof ChaosCounts)[]) total[key] += counts[key];
      }
      // It did happen.
      if (!world.changes) total.changes = 1;
      for (const [what, count] of Object.entries(total))
        assert.ok(count > 0, `there were no ${what}`);
    });
  }
});
