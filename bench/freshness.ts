/**
 * How long it takes from the acknowledgement of a write on one node until another node shows it, while other writes come in beside
 * at a steady rate.
 *
 *     node bench/freshness.ts [--count 400] [--load 50000]
 *
 * `--load` is in rows per second; 0 measures an idle cluster.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { percentile, round } from "../scripts/long/figures.ts";
import type { Server } from "../scripts/long/server.ts";
import { benchFolder } from "./node.ts";
import { percentilesMs, report } from "./report.ts";

const P99_MS_MAX = 50;
const LOAD_SHARE_MIN = 0.95;
const PAUSE_MS_MAX = 300;
const LOOK_MS = 2;
const BATCH_ROW_COUNT = 1_000;
const SERIES_COUNT = 100;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "400" },
    load: { type: "string", default: "50000" },
  },
});
const count = Number(values.count);
const rowsPerSec = Number(values.load);

let askCount = 0;
await using folder = await benchFolder();
const writer = await folder.node("host01", "ingest,query,compact");
const reader = await folder.node("host02", "query");
for (const server of [writer, reader]) {
  server.start();
  await server.ready();
}
await writer.write("bench", line(0));
await shown(0);
const end = new AbortController();
const startedMs = performance.now();
const loading = rowsPerSec > 0 ? load(writer, end.signal) : Promise.resolve(0);
const seenMs: number[] = [];
const queryMs: number[] = [];
askCount = 0;
for (let index = 1; index <= count; index++) {
  // At any moment between two looks of the reader.
  await sleep(Math.random() * PAUSE_MS_MAX);
  await writer.write("bench", line(index));
  const acknowledgedMs = performance.now();
  await shown(index);
  seenMs.push(performance.now() - acknowledgedMs);
}
end.abort();
const loadRowsPerSec = ((await loading) / (performance.now() - startedMs)) * 1_000;
report(
  "freshness",
  {
    count,
    ...percentilesMs("seen", seenMs),
    ...percentilesMs("query", queryMs),
    asksPerSample: round(askCount / count, 2),
    loadRowsPerSec: round(loadRowsPerSec, 0),
    ...(await pushFigures()),
  },
  {
    [`p99 at most ${P99_MS_MAX} ms`]: percentile(seenMs, 0.99) <= P99_MS_MAX,
    [`beside ${rowsPerSec} rows/s`]: loadRowsPerSec >= LOAD_SHARE_MIN * rowsPerSec,
  },
);

function line(index: number): string {
  return `fresh,host=a n=${index}i ${1_700_000_000_000_000_000n + BigInt(index)}`;
}

/** Resolves when the reader shows row `index`. */
async function shown(index: number): Promise<void> {
  while (true) {
    askCount += 1;
    const askedMs = performance.now();
    const rows = await reader
      .query("bench", "SELECT max(n) AS last FROM fresh")
      .catch((error: unknown) => {
        // The reader hears of the database and its table with the first row.
        if (index === 0) return [];
        throw error;
      });
    if (index > 0) queryMs.push(performance.now() - askedMs);
    if (Number(rows[0]?.["last"] ?? -1) >= index) return;
    await sleep(LOOK_MS);
  }
}

/** Writes batches at their rate until `signal` is aborted, several at once where answers are slow; resolves with how many rows. */
async function load(server: Server, signal: AbortSignal): Promise<number> {
  const batchMs = (BATCH_ROW_COUNT / rowsPerSec) * 1_000;
  const beginMs = performance.now();
  const pending = new Set<Promise<unknown>>();
  let batchCount = 0;
  while (!signal.aborted) {
    const written = server.write("bench", batch(batchCount++));
    pending.add(written);
    void written.finally(() => pending.delete(written));
    const restMs = beginMs + batchCount * batchMs - performance.now();
    if (restMs > 0) await sleep(restMs);
    else await Promise.race(pending);
  }
  await Promise.all(pending);
  return batchCount * BATCH_ROW_COUNT;
}

/** Rows that no other batch has. */
function batch(number: number): string {
  let text = "";
  for (let row = 0; row < BATCH_ROW_COUNT; row++) {
    const at = 1_700_000_000_000_000 + number * BATCH_ROW_COUNT + row;
    text += `load,host=h${row % SERIES_COUNT} a=${row}i,b=${row * 0.5} ${at}000\n`;
  }
  return text;
}

/** What the writer counted of its pushes. */
async function pushFigures(): Promise<Readonly<Record<string, number>>> {
  const { text } = await writer.http.ask({ path: "/metrics" });
  const found = text.matchAll(/^tidelake_pushes_(\w+)_total (\d+)$/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [`pushes_${name}`, Number(value)]));
}
