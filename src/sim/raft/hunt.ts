/** Many universes of raft groups: `node src/sim/raft/hunt.ts [--from 1] [--seeds 1000]`. Exit 1 where one has a violation. */
import { parseArgs } from "node:util";
import { type RaftFault, runRaftUniverse } from "./universe.ts";

/** Violations that are printed of one seed. */
const SHOWN_MAX = 3;

const { values } = parseArgs({
  options: { from: { type: "string", default: "1" }, seeds: { type: "string", default: "1000" } },
});
const from = Number(values.from);
const sums = new Map<RaftFault, number>();
let operationCount = 0;
let answeredCount = 0;
let leaderCount = 0;
let snapshotCount = 0;
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const outcome = await runRaftUniverse(seed);
  for (const [fault, count] of outcome.counts) sums.set(fault, (sums.get(fault) ?? 0) + count);
  operationCount += outcome.operationCount;
  answeredCount += outcome.answeredCount;
  leaderCount += outcome.leaderCount;
  snapshotCount += outcome.snapshotCount;
  for (const violation of outcome.violations.slice(0, SHOWN_MAX)) {
    process.stdout.write(`seed ${seed}: ${violation}\n`);
    process.exitCode = 1;
  }
}
for (const [fault, count] of sums) process.stdout.write(`${fault.padEnd(20)} ${count}\n`);
process.stdout.write(
  `${values.seeds} seeds, ${operationCount} operations, ${answeredCount} answered, ${leaderCount} leaders, ${snapshotCount} snapshots restored\n`,
);
