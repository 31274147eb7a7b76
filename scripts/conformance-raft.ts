/**
 * Runs raft scripts of others (`src/raft/testing/README.md`): every `.txt` of a folder and those below it.
 *
 *     node scripts/conformance-raft.ts ../shared/conformance/raft
 *
 * Prints the first difference of each script that fails, and how many passed and failed; exit 1 where any failed.
 */
import { describeDifference, runScripts, type ScriptResult } from "#raft/testing/conformance.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) fail("name a folder of scripts: conformance-raft.ts FOLDER");

let results: readonly ScriptResult[] = [];
try {
  results = runScripts(folder);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
let failedCount = 0;
for (const { path, difference } of results) {
  if (difference === undefined) continue;
  failedCount += 1;
  process.stdout.write(`${path}\n${describeDifference(difference)}\n\n`);
}
process.stdout.write(`${results.length - failedCount} passed, ${failedCount} failed\n`);
process.exitCode = failedCount > 0 ? 1 : 0;

function fail(message: string): never {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
