/**
 * The tests that take minutes: real processes killed at random moments, a hundred thousand queries against writers, the simulated
 * world over thousands of seeds, with two compactors in office for an hour, and the bugs it must find; raft groups over 20,000 seeds, and the bugs that
 * must be found in them; a million lines through both parsers; ten million texts through that of InfluxQL; every topology of examples/ on every
 * store, and with each of its nodes hanging for a minute; clients that mean harm; nodes that come back after half a million entries of another.
 *
 *     node scripts/test-long.ts                      all of them
 *     node scripts/test-long.ts kills queries        some of them
 *     node scripts/test-long.ts simulation --seeds 500 --from 10001
 *     node scripts/test-long.ts raft --seeds 2000 --from 1
 *
 * Prints figures; exit 1 when anything failed.
 */
import { parseArgs } from "node:util";
import { runBacklog } from "./long/backlog.ts";
import { runBugs, runRaftBugs } from "./long/bugs.ts";
import { runFaults } from "./long/faults.ts";
import { runHostile } from "./long/hostile.ts";
import type { SeedsOptions } from "./long/hunting.ts";
import { runInfluxQlParse } from "./long/influxql-parse.ts";
import { runKills } from "./long/kills.ts";
import { runLines } from "./long/lines.ts";
import { runOffice } from "./long/office.ts";
import { print } from "./long/output.ts";
import { runQueries } from "./long/queries.ts";
import { runRaft } from "./long/raft.ts";
import { runSimulation } from "./long/simulation.ts";
import { runTopologies } from "./long/topologies.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "50" },
    queries: { type: "string", default: "100000" },
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    lines: { type: "string", default: "1000000" },
    texts: { type: "string", default: "10000000" },
    seconds: { type: "string", default: "60" },
    entries: { type: "string", default: "500000" },
    idle: { type: "string", default: "10000" },
    stores: { type: "string", default: "file,s3,azure,google" },
    store: { type: "string", default: "file" },
    pause: { type: "string", default: "60" },
  },
});

/** Each answers what failed. */
const PARTS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  kills: () => runKills({ killCount: Number(values.kills) }),
  queries: () => runQueries({ queryCount: Number(values.queries) }),
  simulation: () => runSimulation(seedsOr(5_000)),
  office: () => runOffice(),
  bugs: () => runBugs({ seedCountMax: 1_000 }),
  raft: () => runRaft(seedsOr(20_000)),
  "raft-bugs": () => runRaftBugs({ seedCountMax: 2_000 }),
  lines: () => runLines({ lineCount: Number(values.lines) }),
  "influxql-parse": () => runInfluxQlParse({ textCount: Number(values.texts) }),
  backlog: () => runBacklog({ entryCount: Number(values.entries) }),
  topologies: () => runTopologies({ stores: values.stores.split(",") }),
  faults: () => runFaults({ store: values.store, pauseSeconds: Number(values.pause) }),
  hostile: () => runHostile({ seconds: Number(values.seconds), idleCount: Number(values.idle) }),
};

const names = positionals.length > 0 ? positionals : Object.keys(PARTS);
for (const name of names) {
  const part = PARTS[name];
  if (part === undefined) {
    print(`there is no part ${name}; there are ${Object.keys(PARTS).join(", ")}`);
    process.exitCode = 2;
    break;
  }
  const startedMs = performance.now();
  const failures = await part().catch((error: unknown) => [
    error instanceof Error ? (error.stack ?? error.message) : String(error),
  ]);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  for (const failure of failures) print(`${name}: FAILED: ${failure}`);
  print(`${name}: ${failures.length === 0 ? "passed" : "FAILED"} after ${seconds} s`);
  if (failures.length > 0) process.exitCode = 1;
}

/** The seeds that were asked for, by default `seedCount` of them. */
function seedsOr(seedCount: number): SeedsOptions {
  return { from: Number(values.from), seedCount: Number(values.seeds ?? seedCount) };
}

// What a failed part left running must not keep this process.
process.exit();
