import type { FaultKind } from "#sim/world.ts";
import { HUNTER_COUNT, hunt } from "./hunting.ts";
import { print } from "./output.ts";

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

export interface SimulationOptions {
  readonly from: number;
  readonly seedCount: number;
}

/** Runs the simulated world over `seedCount` seeds; answers the seeds that broke a promise, and faults that were met too seldom. */
export async function runSimulation({ from, seedCount }: SimulationOptions): Promise<string[]> {
  const share = Math.ceil(seedCount / HUNTER_COUNT);
  const results = await Promise.all(
    Array.from({ length: HUNTER_COUNT }, (_, index) => {
      const first = from + index * share;
      const count = Math.min(share, from + seedCount - first);
      return hunt(["--from", String(first), "--seeds", String(count)]);
    }),
  );
  const totals = new Map<string, number>();
  const failures: string[] = [];
  for (const { exitCode, lines } of results) {
    if (exitCode !== 0) failures.push(`exit ${exitCode}:\n${lines.join("\n")}`);
    for (const [name, count] of countsOf(lines)) totals.set(name, (totals.get(name) ?? 0) + count);
    print(lines.at(-1) ?? "no output");
  }
  for (const [name, count] of [...totals].toSorted(([left], [right]) => left.localeCompare(right)))
    print(`${name.padEnd(20)} ${count}`);
  for (const fault of Object.keys(FAULTS))
    if ((totals.get(fault) ?? 0) < FAULT_COUNT_MIN)
      failures.push(`${fault} was met ${totals.get(fault) ?? 0} times, not ${FAULT_COUNT_MIN}`);
  return failures;
}

/** The line of totals: a JSON object of numbers. */
function countsOf(lines: readonly string[]): readonly (readonly [string, number])[] {
  const line = lines.findLast((text) => text.startsWith("{"));
  return line === undefined ? [] : Object.entries(JSON.parse(line) as Record<string, number>);
}
