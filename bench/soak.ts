/**
 * A node that is written to for long, with queries beside: whether its memory stays flat, whether anything fails, and what three times
 * as much as it can take does to it.
 *
 *     node bench/soak.ts [--minutes 20] [--share 0.8] [--overload-minutes 2]
 *
 * First the most that it takes is measured (`--maximum-seconds`, or given as `--maximum` rows per second), then bodies of 5,000 rows are written at
 * `--share` of it, then tried at three times of it over `--overload-connections`, then at the share once more. In the end each row
 * that was acknowledged must be there once. The node's options are the defaults. Needs some 30 bytes of disk a row while it runs.
 *
 * Each second's figures go to bench/out/soak-samples.jsonl, anew in each run.
 */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { percentile, round } from "../scripts/long/figures.ts";
import { benchFolder } from "./node.ts";
import { type Figures, percentilesMs, report } from "./report.ts";
import { BODY_ROW_COUNT } from "./soak/body.ts";
import { type Asked, checkAll, Querier } from "./soak/queries.ts";
import { type Sample, Watch } from "./soak/watch.ts";
import { type Attempt, isWritten, rowsPerSec, Writers } from "./soak/writers.ts";

const RESIDENT_MB_MAX = 1_536;
/** The last quarter's memory, in the second's. */
const GROWTH_MAX = 1.1;
const OVERLOAD = 3;
const RECOVERED_SEC_MAX = 10;
const PACE_HELD_MIN = 0.97;
const WARM_UP_SEC = 3;
const REFUSED_PAUSE_MS = 100;
const FINISH_MS_MAX = 120_000;
const OUT = fileURLToPath(new URL("./out/", import.meta.url));

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    share: { type: "string", default: "0.8" },
    maximum: { type: "string" },
    "maximum-seconds": { type: "string", default: "20" },
    connections: { type: "string", default: "8" },
    "query-pause-ms": { type: "string", default: "250" },
    "overload-minutes": { type: "string", default: "2" },
    "overload-connections": { type: "string", default: "96" },
    "recovery-seconds": { type: "string", default: "30" },
  },
});
const connectionCount = Number(values.connections);

interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly attempts: readonly Attempt[];
  readonly asked: readonly Asked[];
}

await using folder = await benchFolder();
const server = await folder.node("host01", "all");
server.start();
await server.ready();
mkdirSync(OUT, { recursive: true });
writeFileSync(`${OUT}soak-samples.jsonl`, "");
using writers = new Writers(server.options.port);
using querier = new Querier(server.options.port, () => writers.tail);
const watch = new Watch(server, (sample) =>
  appendFileSync(`${OUT}soak-samples.jsonl`, `${JSON.stringify(sample)}\n`),
);
const end = new AbortController();
const watching = watch.run(end.signal);
watching.catch(() => server.kill());
await runPhase("warm-up", { seconds: WARM_UP_SEC });
const maximum = await findMaximum();
const usual = maximum * Number(values.share);
const soak = await runPhase("soak", { seconds: Number(values.minutes) * 60, rowsPerSec: usual });
const overload = await runPhase("overload", {
  seconds: Number(values["overload-minutes"]) * 60,
  rowsPerSec: OVERLOAD * maximum,
  connections: Number(values["overload-connections"]),
});
const finishing = writers.finish(connectionCount, FINISH_MS_MAX);
const recovery = await runPhase("recovery", {
  seconds: Number(values["recovery-seconds"]),
  rowsPerSec: usual,
});
const backlogMs = await finishing;
await writers.finish(0, FINISH_MS_MAX);
end.abort();
await watching;
const wrong = await checkAll(server.options.port, writers.tail);
tell();

async function findMaximum(): Promise<number> {
  if (values.maximum !== undefined) return Number(values.maximum);
  const seconds = Number(values["maximum-seconds"]);
  const { attempts } = await runPhase("maximum", { seconds });
  return rowsPerSec(attempts, seconds);
}

interface PhasePace {
  readonly seconds: number;
  /** Undefined: as much as the connections bring. */
  readonly rowsPerSec?: number;
  readonly connections?: number;
}

/** Writes at a pace, with queries beside. */
async function runPhase(name: string, pace: PhasePace): Promise<Phase> {
  process.stderr.write(`${name}: ${pace.seconds} s\n`);
  watch.phase = name;
  const { connections = connectionCount, seconds } = pace;
  const bodiesPerSec = pace.rowsPerSec === undefined ? undefined : pace.rowsPerSec / BODY_ROW_COUNT;
  const [attempts, asked]: [Attempt[], Asked[]] = [[], []];
  const over = new AbortController();
  const querying = querier.run(Number(values["query-pause-ms"]), over.signal, (one) =>
    asked.push(one),
  );
  const refusedPauseMs = name === "overload" ? 0 : REFUSED_PAUSE_MS;
  await writers.run(
    { bodiesPerSec, connectionCount: connections, seconds, refusedPauseMs },
    (attempt) => {
      attempts.push(attempt);
      watch.hear(attempt);
    },
  );
  over.abort();
  await querying;
  return { name, seconds, attempts, asked };
}

