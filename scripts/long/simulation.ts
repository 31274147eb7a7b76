import type { FaultKind } from "#sim/world.ts";
import { huntSeeds, metTooSeldom, type SeedsOptions } from "./hunting.ts";

/** Each fault must have been met this often, else the seeds prove little about it. */
const FAULT_COUNT_MIN = 100;

/** Every kind there is: the type asks for a new one here. */
const FAULTS: Readonly<Record<FaultKind, true>> = {
  store_error: true,
  store_lost_answer: true,
  store_late_put: true,
  store_slow: true,
  store_late_answer: true,
  store_stale_list: true,
  store_reordered: true,
  damaged_read: true,
  crash: true,
  crash_in_start: true,
  engine_crash: true,
  pause: true,
  twin: true,
  stop_asked: true,
  closed_dead: true,
  closed_twice: true,
  closed_paused: true,
  removed: true,
  clock_jump: true,
  clock_hour: true,
  peer_silence: true,
  office_misheard: true,
  office_held: true,
  network_cut: true,
  pair_cut: true,
  standing_lost: true,
  standing_late: true,
  push_lost: true,
  push_delayed: true,
  push_doubled: true,
  push_reordered: true,
  push_forged: true,
};

/** Runs the simulated world over `seedCount` seeds; answers the seeds that broke a promise, and faults that were met too seldom. */
export async function runSimulation(options: SeedsOptions): Promise<string[]> {
  const { failures, totals } = await huntSeeds("cluster", options);
  return [...failures, ...metTooSeldom(Object.keys(FAULTS), totals, FAULT_COUNT_MIN)];
}
