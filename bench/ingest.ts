/**
 * Line protocol into this node and into a peer, influxd 1.6.7 or VictoriaMetrics 1.79.5 (Debian packages `influxdb` and
 * `victoria-metrics`), in turns, in one run: rows per second, CPU until all rows are in files, latencies, and their ratios.
 *
 *     node bench/ingest.ts [--peer influxd|vm] [--rows 5000000] [--rounds 3] [--workers 2] [--values intfloat|int|float]
 *         [--shuffle] [--gzip] [--snapshot-size 8MB] [--snapshot-age 3s] [--profile FOLDER]
 *
 * Size and age of snapshots are lower than by default, so that each round has at least two of them within its time, and the count that
 * verifies it has few rows to read that are in no file yet. Files of a round are
 * not merged while others are measured, the peer's among them; what merging costs is told by `bench/compaction.ts`.
 *
 * The driver and the script that starts the peers are not part of this repository; without them nothing is measured, and it says so.
 */
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { round } from "../scripts/long/figures.ts";
import { Server } from "../scripts/long/server.ts";
import { benchFolder } from "./node.ts";
import { OwnRounds } from "./own-rounds.ts";
import { driverHours, missingTool, TOOLS } from "./peers.ts";
import { type Figures, report } from "./report.ts";

const SNAPSHOTS_MIN = 2;
const RESIDENT_LOOK_MS = 500;
const THREAD_SEC_MIN = 0.01;

interface Goals {
  /** Rows per second, in the peer's. */
  readonly throughputMin: number;
  /** CPU of a row until it is in a file, in the peer's. */
  readonly cpuMax: number;
  /** 99th percentile of a request's time, in the peer's; undefined where nothing is asked. */
  readonly p99Max: number | undefined;
}

const GOALS: Readonly<Record<string, Goals>> = {
  influxd: { throughputMin: 5, cpuMax: 0.2, p99Max: 0.5 },
  vm: { throughputMin: 3, cpuMax: 0.35, p99Max: undefined },
};

interface Side {
  readonly rowsPerSec: number;
  readonly rowsPerSecDrained: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuSecPerMRows: number;
  readonly bytesPerRow: number;
  readonly rssMB: number;
  readonly allCountsOk: boolean;
  readonly allDrained: boolean;
  readonly errors: number;
}

interface Outcome {
  readonly sum: Readonly<Record<string, Side>>;
  readonly ratio: {
    readonly throughputRatio: number;
    readonly min: number;
    readonly max: number;
    readonly p99Ratio: number;
    readonly cpuRatio: number;
    readonly drainedRatio: number;
    readonly bytesPerRowRatio: number;
  };
}

const { values } = parseArgs({
  options: {
    peer: { type: "string", default: "influxd" },
    rows: { type: "string", default: "5000000" },
    rounds: { type: "string", default: "3" },
    workers: { type: "string", default: "2" },
    values: { type: "string", default: "intfloat" },
    shuffle: { type: "boolean", default: false },
    gzip: { type: "boolean", default: false },
    "snapshot-size": { type: "string", default: "8MB" },
    "snapshot-age": { type: "string", default: "3s" },
    /** Where the processes of the node leave their CPU profiles. */
    profile: { type: "string" },
  },
});
const { peer } = values;
const rowCount = Number(values.rows);
const goals = GOALS[peer];

const missing = await missingTool();
if (goals === undefined)
  throw new Error(`there is no peer ${peer}; there are ${Object.keys(GOALS).join(", ")}`);
if (missing === undefined) await measure(goals);
else process.stdout.write(`nothing was measured: ${missing}\n`);

async function measure(asked: Goals): Promise<void> {
  await using folder = await benchFolder();
  const options = ["--max-http-request-size", "50MB"];
  options.push("--snapshot-size", values["snapshot-size"]);
  options.push("--snapshot-age", values["snapshot-age"]);
  options.push("--compaction-check-interval", "1h");
  const plain = await folder.node("host01", "all", options);
  const nodeOptions = `--cpu-prof --cpu-prof-dir=${values.profile ?? ""}`;
  const profiled =
    values.profile === undefined ? undefined : new Server({ ...plain.options, nodeOptions });
  const server = profiled ?? plain;
  server.start();
  await server.ready();
  const peers = join(folder.path, "peers");
  try {
    const started = await promisify(execFile)(join(TOOLS, "start-peers.sh"), ["start", peers]);
    const spec = started.stdout.split("\n").find((line) => line.startsWith(`name=${peer},`));
    if (spec === undefined) throw new Error(`no ${peer}: ${started.stdout}`);
    const own = new OwnRounds(server);
    const outcome = await drive(server, spec, own);
    tell(outcome, own, asked);
  } finally {
    await promisify(execFile)(join(TOOLS, "start-peers.sh"), ["stop", peers]);
    await server.stop();
  }
}

