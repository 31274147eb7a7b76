import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { REPOSITORY, type Sandbox } from "../cluster.ts";
import type { ConformanceRun, Goal } from "./goals.ts";

/** Where the cases are, where they are. */
export const CASES = join(REPOSITORY, "../shared/conformance/sql");

const RUN_MS_MAX = 600_000;

export interface Outcome {
  readonly failing: readonly FailedCase[];
  readonly categories: ReadonlyMap<string, { readonly passed: number; readonly count: number }>;
}

export interface FailedCase {
  readonly id: string;
  readonly category: string;
  readonly why: string;
}

/** What a runner writes with `--json`. */
interface Report {
  readonly failing: readonly { readonly id: string; readonly cat: string; readonly why: string }[];
  readonly categories: Readonly<Record<string, { readonly ok: number; readonly n: number }>>;
}

/** Runs the cases of `run` on a node of its own. Rejects where the runner did not come to an end. */
export async function runCases(sandbox: Sandbox, run: ConformanceRun): Promise<Outcome> {
  const node = await sandbox.start({ auth: run.auth });
  const token = run.auth ? await firstToken(node.url) : undefined;
  const report = join(sandbox.directory, "report.json");
  const words = [
    join(CASES, run.runner),
    "--url",
    node.url,
    "--file",
    join(CASES, run.file),
    "--json",
    report,
    ...(token === undefined ? [] : ["--token", token]),
  ];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  execFile(process.execPath, words, { timeout: RUN_MS_MAX }, (error, _out, errors) => {
    // Where a case fails, it ends with 1.
    if (error === null || error.code === 1) resolve(undefined);
    else reject(new Error(`${run.runner} ended: ${error.message} ${errors}`));
  });
  await promise;
  const { failing, categories } = JSON.parse(await readFile(report, "utf8")) as Report;
  return {
    failing: failing.map(({ id, cat, why }) => ({ id, category: cat, why })),
    categories: new Map(
      Object.entries(categories).map(([name, { ok, n }]) => [name, { passed: ok, count: n }]),
    ),
  };
}

/** The ids of the cases of `run`, also of those that it leaves out. */
export function idsOf({ file }: ConformanceRun): readonly string[] {
  const lines = readFileSync(join(CASES, file), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as { id: string }).id);
}

async function firstToken(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/v3/configure/token/admin`, { method: "POST" });
  const { token } = (await answer.json()) as { token: string };
  return token;
}

/** How many cases a goal counts, and how many of them passed. */
export function countOf(
  { categories }: Outcome,
  { leftOut }: ConformanceRun,
  goal: Goal,
): { readonly passed: number; readonly count: number } {
  const uncounted = new Set([...leftOut, ...(goal.without ?? [])]);
  let passed = 0;
  let count = 0;
  for (const [name, category] of categories) {
    if (uncounted.has(name) || goal.categories?.includes(name) === false) continue;
    passed += category.passed;
    count += category.count;
  }
  return { passed, count };
}
