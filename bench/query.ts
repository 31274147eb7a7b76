/**
 * The 15 query types of TSBS over a day of a hundred hosts, from this node by SQL or InfluxQL and from a peer, influxd 1.6.7 or
 * VictoriaMetrics 1.79.5 (Debian packages `influxdb` and `victoria-metrics`), in turns: medians and their ratios.
 *
 *     node bench/query.ts [--peer influxd|vm] [--lang sql|influxql] [--queries 20] [--rounds 3] [--types a,b] [--profile FOLDER]
 *
 * Both hold the same 864,000 rows; the node's are in files, and its compactor has merged what it merges, before anything is asked.
 * The driver and the script that starts the peers are not part of this repository; without them nothing is measured, and it says so.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { round } from "../scripts/long/figures.ts";
import { Server } from "../scripts/long/server.ts";
import { merged } from "./metrics.ts";
import { benchFolder } from "./node.ts";
import { missingTool, TOOLS } from "./peers.ts";
import { type Figures, report } from "./report.ts";

const DATABASE = "bench";
const OUTPUT_SIZE_MAX = 2 ** 24;

interface Goals {
  /** Of the geometric mean of the medians, in the peer's. */
  readonly meanMax: number;
  /** Of each type; undefined where nothing is asked. */
  readonly typeMax: number | undefined;
}

const GOALS: Readonly<Record<string, Readonly<Record<string, Goals>>>> = {
  sql: {
    influxd: { meanMax: 0.35, typeMax: 1.2 },
    vm: { meanMax: 2, typeMax: undefined },
  },
  influxql: {
    influxd: { meanMax: 0.5, typeMax: 1.5 },
    vm: { meanMax: 2, typeMax: undefined },
  },
};

interface Outcome {
  /** Of each type the medians and their ratio, or why it was left out. */
  readonly out: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly geomeanP50Ratio: number;
}

const { values } = parseArgs({
  options: {
    peer: { type: "string", default: "influxd" },
    lang: { type: "string", default: "sql" },
    queries: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
    types: { type: "string" },
    /** Where the processes of the node leave their CPU profiles. */
    profile: { type: "string" },
  },
});
const { lang, peer } = values;
const run = promisify(execFile);

const missing = await missingTool();
const goals = GOALS[lang]?.[peer];
if (goals === undefined) throw new Error(`nothing is asked of ${lang} beside ${peer}`);
if (missing === undefined) await measure(goals);
else process.stdout.write(`nothing was measured: ${missing}\n`);

async function measure(asked: Goals): Promise<void> {
  await using folder = await benchFolder();
  const plain = await folder.node("host01", "all", ["--snapshot-age", "3s"]);
  const nodeOptions = `--cpu-prof --cpu-prof-dir=${values.profile ?? ""}`;
  const server =
    values.profile === undefined ? plain : new Server({ ...plain.options, nodeOptions });
  server.start();
  await server.ready();
  const peers = join(folder.path, "peers");
  try {
    const { stdout } = await run(join(TOOLS, "start-peers.sh"), ["start", peers]);
    const spec = stdout.split("\n").find((line) => line.startsWith(`name=${peer},`));
    if (spec === undefined) throw new Error(`no ${peer}: ${stdout}`);
    await load(server.url, "v3", "sql");
    await load(/url=([^,]+)/.exec(spec)?.[1] ?? "", "v1", peer === "vm" ? "promql" : "influxql");
    await merged(server);
    const ours = `name=ours,url=${server.url},lang=${lang},db=${DATABASE}`;
    const words = ["--mode", "query", "--a", ours, "--b", `${spec},db=${DATABASE}`, "--json"];
    words.push("--n", values.queries, "--rounds", values.rounds);
    if (values.types !== undefined) words.push("--types", values.types);
    const answer = await run(process.execPath, [join(TOOLS, "side-by-side.mjs"), ...words], {
      maxBuffer: OUTPUT_SIZE_MAX,
    });
    tell(JSON.parse(answer.stdout) as Outcome, asked);
  } finally {
    await run(join(TOOLS, "start-peers.sh"), ["stop", peers]);
    await server.stop();
  }
}

async function load(url: string, api: string, verify: string): Promise<void> {
  const create = { sql: "v3", influxql: "influxql", promql: "none" }[verify] ?? "none";
  const words = ["--url", url, "--api", api, "--db", DATABASE, "--workers", "2"];
  words.push("--create", create, "--verify", verify);
  const { stdout } = await run(process.execPath, [join(TOOLS, "load.mjs"), ...words]);
  process.stderr.write(`${url}: ${stdout}`);
}

function tell({ geomeanP50Ratio, out }: Outcome, asked: Goals): void {
  const types = Object.entries(out);
  const figures: Figures = Object.fromEntries(
    types.flatMap(([type, row]) =>
      Object.entries(row).map(([name, value]) => [
        `${type} ${name}`,
        typeof value === "number" ? round(value, 3) : value,
      ]),
    ),
  );
  const ratios = types.flatMap(([, row]) =>
    typeof row["p50ratio"] === "number" ? [row["p50ratio"]] : [],
  );
  const { typeMax } = asked;
  report(
    "query",
    { peer, lang, types: ratios.length, ...figures, geomeanP50Ratio },
    {
      [`geometric mean at most ${asked.meanMax} of ${peer}'s`]: geomeanP50Ratio <= asked.meanMax,
      ...(typeMax !== undefined && {
        [`no type above ${typeMax}`]: ratios.every((ratio) => ratio <= typeMax),
      }),
    },
  );
}
