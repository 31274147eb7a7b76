/**
 * Runs the simulation over many seeds and prints what it found.
 *
 *     node src/sim/hunt.ts [--from 1] [--seeds 300] [--bug NAME]
 *
 * Without a bug, any violation is a failure (exit 1). With one, it is planted first, and finding nothing is the failure.
 */
import { parseArgs } from "node:util";
import { plant } from "./planted-bugs.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "300" },
    bug: { type: "string" },
  },
});
const first = Number(values.from);
const seedCount = Number(values.seeds);
if (values.bug !== undefined) plant(values.bug);
const { runFoundation } = await import("./foundation.ts");

const totals = new Map<string, number>();
let badCount = 0;
let seed = first;
for (; seed < first + seedCount; seed++) {
  const violations = await judge(seed);
  if (violations.length === 0) continue;
  badCount += 1;
  print(`seed ${seed}: ${violations.slice(0, 3).join("\n    ")}`);
  if (values.bug !== undefined || badCount >= 10) break;
}
const ranCount = Math.min(seed, first + seedCount - 1) - first + 1;
if (values.bug !== undefined) {
  const found = badCount > 0;
  print(
    `planted bug ${values.bug}: ${found ? `found by seed ${seed}` : `not found in ${ranCount} seeds`}`,
  );
  process.exitCode = found ? 0 : 1;
} else {
  print(JSON.stringify(Object.fromEntries(totals)));
  print(`${ranCount} seeds, ${badCount} with violations`);
  process.exitCode = badCount > 0 ? 1 : 0;
}

/** What is wrong with one seed; counts what happened in it. */
async function judge(which: number): Promise<readonly string[]> {
  try {
    const { counts, work, violations } = await runFoundation(which);
    for (const [name, count] of [...counts, ...Object.entries(work)])
      totals.set(name, (totals.get(name) ?? 0) + count);
    return violations;
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
