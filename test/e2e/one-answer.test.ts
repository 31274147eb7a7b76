/** The same rows are answered the same wherever they lie, and as the plain engine answers them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fromUtf8 } from "#base/bytes.ts";
import { Node } from "#node/node.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { seededRandom } from "#ports/random.ts";
import { encodeResult } from "#query/result/result.ts";
import { nodeOptions, writeLines } from "#testing/started-node.ts";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";
import { bodiesOf, queryOf } from "./random-queries.ts";

const SEED = 20_240_101;
const QUERY_COUNT = 500;
const BODY_COUNT = 12;
const CLOSE = 1e-9;
const STOP_MS_MAX = 1_000;
/** Nothing compacted for so long: the compactor is done. */
const SETTLE_MS = 1_500;
const DATABASE = "db";
const FOREVER = new AbortController().signal;
/** Nothing is written to a file, or merged, unless it is asked for. */
const LATER = ["--snapshot-age", "1h", "--compaction-check-interval", "1h"];
/** Every write is due for a file. */
const MANY = ["--wal-files-per-snapshot", "1"];

/** Questions that the plain engine does not know; their answers are the same in each state. */
const WIDE = [
  "SELECT CAST(i AS INT) AS n, time FROM m ORDER BY time, n LIMIT 5",
  "SELECT initcap(host) AS h, count(*) AS n FROM m GROUP BY host ORDER BY h",
  "SELECT time::date AS d, sum(u) AS s FROM m GROUP BY d ORDER BY d",
  "SELECT max(time) AT TIME ZONE 'Europe/Berlin' AS t FROM m",
  "SELECT md5(host) AS h, max(f) AS f FROM m GROUP BY host ORDER BY h",
  "SELECT DISTINCT ON (host) host, time, i FROM m ORDER BY host, time DESC, region LIMIT 3",
  "SELECT DISTINCT ON (host, region) host, region, time FROM m WHERE f > 10 ORDER BY host, region, time",
  "SELECT arrow_cast(count(*), 'Duration(Nanosecond)') AS d FROM m",
  "SELECT date_bin(INTERVAL '1 nanosecond', time) AS t, count(*) AS n FROM m GROUP BY t ORDER BY t LIMIT 9",
  "SELECT host, f FROM m WHERE trim(host) = 'h1' ORDER BY time, region, f LIMIT 7",
];

type Rows = readonly Readonly<Record<string, unknown>>[];

const random = seededRandom(SEED);
const bodies = bodiesOf(random, BODY_COUNT);
const queries = Array.from({ length: QUERY_COUNT }, () => queryOf(random));

async function answersOfPlainEngine(): Promise<readonly Rows[]> {
  const node = await Node.start(nodeOptions(memoryStore(), SEED));
  for (const body of bodies) await writeLines(node, body, DATABASE);
  const answers: Rows[] = [];
  for (const text of queries) {
    const request = { database: DATABASE, text, parameters: {}, tokens: [] };
    const { batches, fields } = await node.answers.query(request, FOREVER);
    let json = "";
    for await (const chunk of encodeResult("json", fields, batches)) json += fromUtf8(chunk);
    answers.push(JSON.parse(json) as Rows);
  }
  await node.stop(STOP_MS_MAX);
  return answers;
}

async function write(node: TestNode, some: readonly string[]): Promise<string> {
  let token: string | undefined;
  for (const body of some) token = await node.write(DATABASE, body);
  return token ?? "";
}

/** Writes each body into a file of its own. */
async function writeFiles(sandbox: Sandbox, node: TestNode, some: readonly string[]) {
  let token = "";
  for (const body of some) {
    const before = await fileCount(sandbox);
    token = await write(node, [body]);
    const more = async () => ((await fileCount(sandbox)) > before ? true : undefined);
    await eventually(more, { what: "a file" });
  }
  return token;
}

/** Holds every query's answer of `node` to `expected`. */
async function compare(state: string, node: TestNode, token: string, expected: readonly Rows[]) {
  for (const [index, text] of queries.entries()) {
    const rows = (await node.rows(DATABASE, text, { token })) as Rows;
    const same = isClose(rows, expected[index]);
    assert.ok(
      same,
      `${state}: ${text}\n${JSON.stringify(rows)}\n${JSON.stringify(expected[index])}`,
    );
  }
}

/** Floats may differ in their last digits: sums depend on the order of rows. */
function isClose(left: unknown, right: unknown): boolean {
  if (typeof left === "number" && typeof right === "number")
    return Math.abs(left - right) <= CLOSE * Math.max(1, Math.abs(left), Math.abs(right));
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null)
    return left === right;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => isClose(valueOf(left, name), valueOf(right, name)))
  );
}

function valueOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

async function wideAnswers(node: TestNode, token: string): Promise<readonly Rows[]> {
  const answers: Rows[] = [];
  for (const text of WIDE) answers.push(await node.rows(DATABASE, text, { token }));
  return answers;
}

async function fileCount(sandbox: Sandbox): Promise<number> {
  return (await sandbox.objects()).filter((key) => key.endsWith(".parquet")).length;
}

/** Starts a compactor, and stops it when it has merged all it merges: nothing more for a while. */
async function compact(sandbox: Sandbox): Promise<void> {
  const more = ["--compaction-check-interval", "200ms"];
  const node = await sandbox.start({ nodeId: "host02", mode: "compact", more });
  let last = 0;
  const done = async () => {
    const { text } = await node.get("/metrics");
    const count = Number(/^tidelake_compactions_total (\d+)/m.exec(text)?.[1] ?? 0);
    const settled = count > 0 && count === last;
    last = count;
    await sleep(SETTLE_MS);
    return settled ? true : undefined;
  };
  await eventually(done, { what: "the end of compaction", withinMs: 60_000 });
  await node.stop();
}

suite(`one answer in every state (seed ${SEED})`, () => {
  const expected = answersOfPlainEngine();

  test("buffered, on the node that took the writes and on another one, and in one file", async () => {
    await using sandbox = await Sandbox.open();
    const options = { more: LATER };
    const node = await sandbox.start(options);
    const token = await write(node, bodies);
    await compare("buffered", node, token, await expected);
    const wide = await wideAnswers(node, token);
    const other = await sandbox.start({ nodeId: "host02", mode: "query" });
    await compare("buffered, on another node", other, token, await expected);
    await other.stop();
    await node.stop();
    const again = await sandbox.start(options);
    assert.equal(await fileCount(sandbox), 1);
    await compare("in one file", again, token, await expected);
    assert.deepEqual(await wideAnswers(again, token), wide);
  });

  test("in many overlapping files, half compacted, compacted, and so on another node", async () => {
    await using sandbox = await Sandbox.open();
    const taker = await sandbox.start({ mode: "ingest,query", more: [...LATER, ...MANY] });
    await writeFiles(sandbox, taker, bodies.slice(0, BODY_COUNT / 2));
    await compact(sandbox);
    const token = await writeFiles(sandbox, taker, bodies.slice(BODY_COUNT / 2));
    await compare("half compacted", taker, token, await expected);
    await compact(sandbox);
    await compare("compacted", taker, token, await expected);
    const other = await sandbox.start({ nodeId: "host03", mode: "query" });
    await compare("compacted, on another node", other, token, await expected);
  });

  test("in many overlapping files", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ mode: "ingest,query", more: [...LATER, ...MANY] });
    const token = await writeFiles(sandbox, node, bodies);
    await compare("in many overlapping files", node, token, await expected);
  });
});
