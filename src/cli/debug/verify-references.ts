import type { ReferencesReport } from "#compaction/garbage/references.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { CLUSTER_STORE_OPTIONS, openClusterStore } from "./cluster-store.ts";

const EXIT_MISSING = 2;

export const VERIFY_REFERENCES: CommandSpec = {
  path: "debug verify-references",
  about: "Check whether every data file that a record names is in the object store",
  notes: [
    "Nothing is changed, and the cluster may run meanwhile. The exit code is 0 when",
    "all files are there, 1 when that could not be found out, 2 when some are not.",
  ].join("\n"),
  options: CLUSTER_STORE_OPTIONS,
  run: runVerifyReferences,
};

async function runVerifyReferences(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  await using parts = new AsyncDisposableStack();
  const { clusterId, ports } = await openClusterStore(input, parts);
  const { verifyReferences } = await import("#compaction/garbage/references.ts");
  const { nodeLogPrefix } = await import("#lifecycle/followers.ts");
  const { signal } = new AbortController();
  const report = await verifyReferences({ clusterId, ports, logPrefixOf: nodeLogPrefix, signal });
  if (settings.isOn("json")) terminal.out(JSON.stringify(inWords(report)));
  else printReport(report, terminal);
  return report.missing.length + report.wrongSize.length > 0 ? EXIT_MISSING : 0;
}

function inWords({ namedCount, missing, wrongSize }: ReferencesReport) {
  return { files: namedCount, missing, wrong_size: wrongSize };
}

function printReport({ namedCount, missing, wrongSize }: ReferencesReport, terminal: Terminal) {
  for (const key of missing) terminal.out(`missing     ${key}`);
  for (const key of wrongSize) terminal.out(`wrong size  ${key}`);
  const badCount = missing.length + wrongSize.length;
  if (badCount === 0) terminal.out(`OK: every data-file reference exists (${namedCount} files)`);
  else terminal.error(`error: ${badCount} of ${namedCount} files are missing or damaged`);
}
