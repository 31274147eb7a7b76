import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { print } from "./output.ts";

/** What runs seeds: of whole clusters, and of raft groups. */
const PROGRAMS = { cluster: "../../src/sim/hunt.ts", raft: "../../src/sim/raft/hunt.ts" } as const;

export type HuntedWorld = keyof typeof PROGRAMS;

/** Processes that hunt at once. */
export const HUNTER_COUNT = 2;

export interface SeedsOptions {
  readonly from: number;
  readonly seedCount: number;
}

interface Hunted {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
}

/** Runs seeds, prints how often what happened in them, and answers that and what failed. */
export async function huntSeeds(
  world: HuntedWorld,
  { from, seedCount }: SeedsOptions,
): Promise<{ readonly totals: ReadonlyMap<string, number>; readonly failures: readonly string[] }> {
  const share = Math.ceil(seedCount / HUNTER_COUNT);
  const results = await Promise.all(
    Array.from({ length: HUNTER_COUNT }, (_, index) => {
      const first = from + index * share;
      const count = Math.min(share, from + seedCount - first);
      return hunt(world, ["--from", String(first), "--seeds", String(count)]);
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
  return { totals, failures };
}

/** Those of `faults` that were met less than `countMin` times: the seeds prove little about them. */
export function metTooSeldom(
  faults: readonly string[],
  totals: ReadonlyMap<string, number>,
  countMin: number,
): readonly string[] {
  return faults
    .filter((fault) => (totals.get(fault) ?? 0) < countMin)
    .map((fault) => `${fault} was met ${totals.get(fault) ?? 0} times, not ${countMin}`);
}

/** Plants one of `bugs` after the other; answers those that at most `seedCountMax` seeds did not find. */
export async function huntBugs(
  world: HuntedWorld,
  bugs: readonly string[],
  seedCountMax: number,
): Promise<string[]> {
  const waiting = [...bugs];
  const failures: string[] = [];
  const hunter = async () => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const { exitCode, lines } = await hunt(world, [
        "--bug",
        bug,
        "--seeds",
        String(seedCountMax),
      ]);
      const verdict = lines.at(-1) ?? `${bug}: no output`;
      print(verdict);
      if (exitCode !== 0) failures.push(verdict);
    }
  };
  await Promise.all(Array.from({ length: HUNTER_COUNT }, hunter));
  return failures;
}

/** Runs a program of `PROGRAMS` in a process of its own. */
async function hunt(world: HuntedWorld, args: readonly string[]): Promise<Hunted> {
  const program = fileURLToPath(new URL(PROGRAMS[world], import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = Promise.withResolvers<number | null>();
  child.once("error", ended.reject);
  child.once("close", ended.resolve);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  return { exitCode: await ended.promise, lines };
}

/** The line of totals: a JSON object of numbers. */
function countsOf(lines: readonly string[]): readonly (readonly [string, number])[] {
  const line = lines.findLast((text) => text.startsWith("{"));
  return line === undefined ? [] : Object.entries(JSON.parse(line) as Record<string, number>);
}
