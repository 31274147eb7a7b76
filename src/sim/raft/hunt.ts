/**
 * Many universes of raft groups: `node src/sim/raft/hunt.ts [--from 1] [--seeds 1000] [--bug NAME]`.
 *
 * Without a bug, any violation is a failure (exit 1). With one, it is planted first, and finding nothing is the failure.
 */
import { parseArgs } from "node:util";
import { plant } from "../planted-bugs.ts";
import { RAFT_BUGS } from "./planted-bugs.ts";

/** Violations that are printed of one seed. */
const SHOWN_MAX = 3;

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "1000" },
    bug: { type: "string" },
  },
});
if (values.bug !== undefined) plant(values.bug, RAFT_BUGS);
const { runRaftUniverse } = await import("./universe.ts");

const first = Number(values.from);
const end = first + Number(values.seeds);
const sums = new Map<string, number>();
let badCount = 0;
let seed = first;
for (; seed < end && (values.bug === undefined || badCount === 0); seed++) {
  const { counts, violations, ...others } = await runRaftUniverse(seed);
  for (const [what, count] of [...counts, ...Object.entries(others)])
    if (typeof count === "number") sums.set(what, (sums.get(what) ?? 0) + count);
  if (violations.length > 0) badCount += 1;
  for (const violation of violations.slice(0, SHOWN_MAX)) print(`seed ${seed}: ${violation}`);
}
if (values.bug === undefined) {
  print(JSON.stringify(Object.fromEntries(sums)));
  print(`${seed - first} seeds, ${badCount} with violations`);
  process.exitCode = badCount > 0 ? 1 : 0;
} else {
  const outcome = badCount > 0 ? `found by seed ${seed - 1}` : `not found in ${seed - first} seeds`;
  print(`planted bug ${values.bug}: ${outcome}`);
  process.exitCode = badCount > 0 ? 0 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
