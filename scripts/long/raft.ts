import { RAFT_FAULTS } from "#sim/raft/faults.ts";
import { huntSeeds, metTooSeldom, type SeedsOptions } from "./hunting.ts";

/** In so many seeds each fault must have been met once: 1,000 times in 20,000. */
const SEEDS_PER_FAULT = 20;
/** Of fewer it is asked that each was met at all: the rarest come by chance. */
const SEED_COUNT_MIN = 2_000;

/** Runs raft groups over `seedCount` seeds; answers the seeds that broke a promise, and faults that were met too seldom. */
export async function runRaft(options: SeedsOptions): Promise<string[]> {
  const { failures, totals } = await huntSeeds("raft", options);
  const { seedCount } = options;
  const countMin = seedCount < SEED_COUNT_MIN ? 1 : Math.floor(seedCount / SEEDS_PER_FAULT);
  return [...failures, ...metTooSeldom(RAFT_FAULTS, totals, countMin)];
}
