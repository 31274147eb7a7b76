/**
 * A raft group of three processes on this machine, each with its own log on disk: how many proposals a second are durable on a
 * majority, how long one takes alone, how long writes stop when the leader is killed, and whether what clients saw meanwhile is linearizable.
 *
 *     node bench/raft.ts [--writers 64] [--seconds 10] [--kills 50]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { realRandom } from "#node/real/machine.ts";
import { checkLinearizable } from "#testing/raft/linearizable.ts";
import { percentile, round } from "../scripts/long/figures.ts";
import { RegisterGroup } from "../scripts/raft/register-group.ts";
import { RegisterLoad } from "../scripts/raft/register-load.ts";
import { type Figures, percentilesMs, report } from "./report.ts";

const PROPOSALS_PER_SECOND_MIN = 3_000;
const ALONE_P50_MS_MAX = 5;
const RESUME_P99_MS_MAX = 2_000;
const WARM_UP_MS = 1_500;

const { values } = parseArgs({
  options: {
    writers: { type: "string", default: "64" },
    seconds: { type: "string", default: "10" },
    kills: { type: "string", default: "50" },
  },
});
const speed = await measureSpeed(Number(values.writers), Number(values.seconds) * 1_000);
const kills = await killLeaders(Number(values.kills));
report(
  "raft",
  { writers: Number(values.writers), ...speed.figures, ...kills.figures },
  {
    [`at least ${PROPOSALS_PER_SECOND_MIN} durable proposals a second`]:
      speed.proposalsPerSecond >= PROPOSALS_PER_SECOND_MIN,
    [`p50 of one writer at most ${ALONE_P50_MS_MAX} ms`]: speed.aloneP50Ms <= ALONE_P50_MS_MAX,
    [`writes resume in at most ${RESUME_P99_MS_MAX} ms, p99`]:
      kills.resumeP99Ms <= RESUME_P99_MS_MAX,
    "0 violations in the history": kills.verdict === "linearizable",
  },
);

async function measureSpeed(
  writerCount: number,
  durationMs: number,
): Promise<{ figures: Figures; proposalsPerSecond: number; aloneP50Ms: number }> {
  await using group = await RegisterGroup.start(3);
  const leader = group.node(await group.leader());
  const write = (index: number) =>
    leader.client.ask({ kind: "write", key: `k${index % 100}`, value: `value ${index}` });
  const run = async (count: number, forMs: number): Promise<readonly number[]> => {
    const latencies: number[] = [];
    const untilMs = performance.now() + forMs;
    const writer = async (number: number) => {
      for (let index = number; performance.now() < untilMs; index += count) {
        const startedMs = performance.now();
        await write(index);
        latencies.push(performance.now() - startedMs);
      }
    };
    await Promise.all(Array.from({ length: count }, (_, number) => writer(number)));
    return latencies;
  };
  await run(writerCount, WARM_UP_MS);
  const before = await leader.client.status();
  const many = await run(writerCount, durationMs);
  const after = await leader.client.status();
  const alone = await run(1, durationMs / 2);
  const proposalsPerSecond = round((many.length / durationMs) * 1_000, 0);
  const aloneP50Ms = percentile(alone, 0.5);
  return {
    proposalsPerSecond,
    aloneP50Ms,
    figures: {
      proposalsPerSecond,
      proposalsPerSync: round(many.length / (after.syncCount - before.syncCount), 1),
      ...percentilesMs("many", many),
      ...percentilesMs("alone", alone),
    },
  };
}

async function killLeaders(
  count: number,
): Promise<{ figures: Figures; resumeP99Ms: number; verdict: string }> {
  await using group = await RegisterGroup.start(3, ["--snapshot-entries", "2000"]);
  await group.leader();
  const load = new RegisterLoad({
    group,
    random: realRandom,
    clientCount: 16,
    keyCount: 40,
    thinkMs: 5,
  });
  const resumesMs: number[] = [];
  for (let kill = 1; kill <= count; kill++) {
    await load.writeAnswered();
    await sleep(200);
    const leader = await group.leader();
    await group.kill(leader);
    resumesMs.push(await load.writeAnswered());
    await group.startNode(leader);
    process.stderr.write(`\r${kill} of ${count} leaders killed`);
  }
  process.stderr.write("\n");
  const history = await load.stop();
  const verdict = checkLinearizable(history);
  if (verdict.kind !== "linearizable") process.stdout.write(`${verdict.kind} at ${verdict.key}\n`);
  return {
    resumeP99Ms: percentile(resumesMs, 0.99),
    verdict: verdict.kind,
    figures: {
      kills: count,
      ...percentilesMs("resume", resumesMs),
      operations: history.length,
      withoutAnswer: history.filter(({ answeredMs }) => answeredMs === undefined).length,
      history: verdict.kind,
    },
  };
}
