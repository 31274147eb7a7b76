/**
 * A million rows of five columns (`time`, a tag, two floats, a whole number) through HTTP as JSON lines and as CSV, beside the bare
 * engine that copies the same files to one file, in turns: rows per second, their ratio, and the node's memory meanwhile.
 *
 *     node bench/results.ts [--rows 1000000] [--rounds 3]
 *
 * The bare engine is DuckDB with as many threads as there are cores, as the node's engine has them; the best round of each counts.
 */
import { globSync } from "node:fs";
import { get } from "node:http";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { round } from "../scripts/long/figures.ts";
import type { Server } from "../scripts/long/server.ts";
import { startWithCpu } from "./cpu-lines.ts";
import { drained } from "./metrics.ts";
import { benchFolder } from "./node.ts";
import { processesOf } from "./processes.ts";
import { report } from "./report.ts";

const DATABASE = "bench";
const DRAIN_MS_MAX = 120_000;
const SAMPLE_MS = 20;
const NEWLINE = 0x0a;
const COPIES = { jsonl: "FORMAT json", csv: "FORMAT csv, HEADER" } as const;
const FORMATS = ["jsonl", "csv"] as const;
const RATE_MIN = 600_000;
const RATIO_MIN = 0.6;
const GROWTH_MIB_MAX = 64;

type Format = (typeof FORMATS)[number];

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
  },
});
const rowCount = Number(values.rows);

await using folder = await benchFolder();
const server = await startWithCpu(folder, DATABASE, rowCount);
await drained(server, DRAIN_MS_MAX);
const files = globSync(join(folder.path, "store", "**/*.parquet"));
const engine = await DuckDBInstance.create(":memory:", {
  threads: String(availableParallelism()),
});
const bare = await engine.connect();
const best = new Map<string, number>();
let growthBytes = 0;
for (let count = 0; count <= Number(values.rounds); count += 1) {
  for (const format of FORMATS) {
    // The first round fills caches.
    const note = (name: string, ms: number) => {
      if (count > 0) best.set(name, Math.min(ms, best.get(name) ?? Number.POSITIVE_INFINITY));
    };
    note(`${format} copied`, await copied(format));
    const { ms, peakBytes, startBytes } = await watched(() => answered(server, format));
    note(format, ms);
    if (count > 0) growthBytes = Math.max(growthBytes, peakBytes - startBytes);
  }
}
bare.closeSync();
await server.stop();
const rates = FORMATS.map((format) => {
  const rate = rowCount / ((best.get(format) ?? 0) / 1000);
  const bareRate = rowCount / ((best.get(`${format} copied`) ?? 0) / 1000);
  return { format, rate, bareRate, ratio: rate / bareRate };
});
const growthMib = growthBytes / 2 ** 20;
report(
  "results",
  {
    rows: rowCount,
    files: files.length,
    ...Object.fromEntries(
      rates.flatMap(({ bareRate, format, rate, ratio }) => [
        [`${format}RowsPerSecond`, Math.round(rate)],
        [`${format}BareRowsPerSecond`, Math.round(bareRate)],
        [`${format}Ratio`, round(ratio, 3)],
      ]),
    ),
    nodeGrowthMib: round(growthMib, 1),
  },
  {
    ...Object.fromEntries(
      rates.flatMap(({ format, rate, ratio }) => [
        [`${format} at least ${RATE_MIN} rows/s`, rate >= RATE_MIN],
        [`${format} at least ${RATIO_MIN} of the bare engine`, ratio >= RATIO_MIN],
      ]),
    ),
    [`the node grows by at most ${GROWTH_MIB_MAX} MiB`]: growthMib <= GROWTH_MIB_MAX,
  },
);

/** Milliseconds until the bare engine has written all rows to a file. */
async function copied(format: Format): Promise<number> {
  const list = files.map((file) => `'${file}'`).join(", ");
  const target = join(folder.path, `copied.${format}`);
  const startedMs = performance.now();
  await bare.run(`COPY (SELECT * FROM read_parquet([${list}])) TO '${target}' (${COPIES[format]})`);
  return performance.now() - startedMs;
}

/** Milliseconds until all rows have come. */
async function answered({ options }: Server, format: Format): Promise<number> {
  const text = "SELECT free, host, load, temp, time FROM cpu";
  const path = `/api/v3/query_sql?db=${DATABASE}&format=${format}&q=${encodeURIComponent(text)}`;
  const startedMs = performance.now();
  const lineCount = await new Promise<number>((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port: options.port, path }, (response) => {
      let count = 0;
      response.on("data", (chunk: Buffer) => {
        for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1))
          count += 1;
      });
      response.on("end", () => resolve(count));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
  const ms = performance.now() - startedMs;
  const expected = rowCount + (format === "csv" ? 1 : 0);
  if (lineCount !== expected) throw new Error(`${lineCount} lines came of ${expected}`);
  return ms;
}

/** What `work` answers, with the node's own memory before it and its peak. */
async function watched(work: () => Promise<number>) {
  const startBytes = nodeBytes();
  let peakBytes = startBytes;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, nodeBytes());
  }, SAMPLE_MS);
  try {
    return { ms: await work(), startBytes, peakBytes };
  } finally {
    clearInterval(timer);
  }
}

function nodeBytes(): number {
  return processesOf(server.pid)[0]?.residentBytes ?? 0;
}
