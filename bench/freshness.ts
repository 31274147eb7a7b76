/**
 * How long it takes from the acknowledgement of a write on one node until another node, which polls the store, shows it.
 *
 *     node bench/freshness.ts [--count 400]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { percentile } from "../scripts/long/figures.ts";
import { benchFolder } from "./node.ts";
import { percentilesMs, report } from "./report.ts";

const P99_MS_MAX = 350;
const PAUSE_MS_MAX = 300;

const { values } = parseArgs({ options: { count: { type: "string", default: "400" } } });
const count = Number(values.count);

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
const seenMs: number[] = [];
for (let index = 1; index <= count; index++) {
  // At any moment between two looks of the reader.
  await sleep(Math.random() * PAUSE_MS_MAX);
  await writer.write("bench", line(index));
  const startedMs = performance.now();
  await shown(index);
  seenMs.push(performance.now() - startedMs);
}
report(
  "freshness",
  { count, ...percentilesMs("seen", seenMs), asksPerSample: askCount / count },
  { [`p99 at most ${P99_MS_MAX} ms`]: percentile(seenMs, 0.99) <= P99_MS_MAX },
);

function line(index: number): string {
  return `fresh,host=a n=${index}i ${1_700_000_000_000_000_000n + BigInt(index)}`;
}

/** Resolves when the reader shows row `index`. */
async function shown(index: number): Promise<void> {
  while (true) {
    askCount += 1;
    const rows = await reader
      .query("bench", "SELECT max(n) AS last FROM fresh")
      .catch((error: unknown) => {
        // The reader hears of the database and its table with the first row.
        if (index === 0) return [];
        throw error;
      });
    if (Number(rows[0]?.["last"] ?? -1) >= index) return;
    await sleep(5);
  }
}
