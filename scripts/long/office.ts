import { runTwoForever } from "#sim/scenarios/two-forever.ts";
import { runTwoInOffice } from "#sim/scenarios/two-in-office.ts";
import { print } from "./output.ts";

const HOUR_MS = 3_600_000;

/** Two compactors for an hour of simulated time: the office passes on all the time, and both believe for ever that they are in it. */
export async function runOffice(): Promise<string[]> {
  const passing = await runTwoInOffice({ seed: 1, durationMs: HOUR_MS, keepsPassing: true });
  const forever = await runTwoForever({ seed: 2, durationMs: HOUR_MS, keepsPassing: false });
  for (const { acknowledgedCount, filesDeletedCount, readCount, takeOverCount } of [
    passing,
    forever,
  ])
    print(
      `${takeOverCount} terms, ${acknowledgedCount} writes, ${readCount} reads compared, ${filesDeletedCount} files deleted`,
    );
  return [...passing.violations, ...forever.violations];
}
