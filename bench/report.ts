import { appendFileSync, mkdirSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { percentile, round } from "../scripts/long/figures.ts";

const OUT = fileURLToPath(new URL("./out/", import.meta.url));

export type Figures = Readonly<Record<string, number | string | boolean>>;

/** p50, p90 and p99 of times in milliseconds, under `name`. */
export function percentilesMs(name: string, valuesMs: readonly number[]): Figures {
  return Object.fromEntries(
    [50, 90, 99].map((share) => [
      `${name}P${share}Ms`,
      round(percentile(valuesMs, share / 100), 3),
    ]),
  );
}

/**
 * Prints `figures`, and adds them as one line to bench/out/<name>.jsonl, with what else the machine was busy with. Sets the exit
 * code to 1 when a goal was missed.
 */
export function report(
  name: string,
  figures: Figures,
  goals: Readonly<Record<string, boolean>>,
): void {
  for (const [what, value] of Object.entries(figures))
    process.stdout.write(`${what.padEnd(28)} ${String(value)}\n`);
  for (const [goal, met] of Object.entries(goals)) {
    process.stdout.write(`goal: ${goal}: ${met ? "met" : "MISSED"}\n`);
    if (!met) process.exitCode = 1;
  }
  const line = {
    at: new Date().toISOString(),
    node: process.version,
    cores: availableParallelism(),
    load1: round(loadavg()[0] ?? 0, 2),
    ...figures,
    goalsMet: Object.values(goals).every(Boolean),
  };
  mkdirSync(OUT, { recursive: true });
  appendFileSync(`${OUT}${name}.jsonl`, `${JSON.stringify(line)}\n`);
}