async function drive(server: Server, peerSpec: string, own: OwnRounds): Promise<Outcome> {
  const drain = "drain=metric:tidelake_unsaved_rows";
  const ours = `name=ours,url=${server.url},api=v3,create=v3,verify=sql,pid=${server.pid},${drain},dir=${server.options.directory}`;
  const words = ["--mode", "ingest", "--a", ours, "--b", peerSpec, "--json"];
  words.push("--rounds", values.rounds, "--workers", values.workers, "--values", values.values);
  words.push("--max-rows", String(rowCount), "--duration", `${driverHours(rowCount)}h`);
  if (values.shuffle) words.push("--shuffle");
  if (values.gzip) words.push("--gzip");
  const child = spawn(process.execPath, [join(TOOLS, "side-by-side.mjs"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = Promise.withResolvers<number | null>();
  child.once("error", closed.reject);
  child.once("close", closed.resolve);
  let looking = Promise.resolve();
  createInterface({ input: child.stderr }).on("line", (line) => {
    process.stderr.write(`${line}\n`);
    const name = /^round \d+ (\w+):/.exec(line)?.[1];
    if (name !== undefined) looking = looking.then(() => own.ended(name));
  });
  const timer = setInterval(() => own.look(), RESIDENT_LOOK_MS);
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  const code = await closed.promise;
  clearInterval(timer);
  await looking;
  if (code !== 0) throw new Error(`the driver ended with ${code}`);
  return JSON.parse(text) as Outcome;
}

function tell({ ratio, sum }: Outcome, own: OwnRounds, asked: Goals): void {
  const { ours, [peer]: other } = sum;
  if (ours === undefined || other === undefined) throw new Error("the driver left a side out");
  const rounds = Number(values.rounds);
  const figures: Figures = {
    peer,
    rows: rowCount,
    rounds,
    workers: Number(values.workers),
    values: values.values,
    shuffle: values.shuffle,
    gzip: values.gzip,
    snapshotSize: values["snapshot-size"],
    snapshotAge: values["snapshot-age"],
    snapshotsPerRound: own.snapshots.join(" "),
    ...named("ours", ours),
    ...named(peer, other),
    ...ratio,
    oursResidentMBMost: round(own.residentBytesMax / 2 ** 20, 0),
    ...cpuFigures(own.cpuSec, (rowCount * rounds) / 1e6),
  };
  report("ingest", figures, {
    "all rows counted": ours.allCountsOk && other.allCountsOk,
    "all rows in files": ours.allDrained && other.allDrained,
    [`at least ${SNAPSHOTS_MIN} snapshots in each round`]: own.snapshots.every(
      (count) => count >= SNAPSHOTS_MIN,
    ),
    [`at least ${asked.throughputMin} times the rows a second of ${peer}`]:
      ratio.throughputRatio >= asked.throughputMin,
    [`at most ${asked.cpuMax} of its CPU`]: ratio.cpuRatio <= asked.cpuMax,
    ...(asked.p99Max !== undefined && {
      [`p99 at most ${asked.p99Max} of its`]: ratio.p99Ratio <= asked.p99Max,
    }),
  });
}

function named(name: string, side: Side): Figures {
  return {
    [`${name}RowsPerSec`]: side.rowsPerSec,
    [`${name}RowsPerSecDrained`]: side.rowsPerSecDrained,
    [`${name}P50Ms`]: side.p50,
    [`${name}P99Ms`]: side.p99,
    [`${name}CpuSecPerMRows`]: side.cpuSecPerMRows,
    [`${name}BytesPerRow`]: side.bytesPerRow,
    [`${name}RssMB`]: side.rssMB,
    [`${name}CountsOk`]: side.allCountsOk,
    [`${name}Errors`]: side.errors,
  };
}

/** `cpu node`, `cpu node/node-MainThread` and so on: seconds per million rows, the largest first. */
function cpuFigures(cpuSec: ReadonlyMap<string, number>, millionRows: number): Figures {
  const perMillion = [...cpuSec]
    .map(([name, sec]) => [`cpu ${name}`, round(sec / millionRows, 3)] as const)
    .filter(([, sec]) => sec >= THREAD_SEC_MIN)
    .toSorted(([, left], [, right]) => right - left);
  return Object.fromEntries(perMillion);
}
