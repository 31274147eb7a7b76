/**
 * What five nodes ask of the store: requests for each GB of line protocol, for a query, and in an hour of nothing.
 *
 *     node bench/requests.ts [--gb 1] [--minutes 10] [--queries 20]
 *
 * Counted are attempts, by each node's /metrics. The hour is told from `--minutes`, before which the cluster is left alone for a while:
 * files that were replaced go sooner here than by default, and nobody looks for orphans, so that the hour is of nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { round } from "../scripts/long/figures.ts";
import type { Server } from "../scripts/long/server.ts";
import { drained } from "./metrics.ts";
import { benchFolder } from "./node.ts";
import { type Figures, report } from "./report.ts";

type Counts = ReadonlyMap<string, number>;

const IDLE_MAX = 60;
const BODY_ROW_COUNT = 10_000;
const SERIES_COUNT = 1_000;
const AT_ONCE = 2;
const DRAIN_MS_MAX = 300_000;
const SETTLE_MS = 90_000;
const COMPACT_MS = 60_000;
const MODES = ["ingest,query", "ingest,query", "query", "compact", "compact"];
const OPTIONS = ["--snapshot-age", "20s", "--compaction-cleanup-wait", "30s"];
OPTIONS.push("--compactor-sweep-interval", "0s");
const QUERIES = [
  "SELECT count(*) AS n FROM cpu",
  "SELECT host, avg(user) AS user FROM cpu GROUP BY host ORDER BY host LIMIT 10",
];

const { values } = parseArgs({
  options: {
    gb: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    queries: { type: "string", default: "20" },
  },
});
const gigabytes = Number(values.gb);
const minutes = Number(values.minutes);
const queryCount = Number(values.queries);

await using folder = await benchFolder();
const nodes: Server[] = [];
for (const [index, mode] of MODES.entries())
  nodes.push(await folder.node(`host0${index + 1}`, mode, OPTIONS));
for (const node of nodes) {
  node.start();
  await node.ready();
}
const ingested = await requestsOf(ingest);
const [reader] = nodes.slice(2) as [Server];
const cold = await requestsOf(() => query(reader, 1));
const warm = await requestsOf(() => query(reader, queryCount));
const silentCount = await settled();
const idle = await requestsOf(() => sleep(minutes * 60_000));
const hourly = idle.map((counts) => perUnit(counts, minutes / 60));
report(
  "requests",
  {
    ...byRole(
      "per GB",
      ingested.map((counts) => perUnit(counts, gigabytes)),
    ),
    ...figuresOf("cold query", perUnit(sum(cold.slice(2, 3)), QUERIES.length)),
    ...figuresOf("warm query", perUnit(sum(warm.slice(2, 3)), QUERIES.length * queryCount)),
    ...Object.assign(
      {},
      ...hourly.map((counts, index) => figuresOf(`idle host0${index + 1}`, counts)),
    ),
    silentPeers: silentCount,
  },
  {
    [`an idle node asks at most ${IDLE_MAX} times an hour`]: hourly.every(
      (counts) => totalOf(counts) <= IDLE_MAX,
    ),
  },
);

/** What each node has asked of the store while `work` ran, by operation. */
async function requestsOf(work: () => Promise<unknown>): Promise<readonly Counts[]> {
  const before = await Promise.all(nodes.map(countsOf));
  await work();
  const after = await Promise.all(nodes.map(countsOf));
  return after.map(
    (counts, index) =>
      new Map([...counts].map(([op, count]) => [op, count - (before[index]?.get(op) ?? 0)])),
  );
}

async function countsOf(node: Server): Promise<Counts> {
  const { text } = await node.http.ask({ path: "/metrics" });
  const counts = new Map<string, number>();
  const pattern = /^object_store_op_duration_seconds_count\{op="(\w+)",[^}]*\} (\d+)$/gm;
  for (const [, op = "", count] of text.matchAll(pattern))
    counts.set(op, (counts.get(op) ?? 0) + Number(count));
  return counts;
}

/** Writes so much, through both that take writes, until it is in files; the compactor goes on for a while. */
async function ingest(): Promise<void> {
  let sentBytes = 0;
  let bodyCount = 0;
  const send = async () => {
    while (sentBytes < gigabytes * 1e9) {
      const number = bodyCount++;
      const text = body(number);
      sentBytes += text.length;
      await nodes[number % 2]?.write("bench", text);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  for (const node of nodes.slice(0, 2)) await drained(node, DRAIN_MS_MAX);
  await sleep(COMPACT_MS);
}

function body(number: number): string {
  let text = "";
  for (let row = 0; row < BODY_ROW_COUNT; row++) {
    const at = number * BODY_ROW_COUNT + row;
    const seconds = 1_700_000_000 + Math.floor(at / SERIES_COUNT) * 10;
    text += `cpu,host=host_${at % SERIES_COUNT},region=eu user=${at % 97}.5,system=${at % 31}i,idle=${at % 89}i ${seconds}000000000\n`;
  }
  return text;
}

async function query(node: Server, times: number): Promise<void> {
  for (let time = 0; time < times; time++)
    for (const text of QUERIES) await node.query("bench", text);
}

/** Resolves when nothing of the work before is left to do: with how many nodes any node does not hear. */
async function settled(): Promise<number> {
  await sleep(SETTLE_MS);
  let silent = 0;
  for (const node of nodes) {
    const { text } = await node.http.ask({ path: "/metrics" });
    silent += Number(/^tidelake_silent_peers (\d+)$/m.exec(text)?.[1]);
  }
  return silent;
}

function byRole(name: string, counts: readonly Counts[]): Figures {
  return {
    ...figuresOf(`${name}, writers`, sum(counts.slice(0, 2))),
    ...figuresOf(`${name}, reader`, sum(counts.slice(2, 3))),
    ...figuresOf(`${name}, compactors`, sum(counts.slice(3))),
  };
}

function figuresOf(name: string, counts: Counts): Figures {
  const parts = [...counts].filter(([, count]) => count > 0);
  return {
    [name]: round(totalOf(counts), 2),
    ...Object.fromEntries(parts.map(([op, count]) => [`  ${name}, ${op}`, round(count, 2)])),
  };
}

function sum(all: readonly Counts[]): Counts {
  const total = new Map<string, number>();
  for (const counts of all)
    for (const [op, count] of counts) total.set(op, (total.get(op) ?? 0) + count);
  return total;
}

function perUnit(counts: Counts, units: number): Counts {
  return new Map([...counts].map(([op, count]) => [op, count / units]));
}

function totalOf(counts: Counts): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
