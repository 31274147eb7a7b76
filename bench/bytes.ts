/**
 * What a row takes when all is compacted: the folder of this node, that of influxd 1.6.7 and that of VictoriaMetrics 1.79.5 (Debian packages
 * `influxdb` and `victoria-metrics`), one after the other filled with the same rows, each left until it rests: ours compacts by itself,
 * VictoriaMetrics is asked to merge. influxd rests twice: as writes leave it, which lasts for four hours by default, and when it has
 * compacted all; here it begins with that after two minutes.
 *
 *     node bench/bytes.ts [--rows 3000000] [--values intfloat|int|float] [--shuffle]
 *
 * The driver and the script that starts the peers are not part of this repository; without them nothing is measured, and it says so.
 */
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { readFooter } from "#parquet/read/footer.ts";
import { round } from "../scripts/long/figures.ts";
import type { Server } from "../scripts/long/server.ts";
import { drained } from "./metrics.ts";
import { benchFolder } from "./node.ts";
import { driverHours, missingTool, TOOLS } from "./peers.ts";
import { cpuSeconds, processesOf } from "./processes.ts";
import { type Figures, report } from "./report.ts";

/** Of what the peer takes when it has compacted all, for whole numbers as floats. */
const GOALS: Readonly<Record<string, number>> = { influxdCold: 0.65, vm: 2 };
/** From the last write on: influxd compacts all of a shard. */
const COLD_MS = 120_000;
/** Who does nothing for so long rests. */
const QUIET_MS = 20_000;
const LOOK_MS = 1_000;
const QUIET_CPU_SHARE = 0.05;
const REST_MS_MAX = 900_000;
const DRAIN_MS_MAX = 300_000;
const BLOCK_SIZE = 512;
const run = promisify(execFile);

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "3000000" },
    values: { type: "string", default: "intfloat" },
    shuffle: { type: "boolean", default: false },
  },
});
const rowCount = Number(options.rows);

/** A server under load, as the driver is told of it. */
interface Side {
  readonly name: string;
  readonly url: string;
  readonly api: string;
  readonly create: string;
  readonly verify: string;
  readonly pid: number;
  /** All that it stores is below. */
  readonly folder: string;
}

const missing = await missingTool();
if (missing === undefined) await measure();
else process.stdout.write(`nothing was measured: ${missing}\n`);

async function measure(): Promise<void> {
  await using folder = await benchFolder();
  const often = ["--compaction-check-interval", "1s", "--compaction-cleanup-wait", "1s"];
  // What rows leave behind in the log goes soon, and not only after a thousand writes.
  often.push("--checkpoint-interval", "5s", "--snapshot-age", "5s");
  const limits = ["--max-http-request-size", "50MB"];
  const server = await folder.node("host01", "all", [...often, ...limits]);
  const peers = join(folder.path, "peers");
  try {
    const ours = await measureOurs(server);
    const env = {
      ...process.env,
      INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION: `${COLD_MS / 1_000}s`,
    };
    const { stdout } = await run(join(TOOLS, "start-peers.sh"), ["start", peers], { env });
    const sides = stdout.trim().split("\n").map(sideOf);
    const found = new Map<string, number>();
    for (const side of sides) {
      await load(side);
      if (side.name === "vm") await fetch(`${side.url}/internal/force_merge`);
      found.set(side.name, await restingBytes(side));
      if (side.name !== "influxd") continue;
      await sleep(COLD_MS);
      found.set("influxdCold", await restingBytes(side));
    }
    tell(ours, found);
  } finally {
    await run(join(TOOLS, "start-peers.sh"), ["stop", peers]);
    await server.stop();
  }
}

interface Ours {
  readonly sizeBytes: number;
  readonly fileCount: number;
  readonly filesSizeBytes: number;
  /** Of the chunks of each column. */
  readonly columns: ReadonlyMap<string, number>;
}

async function measureOurs(server: Server): Promise<Ours> {
  server.start();
  await server.ready();
  const { directory } = server.options;
  const api = { api: "v3", create: "v3", verify: "sql" };
  const side = { name: "ours", url: server.url, ...api, pid: server.pid, folder: directory };
  await load(side);
  await drained(server, DRAIN_MS_MAX);
  const sizeBytes = await restingBytes(side);
  const paths = globSync(join(directory, "**/*.parquet"));
  const columns = new Map<string, number>();
  let filesSizeBytes = 0;
  for (const path of paths) {
    const bytes = readFileSync(path);
    filesSizeBytes += bytes.length;
    const read = (start: number, size: number) => bytes.subarray(start, start + size);
    const footer = readFooter({ sizeBytes: bytes.length, read });
    for (const { chunks } of footer.groups)
      for (const [index, { sizeBytes: chunkSize }] of chunks.entries()) {
        const name = footer.columns[index]?.name ?? "";
        columns.set(name, (columns.get(name) ?? 0) + chunkSize);
      }
  }
  return { sizeBytes, fileCount: paths.length, filesSizeBytes, columns };
}

