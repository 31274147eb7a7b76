/**
 * Years of one point an hour of many series, in compacted files: how long it takes to ask for one series by the day, and what memory it
 * takes to ask for all.
 *
 *     node bench/history.ts [--series 10000] [--years 5] [--row-limit 1000000] [--queries 30] [--lang influxql|sql]
 *
 * The files are those that the compactor's planner comes to rest at, made by the engine's own writer and put into the manifest; the rows do
 * not go through a node. Their copies fit into the node's file cache, and each is there before anything is measured.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { FileStore } from "#objectstore/file.ts";
import { silentLog } from "#ports/log.ts";
import { below, seededRandom } from "#ports/random.ts";
import { machineClock } from "#testing/http.ts";
import { percentile, round } from "../scripts/long/figures.ts";
import type { Server } from "../scripts/long/server.ts";
import { HOUR_NS, makeHistory, seriesName } from "./history/maker.ts";
import { fastPut } from "./many-objects/maker.ts";
import { benchFolder } from "./node.ts";
import { cpuSeconds, processesOf, residentBytes } from "./processes.ts";
import { type Figures, report } from "./report.ts";

const P95_MS_MAX = 500;
/** Beyond what the node holds when it has answered questions about one series. */
const GROWTH_BYTES_MAX = 1.5 * 2 ** 30;
const DATABASE = "bench";
const TABLE = "m";
const CLUSTER = "cluster01";
const MIB = 2 ** 20;
const DAY_HOURS = 24;
const YEAR_HOURS = 365 * DAY_HOURS;
/** A whole day. */
const END_NS = 1_767_225_600_000_000_000n;
const WARM_COUNT = 5;
const LOOK_MS = 20;
const TIMEOUT_MS = 600_000;

const { values } = parseArgs({
  options: {
    series: { type: "string", default: "10000" },
    years: { type: "string", default: "5" },
    "row-limit": { type: "string", default: "1000000" },
    queries: { type: "string", default: "30" },
    lang: { type: "string", default: "influxql" },
  },
});
const seriesCount = Number(values.series);
const hourCount = Math.ceil((Number(values.years) * YEAR_HOURS) / DAY_HOURS) * DAY_HOURS;
const startNs = END_NS - BigInt(hourCount) * HOUR_NS;

await using folder = await benchFolder();
const writing = await folder.node("host01", "ingest,query");
writing.start();
await writing.ready();
await writing.write(DATABASE, `${TABLE},host=${seriesName(0)} v=1 ${END_NS}`);
await writing.stop();
const root = `${folder.path}/store`;
await using store = await FileStore.open(root, { random: seededRandom(1), log: silentLog });
const startedMs = performance.now();
const made = await makeHistory({
  clusterId: CLUSTER,
  database: DATABASE,
  table: TABLE,
  ports: { store, clock: machineClock, random: seededRandom(2), log: silentLog },
  put: fastPut(root),
  seriesCount,
  startNs,
  hourCount,
  rowLimit: Number(values["row-limit"]),
});
const makeSeconds = (performance.now() - startedMs) / 1_000;
const cacheSize = `${Math.ceil((2 * made.sizeBytes) / MIB) + 64}MB`;
const options = ["--wait-for-running-ingester", "0s", "--file-cache-size", cacheSize];
const server = await folder.node("host02", "query", options);
server.start();
await server.ready();
const one = await askForOne(server);
const all = await askForAll(server);
report(
  "history",
  {
    lang: values.lang,
    series: seriesCount,
    hours: hourCount,
    ...made,
    makeSeconds: round(makeSeconds),
    ...one,
    ...all.figures,
  },
  {
    [`one series by the day: p95 at most ${P95_MS_MAX} ms`]: one.p95Ms <= P95_MS_MAX,
    "all series take no more memory than they may": all.growthBytes <= GROWTH_BYTES_MAX,
    "answers are exact": one.exact && all.exact,
  },
);

async function askForOne(asked: Server) {
  const dayCount = hourCount / DAY_HOURS;
  const random = seededRandom(3);
  const tookMs: number[] = [];
  let exact = true;
  let cpuBefore = 0;
  for (let query = 0; query < WARM_COUNT + Number(values.queries); query += 1) {
    if (query === WARM_COUNT) cpuBefore = cpuSeconds(processesOf(asked.pid));
    const name = seriesName(below(random, seriesCount));
    const began = performance.now();
    const rowCount = await ask(asked, `WHERE host = '${name}' AND `);
    if (query >= WARM_COUNT) tookMs.push(performance.now() - began);
    exact &&= rowCount === dayCount;
  }
  const [p50Ms, p95Ms] = [0.5, 0.95].map((share) => round(percentile(tookMs, share)));
  const cpuMs = round((1_000 * (cpuSeconds(processesOf(asked.pid)) - cpuBefore)) / tookMs.length);
  return { p50Ms: p50Ms ?? Number.NaN, p95Ms: p95Ms ?? Number.NaN, cpuMs, exact };
}

/** The days of all series together, and what memory that took. */
async function askForAll(asked: Server) {
  const before = residentBytes(processesOf(asked.pid));
  const began = performance.now();
  const done = new AbortController();
  const answer = ask(asked, "WHERE ").finally(() => done.abort());
  let most = before;
  while (!done.signal.aborted) {
    most = Math.max(most, residentBytes(processesOf(asked.pid)));
    await sleep(LOOK_MS);
  }
  const rowCount = await answer;
  const growthBytes = most - before;
  const figures: Figures = {
    allMs: round(performance.now() - began),
    residentMiB: Math.round(before / MIB),
    residentMiBMax: Math.round(most / MIB),
  };
  return { figures, growthBytes, exact: rowCount === hourCount / DAY_HOURS };
}

/** The mean of each day, of what `where` begins to say; answers how many days there are. */
async function ask(asked: Server, where: string): Promise<number> {
  const within = `time >= ${startNs} AND time < ${END_NS}`;
  if (values.lang === "sql") {
    const time = within.replace(/(\d+)/g, "$1::TIMESTAMP");
    const text = `SELECT date_bin(INTERVAL '1 day', time) AS day, avg(v) FROM ${TABLE} ${where}${time} GROUP BY day ORDER BY day`;
    return (await asked.query(DATABASE, text)).length;
  }
  const text = `SELECT mean(v) FROM ${TABLE} ${where}${within} GROUP BY time(1d)`;
  const path = `/query?db=${DATABASE}&q=${encodeURIComponent(text)}`;
  const answer = await asked.http.ask({ path, timeoutMs: TIMEOUT_MS });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text.slice(0, 200)}`);
  const body = JSON.parse(answer.text) as InfluxQlBody;
  return body.results[0]?.series?.[0]?.values.length ?? 0;
}

interface InfluxQlBody {
  readonly results: readonly {
    readonly series?: readonly { readonly values: readonly unknown[] }[];
  }[];
}