function tell(): void {
  const samples = watch.of("soak");
  const second = median(samples.slice(samples.length / 4, samples.length / 2));
  const last = median(samples.slice((samples.length * 3) / 4));
  const most = Math.max(...samples.map(({ residentMB }) => residentMB));
  const recoveredSec = recoveredAfterSec();
  const soakRowsPerSec = rowsPerSec(soak.attempts, soak.seconds);
  const offered = overload.attempts.length * BODY_ROW_COUNT;
  const figures: Figures = {
    minutes: Number(values.minutes),
    maximumRowsPerSec: round(maximum, 0),
    ...phaseFigures(soak),
    residentMBSecondQuarter: second,
    residentMBLastQuarter: last,
    residentMBMost: most,
    coresMean: round(samples.reduce((sum, { cores }) => sum + cores, 0) / samples.length, 2),
    snapshots: watch.samples.at(-1)?.snapshots ?? Number.NaN,
    ...phaseFigures(overload),
    overloadOffered: round(offered / overload.seconds / maximum, 2),
    overloadResidentMBMost: Math.max(...watch.of("overload").map(({ residentMB }) => residentMB)),
    ...phaseFigures(recovery),
    recoveredSec,
    backlogMs: round(backlogMs, 0),
    rowsAcknowledged: writers.doneCount * BODY_ROW_COUNT,
    clientCpuSec: round((process.cpuUsage().user + process.cpuUsage().system) / 1e6),
  };
  for (const story of [...writers.failures, ...querier.failures, ...wrong.slice(0, 10)])
    process.stdout.write(`failed: ${story}\n`);
  report("soak", figures, {
    [`holds ${values.share} of the maximum`]: soakRowsPerSec >= PACE_HELD_MIN * usual,
    "no error and no refusal": failedCount(soak, true) === 0,
    [`memory is flat: the last quarter at most ${GROWTH_MAX} of the second`]:
      last <= GROWTH_MAX * second,
    [`memory at most ${RESIDENT_MB_MAX} MiB`]: most <= RESIDENT_MB_MAX,
    "overload is refused, not failed":
      overload.attempts.some(({ outcome }) => outcome === "refused") &&
      failedCount(overload, false) === 0,
    "no process ended": watch.ended.length === 0,
    [`as before within ${RECOVERED_SEC_MAX} s`]:
      recoveredSec <= RECOVERED_SEC_MAX && failedCount(recovery, false) === 0,
    "each acknowledged row is there once": wrong.length === 0,
  });
}

function phaseFigures({ asked, attempts, name, seconds }: Phase): Figures {
  const written = attempts.filter(isWritten).map(({ tookMs }) => tookMs);
  const answered = asked.filter(({ outcome }) => outcome === "answered");
  const kinds = (["last", "aggregate", "count"] as const).flatMap((kind) => {
    const tookMs = answered.filter((one) => one.kind === kind).map((one) => one.tookMs);
    return Object.entries(percentilesMs(`${name}Query${kind}`, tookMs));
  });
  return {
    [`${name}RowsPerSec`]: round(rowsPerSec(attempts, seconds), 0),
    ...percentilesMs(`${name}Write`, written),
    [`${name}Refused`]: attempts.filter(({ outcome }) => outcome === "refused").length,
    [`${name}Failed`]: attempts.filter(({ outcome }) => outcome === "failed").length,
    ...Object.fromEntries(kinds),
    [`${name}Queries`]: answered.length,
    [`${name}QueriesRefused`]: asked.filter(({ outcome }) => outcome === "refused").length,
    [`${name}QueriesFailed`]: asked.filter(({ outcome }) => outcome === "failed").length,
  };
}

/** Writes and queries that came to nothing; refusals among them where they count. */
function failedCount({ asked, attempts }: Phase, withRefusals: boolean): number {
  return [...attempts, ...asked].filter(
    ({ outcome }) => outcome === "failed" || (withRefusals && outcome === "refused"),
  ).length;
}

/** The end of the first second after the overload in which nothing was refused and half of the writes took no longer than most did before. */
function recoveredAfterSec(): number {
  const usualMs = percentile(
    soak.attempts.filter(isWritten).map(({ tookMs }) => tookMs),
    0.9,
  );
  const good = ({ failed, refused, rowsPerSec: rate, writeP50Ms }: Sample) =>
    rate > 0 && refused === 0 && failed === 0 && writeP50Ms <= usualMs;
  const index = watch.of("recovery").findIndex(good);
  return index < 0 ? Number.POSITIVE_INFINITY : index + 1;
}

function median(samples: readonly Sample[]): number {
  return percentile(
    samples.map(({ residentMB }) => residentMB),
    0.5,
  );
}
