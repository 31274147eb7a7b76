/**
 * How long one line takes to be durable on an idle node with a file store, beside what the store itself takes to put an object of
 * the same size, measured in turns in the same folder.
 *
 *     node bench/write-latency.ts [--count 1000]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { realRandom } from "#node/real/machine.ts";
import { FileStore } from "#objectstore/file.ts";
import { silentLog } from "#ports/log.ts";
import { percentile, round } from "../scripts/long/figures.ts";
import { benchFolder } from "./node.ts";
import { percentilesMs, report } from "./report.ts";

const WARM_UP_COUNT = 100;
const OBJECT_SIZE = 400;
const P50_MS_MAX = 10;

const { values } = parseArgs({ options: { count: { type: "string", default: "1000" } } });
const count = Number(values.count);

await using folder = await benchFolder();
const server = await folder.node("host01", "all");
server.start();
await server.ready();
await using store = await FileStore.open(join(folder.path, "bare"), {
  random: realRandom,
  log: silentLog,
});
const body = new Uint8Array(OBJECT_SIZE);
const writesMs: number[] = [];
const putsMs: number[] = [];
for (let index = 0; index < WARM_UP_COUNT + count; index++) {
  const line = `cpu,host=a usage=${index}i ${1_700_000_000_000_000_000n + BigInt(index)}`;
  const writeMs = await timed(() => server.write("bench", line));
  const putMs = await timed(() => store.putIfAbsent(`a/${String(index).padStart(20, "0")}`, body));
  if (index < WARM_UP_COUNT) continue;
  writesMs.push(writeMs);
  putsMs.push(putMs);
}
const [writeP50, putP50] = [percentile(writesMs, 0.5), percentile(putsMs, 0.5)];
report(
  "write-latency",
  {
    count,
    ...percentilesMs("write", writesMs),
    ...percentilesMs("put", putsMs),
    writeOverPut: round(writeP50 / putP50, 2),
  },
  { [`p50 of one line at most ${P50_MS_MAX} ms`]: writeP50 <= P50_MS_MAX },
);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
