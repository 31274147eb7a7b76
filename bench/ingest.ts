/**
 * Line protocol into this node and into influxd 1.6.7 (Debian package `influxdb`), in turns, in one run: rows per second and CPU of
 * both, and their ratio.
 *
 *     node bench/ingest.ts [--rounds 3] [--workers 2] [--values intfloat] [--shuffle] [--profile FOLDER]
 *
 * The driver and the script that starts influxd are not part of this repository; without them nothing is measured, and it says so.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { Server } from "../scripts/long/server.ts";
import { benchFolder } from "./node.ts";
import { type Figures, report } from "./report.ts";

const TOOLS = fileURLToPath(new URL("../../shared/bench/", import.meta.url));
const RATIO_MIN = 2;

interface Side {
  readonly rowsPerSec: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuSecPerMRows: number;
  readonly rssMB: number;
  readonly allCountsOk: boolean;
  readonly errors: number;
}

interface Outcome {
  readonly sum: { readonly ours: Side; readonly influxd: Side };
  readonly ratio: { readonly throughputRatio: number; readonly min: number; readonly max: number };
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    workers: { type: "string", default: "2" },
    values: { type: "string", default: "intfloat" },
    shuffle: { type: "boolean", default: false },
    /** Where the processes of the node leave their CPU profiles. */
    profile: { type: "string" },
  },
});

const missing = await whatIsMissing();
if (missing === undefined) await measure();
else process.stdout.write(`nothing was measured: ${missing}\n`);

async function whatIsMissing(): Promise<string | undefined> {
  if (!existsSync(join(TOOLS, "side-by-side.mjs"))) return "the driver is not here";
  for (const program of ["influxd", "victoria-metrics"]) {
    const found = await promisify(execFile)("sh", ["-c", `command -v ${program}`]).catch(
      () => undefined,
    );
    if (found === undefined) return `${program} is not installed`;
  }
  return undefined;
}

async function measure(): Promise<void> {
  await using folder = await benchFolder();
  const plain = await folder.node("host01", "all", ["--max-http-request-size", "50MB"]);
  const nodeOptions = `--cpu-prof --cpu-prof-dir=${values.profile ?? ""}`;
  const profiled =
    values.profile === undefined ? undefined : new Server({ ...plain.options, nodeOptions });
  const server = profiled ?? plain;
  server.start();
  await server.ready();
  const peers = join(folder.path, "peers");
  try {
    const started = await promisify(execFile)(join(TOOLS, "start-peers.sh"), ["start", peers]);
    const peer = started.stdout.split("\n").find((line) => line.startsWith("name=influxd"));
    if (peer === undefined) throw new Error(`no influxd: ${started.stdout}`);
    const { influxd, ours, ratio } = flat(await drive(server, withoutDrain(peer)));
    report(
      "ingest",
      { ...ours, ...influxd, ...ratio },
      {
        "all rows counted": ours["oursCountsOk"] === true && influxd["influxdCountsOk"] === true,
        [`at least ${RATIO_MIN} times influxd's rows a second`]:
          Number(ratio["throughputRatio"]) >= RATIO_MIN,
      },
    );
  } finally {
    await promisify(execFile)(join(TOOLS, "start-peers.sh"), ["stop", peers]);
    await server.stop();
  }
}

/** Rows per second are counted until they are acknowledged, on both sides. */
function withoutDrain(spec: string): string {
  return spec
    .split(",")
    .filter((part) => !part.startsWith("drain="))
    .join(",");
}

async function drive(server: Server, peer: string): Promise<Outcome> {
  const ours = `name=ours,url=${server.url},api=v3,create=v3,verify=sql,pid=${server.pid},dir=${server.options.directory}`;
  const words = ["--mode", "ingest", "--a", ours, "--b", peer, "--json"];
  words.push("--rounds", values.rounds, "--workers", values.workers, "--values", values.values);
  if (values.shuffle) words.push("--shuffle");
  const child = spawn(process.execPath, [join(TOOLS, "side-by-side.mjs"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = Promise.withResolvers<number | null>();
  child.once("error", ended.reject);
  child.once("close", ended.resolve);
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  const code = await ended.promise;
  if (code !== 0) throw new Error(`the driver ended with ${code}`);
  return JSON.parse(text) as Outcome;
}

function flat({ ratio, sum }: Outcome): { ours: Figures; influxd: Figures; ratio: Figures } {
  return { ours: named("ours", sum.ours), influxd: named("influxd", sum.influxd), ratio };
}

function named(name: string, side: Side): Figures {
  return {
    [`${name}RowsPerSec`]: side.rowsPerSec,
    [`${name}P50Ms`]: side.p50,
    [`${name}P99Ms`]: side.p99,
    [`${name}CpuSecPerMRows`]: side.cpuSecPerMRows,
    [`${name}RssMB`]: side.rssMB,
    [`${name}CountsOk`]: side.allCountsOk,
    [`${name}Errors`]: side.errors,
  };
}
