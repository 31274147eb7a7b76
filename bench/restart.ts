/**
 * Writes a million rows, kills the node in the middle of its work, starts it again: how long until it serves, and whether all are there.
 *
 *     node bench/restart.ts [--rows 1000000] [--batch 5000]
 *
 * By default no snapshot is due meanwhile but by size, so that much must be replayed.
 */
import { parseArgs } from "node:util";
import { round } from "../scripts/long/figures.ts";
import { benchFolder } from "./node.ts";
import { report } from "./report.ts";

const READY_MS_MAX = 10_000;
const WRITER_COUNT = 2;
const HOST_COUNT = 100;
const START_NS = 1_700_000_000_000_000_000n;

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    batch: { type: "string", default: "5000" },
  },
});
const rowCount = Number(values.rows);
const batchSize = Number(values.batch);

await using folder = await benchFolder();
const server = await folder.node("host01", "all");
server.start();
await server.ready();
const wroteMs = await timed(async () => {
  let next = 0;
  const write = async () => {
    while (next < rowCount) {
      const first = next;
      next = Math.min(rowCount, next + batchSize);
      await server.write("bench", lines(first, next));
    }
  };
  await Promise.all(Array.from({ length: WRITER_COUNT }, write));
});
const entries = await entryCount();
await server.kill();
server.start();
const readyMs = await server.ready();
const firstAnswerMs = await timed(() => server.query("bench", "SELECT count(*) AS n FROM cpu"));
const [row] = await server.query(
  "bench",
  "SELECT count(*) AS n, sum(usage) AS sum, max(usage) AS most FROM cpu",
);
const exact =
  row?.["n"] === rowCount &&
  row["sum"] === (rowCount * (rowCount - 1)) / 2 &&
  row["most"] === rowCount - 1;
report(
  "restart",
  {
    rows: rowCount,
    rowsPerSecond: Math.round(rowCount / (wroteMs / 1000)),
    logEntries: entries,
    readyMs: round(readyMs),
    firstAnswerMs: round(firstAnswerMs),
    counted: String(row?.["n"]),
  },
  { [`ready within ${READY_MS_MAX} ms`]: readyMs <= READY_MS_MAX, "count and sum exact": exact },
);

function lines(first: number, end: number): string {
  const made: string[] = [];
  for (let index = first; index < end; index++) {
    const host = index % HOST_COUNT;
    const timeNs = START_NS + BigInt(Math.floor(index / HOST_COUNT)) * 1_000_000_000n;
    made.push(`cpu,host=host_${host},region=eu usage=${index}i,idle=${index / 8} ${timeNs}`);
  }
  return made.join("\n");
}

/** Objects in the node's log. */
async function entryCount(): Promise<number> {
  const { globSync } = await import("node:fs");
  return globSync(`${server.options.nodeId}/log/entry/*`, { cwd: server.options.directory }).length;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
