import { RAFT_FAULTS } from "#sim/raft/faults.ts";
import { huntSeeds, metTooSeldom, type SeedsOptions } from "./hunting.ts";

/** Of so many seeds each fault must have been met once: 1,000 times in 20,000. */
const SEEDS_PER_FAULT = 20;

/** Runs raft groups over `seedCount` seeds; answers the seeds that broke a promise, and faults that were met too seldom. */
export async function runRaft(options: SeedsOptions): Promise<string[]> {
  const { failures, totals } = await huntSeeds("raft", options);
  const countMin = Math.floor(options.seedCount / SEEDS_PER_FAULT);
  return [...failures, ...metTooSeldom(RAFT_FAULTS, totals, countMin)];
}
