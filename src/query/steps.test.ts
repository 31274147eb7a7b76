import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { scansOf } from "#model/query/walk.ts";
import { SmallNode } from "#testing/small-node.ts";
import { inSteps } from "./steps.ts";

const FOREVER = new AbortController().signal;
const FILE_COUNT = 8;
const ROWS_A_FILE = 5_000;

suite("the newest and the oldest rows", () => {
  let node: SmallNode;
  let asked: Plan[] = [];

  before(async () => {
    node = await SmallNode.open({
      engine: (inner) => ({
        append: (blocks) => inner.append(blocks),
        dropGeneration: (generation) => inner.dropGeneration(generation),
        writeFiles: (request, signal) => inner.writeFiles(request, signal),
        compact: (request, signal) => inner.compact(request, signal),
        bufferSizeBytes: () => inner.bufferSizeBytes(),
        query: (plan, signal) => {
          asked.push(plan);
          return inner.query(plan, signal);
        },
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      }),
    });
    for (let file = 0; file < FILE_COUNT; file += 1) {
      const lines = Array.from({ length: ROWS_A_FILE }, (_, row) => {
        const number = file * ROWS_A_FILE + row;
        return `m,host=h${number % 3} f=${number}i ${number + 1}`;
      });
      await node.write(lines.join("\n"));
      await node.snapshotter.take(FOREVER);
    }
    await node.write("m,host=new f=-1i 100000");
  });
  after(() => node[Symbol.asyncDispose]());

  /** The numbers of an answer, and how many files each plan that was run for it reads. */
  async function ask(text: string) {
    asked = [];
    const rows = await node.rows(text);
    const files = asked.map((plan) => {
      const groups = scansOf(plan).flatMap((scan) => scan.groups);
      const keys = groups.flatMap(({ sources }) =>
        sources.flatMap((source) => (source.kind === "file" ? [source.file.key] : [])),
      );
      return new Set(keys).size;
    });
    return { numbers: rows.map(({ f }) => Number(f)), files };
  }

  test("are read from the files that hold them", async () => {
    const newest = await ask("SELECT f FROM m ORDER BY time DESC LIMIT 3");
    assert.deepEqual(newest.numbers, [-1, 39_999, 39_998]);
    assert.deepEqual(newest.files, [2]);
    const oldest = await ask("SELECT f, time FROM m ORDER BY time LIMIT 2 OFFSET 1");
    assert.deepEqual(oldest, { numbers: [1, 2], files: [2] });
  });

  test("are looked for further where conditions leave too few", async () => {
    const host = await ask("SELECT f FROM m WHERE host = 'h0' ORDER BY time DESC LIMIT 1");
    assert.deepEqual(host, { numbers: [39_999], files: [2] });
    const old = await ask("SELECT f FROM m WHERE f < 100 ORDER BY time DESC LIMIT 2");
    assert.deepEqual(old, { numbers: [-1, 99], files: [2, FILE_COUNT] });
    const none = await ask("SELECT f FROM m WHERE f > 1000000 ORDER BY time DESC LIMIT 2");
    assert.deepEqual(none, { numbers: [], files: [2, FILE_COUNT] });
  });

  test("are read as all others where other things decide", async () => {
    for (const text of [
      "SELECT f FROM m ORDER BY f DESC LIMIT 1",
      "SELECT f FROM m ORDER BY -f, time LIMIT 1",
      "SELECT max(f) AS f FROM m GROUP BY time ORDER BY time DESC LIMIT 1 OFFSET 1",
      "SELECT f FROM (SELECT f, time FROM m LIMIT 40001) ORDER BY time DESC LIMIT 1 OFFSET 1",
    ]) {
      assert.deepEqual(await ask(text), { numbers: [39_999], files: [FILE_COUNT] }, text);
    }
  });

  test("are not held where they are large", async () => {
    const plan: Plan = { kind: "values", fields: [], rows: [] };
    const step: Plan = { ...plan };
    const given = new Map<Plan, number>([
      [plan, 0],
      [step, 0],
    ]);
    async function* run(one: Plan): AsyncGenerator<ResultBatch> {
      for (let batch = 0; batch < 100; batch += 1) {
        given.set(one, batch + 1);
        yield { rowCount: 1, columns: [{ type: "string", values: ["x".repeat(1024 * 1024)] }] };
      }
    }
    const rows = inSteps({ plan, earlier: [step, step], rowCount: 100 }, run);
    let rowCount = 0;
    for await (const batch of rows) {
      rowCount += batch.rowCount;
      assert.equal(given.get(plan), rowCount);
    }
    assert.equal(rowCount, 100);
    assert.equal(given.get(step), 16);
  });
});
