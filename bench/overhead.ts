/**
 * What a node adds to its engine: questions through HTTP as CSV, and what the node asks of its engine for them, asked of a bare one on the
 * same files, in turns: medians, their ratio, and the difference where the answer is small.
 *
 *     node bench/overhead.ts [--rows 1000000] [--rounds 21]
 *
 * The bare engine is DuckDB with as many threads as there are cores, as the node's engine has them; its answers stay in its own columns.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { round } from "../scripts/long/figures.ts";
import { startWithCpu } from "./cpu-lines.ts";
import { engineSql } from "./engine-sql.ts";
import { merged } from "./metrics.ts";
import { benchFolder } from "./node.ts";
import { report } from "./report.ts";

const DATABASE = "bench";
const RATIO_MAX = 1.3;
const SMALL_ROW_COUNT = 1_000;
const ADDED_MS_MAX = 5;
/** Rounds that fill caches and let the code be compiled. */
const WARM_COUNT = 10;

const DAY = "time >= '2023-11-16' AND time < '2023-11-17'";
const QUESTIONS: Readonly<Record<string, string>> = {
  "one host": `SELECT date_bin(INTERVAL '1 hour', time) AS hour, max(load) AS m FROM cpu WHERE host = 'host_7' AND ${DAY} GROUP BY 1 ORDER BY 1`,
  "all hosts": `SELECT host, date_bin(INTERVAL '1 hour', time) AS hour, avg(load) AS a, avg(temp) AS b FROM cpu WHERE ${DAY} GROUP BY 1, 2 ORDER BY 1, 2`,
  "distinct values": `SELECT count(DISTINCT free) AS n FROM cpu WHERE ${DAY}`,
  medians: `SELECT host, median(temp) AS m FROM cpu WHERE ${DAY} GROUP BY host ORDER BY host`,
  "last of each": `SELECT host, time, load FROM (SELECT host, time, load, row_number() OVER (PARTITION BY host ORDER BY time DESC) AS n FROM cpu WHERE ${DAY}) AS numbered WHERE n = 1 ORDER BY host`,
  join: `SELECT c.host, count(*) AS n FROM cpu AS c JOIN (SELECT host, avg(load) AS mean FROM cpu WHERE ${DAY} GROUP BY host) AS h ON c.host = h.host WHERE c.load > h.mean GROUP BY c.host ORDER BY c.host`,
  "rows of a host": "SELECT time, load, temp, free FROM cpu WHERE host = 'host_7'",
  "rows of a day": `SELECT time, host, load, temp, free FROM cpu WHERE ${DAY}`,
};

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "21" },
  },
});
const rowCount = Number(values.rows);

await using folder = await benchFolder();
const server = await startWithCpu(folder, DATABASE, rowCount);
await merged(server);
const files = await server.query(
  DATABASE,
  "SELECT path FROM system.parquet_files WHERE table_name = 'cpu'",
);
const paths = files.map(({ path }) => join(folder.path, "store", String(path)));
const engine = await DuckDBInstance.create(":memory:", {
  threads: String(availableParallelism()),
});
const bare = await engine.connect();
for (const setting of ["TimeZone = 'UTC'", "parquet_metadata_cache = true"])
  await bare.run(`SET ${setting}`);

const figures: Record<string, number> = {};
const goals: Record<string, boolean> = {};
for (const [name, question] of Object.entries(QUESTIONS)) {
  const sql = engineSql(question, paths);
  const times = { ours: [] as number[], bare: [] as number[] };
  let answerCount = 0;
  for (let count = 0; count < Number(values.rounds) + WARM_COUNT; count += 1) {
    const ours = await timed(() => answered(question));
    const theirs = await timed(async () => (await bare.run(sql)).fetchAllChunks());
    answerCount = ours.value;
    const bareCount = theirs.value.reduce((sum, chunk) => sum + chunk.rowCount, 0);
    if (bareCount !== answerCount) throw new Error(`${name}: ${answerCount} rows, ${bareCount}`);
    if (count < WARM_COUNT) continue;
    times.ours.push(ours.ms);
    times.bare.push(theirs.ms);
  }
  const [oursMs, bareMs] = [median(times.ours), median(times.bare)];
  const ratio = oursMs / bareMs;
  Object.assign(figures, {
    [`${name} rows`]: answerCount,
    [`${name} oursMs`]: round(oursMs, 2),
    [`${name} bareMs`]: round(bareMs, 2),
    [`${name} ratio`]: round(ratio, 2),
  });
  if (answerCount >= SMALL_ROW_COUNT) continue;
  goals[`${name}: at most ${RATIO_MAX} of the bare engine`] = ratio <= RATIO_MAX;
  goals[`${name}: at most ${ADDED_MS_MAX} ms more`] = oursMs - bareMs <= ADDED_MS_MAX;
}
bare.closeSync();
await server.stop();
report("overhead", { rows: rowCount, files: files.length, ...figures }, goals);

async function timed<T>(
  work: () => Promise<T>,
): Promise<{ readonly ms: number; readonly value: T }> {
  const startedMs = performance.now();
  const value = await work();
  return { ms: performance.now() - startedMs, value };
}

/** How many rows the node answers. They are counted, not read: what a client does with them is its own. */
async function answered(question: string): Promise<number> {
  const query = `db=${DATABASE}&format=csv&q=${encodeURIComponent(question)}`;
  const { status, text: body } = await server.http.ask({ path: `/api/v3/query_sql?${query}` });
  if (status !== 200) throw new Error(`${status}: ${body}`);
  let count = -1;
  for (let at = body.indexOf("\n"); at >= 0; at = body.indexOf("\n", at + 1)) count += 1;
  return count;
}

function median(times: readonly number[]): number {
  return times.toSorted((left, right) => left - right)[times.length >> 1] ?? 0;
}