/** The words of a line such as `name=vm,url=http://…,pid=1,dir=/…`. */
function sideOf(line: string): Side {
  const words = new Map(
    line.split(",").map((word): [string, string] => {
      const cut = word.indexOf("=");
      return [word.slice(0, cut), word.slice(cut + 1)];
    }),
  );
  const word = (name: string) => words.get(name) ?? "";
  return {
    name: word("name"),
    url: word("url"),
    api: word("api"),
    create: word("create"),
    verify: word("verify"),
    pid: Number(word("pid")),
    folder: word("dir"),
  };
}

/** Rejects where not all rows are counted afterwards. */
async function load({ api, create, name, pid, url, verify }: Side): Promise<void> {
  const words = ["--url", url, "--api", api, "--create", create, "--verify", verify];
  words.push("--pid", String(pid), "--workers", "2", "--values", options.values);
  words.push("--max-rows", String(rowCount), "--duration", `${driverHours(rowCount)}h`);
  if (options.shuffle) words.push("--shuffle");
  process.stderr.write(`${name}: ${rowCount} rows\n`);
  await run(process.execPath, [join(TOOLS, "load.mjs"), ...words]);
}

/** Bytes of the folder of `side`, once its processes and the folder are quiet. */
async function restingBytes({ folder, name, pid }: Side): Promise<number> {
  const startedMs = performance.now();
  let [quietSinceMs, sizeBefore, cpuBefore] = [startedMs, -1, 0];
  for (;;) {
    await sleep(LOOK_MS);
    const nowMs = performance.now();
    const cpuSec = cpuSeconds(processesOf(pid));
    const sizeBytes = await folderSize(folder);
    const busy = cpuSec - cpuBefore > (QUIET_CPU_SHARE * LOOK_MS) / 1_000;
    if (busy || sizeBytes !== sizeBefore) quietSinceMs = nowMs;
    if (nowMs - quietSinceMs >= QUIET_MS) {
      process.stderr.write(`${name}: rests after ${Math.round(quietSinceMs - startedMs)} ms\n`);
      return sizeBytes;
    }
    if (nowMs - startedMs > REST_MS_MAX) throw new Error(`${name} does not come to rest`);
    [sizeBefore, cpuBefore] = [sizeBytes, cpuSec];
  }
}

/** Bytes of all files below `path`; holes of sparse ones take none. */
async function folderSize(path: string): Promise<number> {
  const found = await readdir(path, { withFileTypes: true, recursive: true });
  const sizes = await Promise.all(
    found.map(async (entry) => {
      if (!entry.isFile()) return 0;
      const { blocks, size } = await stat(join(entry.parentPath, entry.name)).catch(() => NOTHING);
      return Math.min(size, blocks * BLOCK_SIZE);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Of a file that went meanwhile. */
const NOTHING = { blocks: 0, size: 0 };

function tell(ours: Ours, peers: ReadonlyMap<string, number>): void {
  const perRow = (sizeBytes: number) => round(sizeBytes / rowCount, 3);
  const columns: Figures = Object.fromEntries(
    [...ours.columns]
      .toSorted(([, left], [, right]) => right - left)
      .map(([name, sizeBytes]) => [`column ${name}`, perRow(sizeBytes)]),
  );
  // What is in the log beside the files is as much after ten times the rows.
  const ratios = new Map([...peers].map(([name, size]) => [name, ours.filesSizeBytes / size]));
  report(
    "bytes",
    {
      rows: rowCount,
      values: options.values,
      shuffle: options.shuffle,
      oursFiles: ours.fileCount,
      oursBytesPerRow: perRow(ours.filesSizeBytes),
      oursLogBytes: ours.sizeBytes - ours.filesSizeBytes,
      ...Object.fromEntries(
        [...peers].map(([name, sizeBytes]) => [`${name}BytesPerRow`, perRow(sizeBytes)]),
      ),
      ...Object.fromEntries([...ratios].map(([name, ratio]) => [`${name}Ratio`, round(ratio, 3)])),
      ...columns,
    },
    options.values === "intfloat"
      ? Object.fromEntries(
          Object.entries(GOALS).map(([name, most]) => [
            `at most ${most} of the bytes of ${name}`,
            (ratios.get(name) ?? Number.POSITIVE_INFINITY) <= most,
          ]),
        )
      : {},
  );
}
