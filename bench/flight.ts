/**
 * A million rows of five columns (`time`, a tag, two floats, a whole number) through Arrow Flight to a client that takes the messages of gRPC and
 * does not look into them: rows per second, the time until the schema and until the first rows, small queries, and the node's memory.
 *
 *     node bench/flight.ts [--rows 1000000] [--rounds 5]
 *
 * The best round counts; the first one fills caches.
 */
import { parseArgs } from "node:util";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { round } from "../scripts/long/figures.ts";
import { startWithCpu } from "./cpu-lines.ts";
import { drained } from "./metrics.ts";
import { benchFolder } from "./node.ts";
import { cpuSeconds, processesOf } from "./processes.ts";
import { percentilesMs, report } from "./report.ts";

const DATABASE = "bench";
const DRAIN_MS_MAX = 120_000;
const SAMPLE_MS = 20;
const SMALL_COUNT = 300;
const RATE_MIN = 1_200_000;
const GROWTH_MIB_MAX = 64;
const DO_GET = "/arrow.flight.protocol.FlightService/DoGet";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "5" },
  },
});
const rowCount = Number(values.rows);

interface Taken {
  readonly ms: number;
  readonly schemaMs: number;
  readonly firstRowsMs: number;
  readonly sizeBytes: number;
  readonly messageCount: number;
}

await using folder = await benchFolder();
const server = await startWithCpu(folder, DATABASE, rowCount);
await drained(server, DRAIN_MS_MAX);
const client = new Client(server.url.replace("http://", ""), credentials.createInsecure());
const rounds: Taken[] = [];
let growthBytes = 0;
/** Seconds that the last round took of the node's process and of the engine's. */
let cpu = { node: 0, child: 0 };
for (let count = 0; count <= Number(values.rounds); count += 1) {
  const startBytes = memoryBytes();
  const startCpu = cpuOf();
  let peakBytes = startBytes;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, memoryBytes());
  }, SAMPLE_MS);
  const taken = await ask("SELECT time, host, load, temp, free FROM cpu");
  clearInterval(sampling);
  if (count === 0) continue;
  cpu = { node: cpuOf().node - startCpu.node, child: cpuOf().child - startCpu.child };
  rounds.push(taken);
  growthBytes = Math.max(growthBytes, peakBytes - startBytes);
}
const smallMs: number[] = [];
for (let count = 0; count < SMALL_COUNT; count += 1)
  smallMs.push((await ask("SELECT 1 AS one")).ms);
client.close();
await server.stop();
const best = rounds.reduce((left, right) => (right.ms < left.ms ? right : left));
const rate = rowCount / (best.ms / 1000);
const growthMib = growthBytes / 2 ** 20;
report(
  "flight",
  {
    rows: rowCount,
    rowsPerSecond: Math.round(rate),
    megabytesPerSecond: round(best.sizeBytes / 1e3 / best.ms, 1),
    messages: best.messageCount,
    nodeCpuSeconds: round(cpu.node, 2),
    engineCpuSeconds: round(cpu.child, 2),
    schemaMs: round(best.schemaMs, 1),
    firstRowsMs: round(best.firstRowsMs, 1),
    ...percentilesMs("small", smallMs),
    nodeGrowthMib: round(growthMib, 1),
  },
  {
    [`at least ${RATE_MIN} rows/s`]: rate >= RATE_MIN,
    [`the node grows by at most ${GROWTH_MIB_MAX} MiB`]: growthMib <= GROWTH_MIB_MAX,
  },
);

/** Takes the answer to `text`, message by message, as bytes. */
async function ask(text: string): Promise<Taken> {
  const startMs = performance.now();
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  let sizeBytes = 0;
  let messageCount = 0;
  let schemaMs = 0;
  let firstRowsMs = 0;
  const stream = client.makeServerStreamRequest(
    DO_GET,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
    ticketOf(text),
    new Metadata(),
  );
  stream.on("data", (bytes: Buffer) => {
    messageCount += 1;
    sizeBytes += bytes.length;
    if (messageCount === 1) schemaMs = performance.now() - startMs;
    if (messageCount === 2) firstRowsMs = performance.now() - startMs;
  });
  stream.on("end", resolve).on("error", reject);
  await promise;
  return { ms: performance.now() - startMs, schemaMs, firstRowsMs, sizeBytes, messageCount };
}

/** A `Ticket`, whose one field is JSON of fewer than 16,384 bytes. */
function ticketOf(text: string): Buffer {
  const json = Buffer.from(JSON.stringify({ database: DATABASE, sql_query: text }));
  return Buffer.concat([Buffer.of(0x0a, (json.length & 127) | 128, json.length >> 7), json]);
}

function cpuOf(): { readonly node: number; readonly child: number } {
  const [node, ...children] = processesOf(server.pid);
  return { node: node?.cpuSec ?? 0, child: cpuSeconds(children) };
}

/** Of the node's own process: the engine's has a bound of its own. */
function memoryBytes(): number {
  return processesOf(server.pid)[0]?.residentBytes ?? 0;
}
