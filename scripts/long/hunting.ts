import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const HUNT = fileURLToPath(new URL("../../src/sim/hunt.ts", import.meta.url));

/** Processes that hunt at once. */
export const HUNTER_COUNT = 2;

export interface Hunted {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
}

/** Runs src/sim/hunt.ts in a process of its own. */
export async function hunt(args: readonly string[]): Promise<Hunted> {
  const child = spawn(process.execPath, [HUNT, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = Promise.withResolvers<number | null>();
  child.once("error", ended.reject);
  child.once("close", ended.resolve);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  return { exitCode: await ended.promise, lines };
}
