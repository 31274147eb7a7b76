import { DbError } from "#base/errors.ts";
import { toJson } from "#base/schema.ts";
import type { GarbagePass, ListedPass } from "#compaction/garbage/audit.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { chooseOf } from "../options.ts";
import { CLUSTER_STORE_OPTIONS, openClusterStore } from "./cluster-store.ts";

const OUTCOMES = ["deleted", "would-be", "queued"] as const;

export const SWEEP_LIST: CommandSpec = {
  path: "debug sweep list",
  about: "List the passes in which compactors have deleted files",
  notes: [
    "A cleanup deletes files that compaction has replaced; a sweep, files that",
    "compactors have left without a record. Passes are kept for",
    "--compactor-sweep-audit-retention.",
  ].join("\n"),
  options: CLUSTER_STORE_OPTIONS,
  run: listSweeps,
};

export const SWEEP_REPORT: CommandSpec = {
  path: "debug sweep report",
  about: "Show what one pass has deleted, or would delete, and why",
  options: [
    {
      name: "pass",
      value: "PASS",
      about: "As 'debug sweep list' names it [default: the newest sweep]",
    },
    {
      name: "candidates",
      value: "OUTCOME",
      about: `Only files that are ${OUTCOMES.join(", ")}`,
    },
    ...CLUSTER_STORE_OPTIONS,
  ],
  run: reportSweep,
};

async function listSweeps(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  await using parts = new AsyncDisposableStack();
  const { clusterId, ports } = await openClusterStore(input, parts);
  const { listPasses } = await import("#compaction/garbage/audit.ts");
  const passes = (await listPasses(ports.store, clusterId)).map((pass) => ({
    pass: nameOf(pass),
    kind: pass.kind,
    term: pass.term,
    started_at: new Date(pass.startedAtMs).toISOString(),
  }));
  if (settings.isOn("json")) terminal.out(JSON.stringify(passes));
  else
    for (const { kind, pass, started_at: startedAt, term } of passes)
      terminal.out(`${startedAt}  ${kind.padEnd(7)}  term ${term}  ${pass}`);
  return 0;
}

async function reportSweep(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const only = settings.parseIfGiven("candidates", (text) => chooseOf(text, OUTCOMES));
  await using parts = new AsyncDisposableStack();
  const { clusterId, ports } = await openClusterStore(input, parts);
  const { listPasses, readPass } = await import("#compaction/garbage/audit.ts");
  const passes = await listPasses(ports.store, clusterId);
  const found = choosePass(passes, settings.find("pass"));
  const pass = await readPass(ports.store, found.key);
  const files = pass.files.filter(({ outcome }) => only === undefined || outcome === only);
  if (settings.isOn("json")) terminal.out(toJson({ ...pass, files }));
  else printPass({ ...pass, files }, nameOf(found), (line) => terminal.out(line));
  return 0;
}

function printPass(pass: GarbagePass, name: string, out: (line: string) => void): void {
  const { files, kind, listedCount, node, startedAtNs, term } = pass;
  const startedAt = new Date(Number(startedAtNs / 1_000_000n)).toISOString();
  out(`${kind} ${name} at ${startedAt}, by node number ${node} in term ${term}`);
  out(`${listedCount} files looked at, ${files.length} shown`);
  for (const { key, outcome, reason } of files) out(`${outcome.padEnd(8)}  ${key}  ${reason}`);
}

function choosePass(passes: readonly ListedPass[], wanted: string | undefined): ListedPass {
  const found =
    wanted === undefined
      ? passes.findLast(({ kind }) => kind === "sweep")
      : passes.find((pass) => nameOf(pass) === wanted);
  if (found !== undefined) return found;
  const what = wanted === undefined ? "no sweep has been made yet" : `there is no pass ${wanted}`;
  throw new DbError("not_found", "garbage_pass_missing", `${what}: see 'debug sweep list'`);
}

function nameOf({ key }: ListedPass): string {
  return key.slice(key.lastIndexOf("/") + 1).replace(/\.json$/, "");
}
