import { PLANTED_BUGS } from "#sim/planted-bugs.ts";
import { HUNTER_COUNT, hunt } from "./hunting.ts";
import { print } from "./output.ts";

/** Plants one bug after the other; answers those that the simulated world did not find. */
export async function runBugs({ seedCountMax }: { seedCountMax: number }): Promise<string[]> {
  const waiting = Object.keys(PLANTED_BUGS);
  const failures: string[] = [];
  const hunter = async () => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const { exitCode, lines } = await hunt(["--bug", bug, "--seeds", String(seedCountMax)]);
      const verdict = lines.at(-1) ?? `${bug}: no output`;
      print(verdict);
      if (exitCode !== 0) failures.push(verdict);
    }
  };
  await Promise.all(Array.from({ length: HUNTER_COUNT }, hunter));
  return failures;
}
