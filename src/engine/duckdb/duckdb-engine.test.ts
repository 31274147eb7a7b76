import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isKind } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { Bench, type BenchTable } from "../contract/bench.ts";
import {
  aggregate,
  ascending,
  call,
  castTo,
  grouped,
  input,
  int,
  project,
  sorted,
  text,
} from "../contract/build.ts";
import type { DuckDbEngine, DuckDbEngineOptions } from "./duckdb-engine.ts";
import { DEPTH_MAX } from "./plan-depth.ts";
import { openTestEngine } from "./test-engine.ts";

/** Less than the slow query below takes on any machine. */
const SLOW_MS = 4_000;
/** Many times what it takes: planning that grows with a power of the tags takes minutes. */
const MANY_TAGS_MS_MAX = 20_000;
const NEVER = new AbortController().signal;

async function openBench(own: Partial<DuckDbEngineOptions> = {}) {
  const opened: DuckDbEngine[] = [];
  const bench = await Bench.open(async (files) => {
    const engine = await openTestEngine(files, own);
    opened.push(engine);
    return engine;
  });
  const [engine] = opened;
  assert.ok(engine);
  return { bench, engine, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

/** A buffered table of `rowCount` rows: `f` counts from 0. */
async function filled(bench: Bench, rowCount: number) {
  const table = bench.table({ f: "integer" });
  const generation = bench.generation();
  const rows = Array.from({ length: rowCount }, (_, i) => ({ time: BigInt(i), f: BigInt(i) }));
  await table.append(generation, 1, 1n, rows);
  return scanOf(table, table.buffered(generation));
}

function scanOf(table: BenchTable, source: ReturnType<BenchTable["buffered"]>): Plan {
  return table.scan([{ merge: false, sources: [source] }], { columns: ["f"] });
}

const f = input(0, "int64");

suite("the engine in a child process", () => {
  // Starting an engine takes half a second, so tests that need no settings of their own share one.
  let shared: Awaited<ReturnType<typeof openBench>>;
  before(async () => {
    shared = await openBench({ queryCountMax: 1 });
  });
  after(() => shared.bench[Symbol.asyncDispose]());

  test("rows are all there once, however often the child is killed", async () => {
    const kept: BufferedBlock[] = [];
    await using opened = await openBench({ refill: () => kept });
    const { bench, engine } = opened;
    const table = bench.table({ host: "tag", f: "integer" });
    const generation = bench.generation();
    const plan = grouped(
      table.scan([{ merge: false, sources: [table.buffered(generation)] }]),
      [],
      aggregate("int64", "count"),
      aggregate("int64", "sum", [input(2, "int64")]),
    );
    // A source is named once it has rows.
    kept.push(table.block(generation, 1, 1n, [{ time: 1n, host: "h1", f: 1n }]));
    await engine.append(kept);
    let acknowledged = 1;
    const stop = new AbortController();
    const writer = (async () => {
      for (let position = 2; !stop.signal.aborted; position += 1) {
        const row = { time: BigInt(position), host: `h${position % 3}`, f: 1n };
        const block = table.block(generation, position, 1n, [row]);
        kept.push(block);
        await engine.append([block]);
        acknowledged = position;
        await delay(1);
      }
    })();
    let restartsSeen = 0;
    const reader = (async () => {
      while (!stop.signal.aborted) {
        const least = acknowledged;
        try {
          const [[count, sum] = []] = await bench.rows(plan);
          assert.ok(Number(count) >= least, `at least ${least} rows`);
          assert.equal(count, sum ?? 0n);
        } catch (error) {
          assert.ok(
            isKind(error, "unavailable") && error.code === "engine_restarted",
            String(error),
          );
          restartsSeen += 1;
        }
      }
    })();
    for (let kill = 0; kill < 3; kill += 1) {
      while (engine.restartCount < kill || engine.pid === undefined) await delay(5);
      await delay(30 + 20 * kill);
      process.kill(engine.pid, "SIGKILL");
    }
    while (engine.restartCount < 3 || engine.pid === undefined) await delay(5);
    await delay(50);
    stop.abort();
    await Promise.all([writer, reader]);
    const total = BigInt(kept.length);
    assert.deepEqual(await bench.rows(plan), [[total, total]]);
    assert.equal(engine.restartCount, 3);
    assert.ok(kept.length > 10);
    assert.ok(restartsSeen <= 3);
  });

  test("a query that runs when the child dies is told so; the next is answered", async () => {
    const kept: BufferedBlock[] = [];
    await using opened = await openBench({ refill: () => kept });
    const { bench, engine } = opened;
    const { table, generation } = {
      table: bench.table({ f: "integer" }),
      generation: bench.generation(),
    };
    const rows = Array.from({ length: 100_000 }, (_, i) => ({ time: BigInt(i), f: BigInt(i) }));
    kept.push(table.block(generation, 1, 1n, rows));
    await engine.append(kept);
    const plan = scanOf(table, table.buffered(generation));
    const batches = engine.query(plan, NEVER)[Symbol.asyncIterator]();
    await batches.next();
    process.kill(engine.pid ?? 0, "SIGKILL");
    await assert.rejects(
      async () => {
        while (!(await batches.next()).done);
      },
      { kind: "unavailable", code: "engine_restarted" },
    );
    assert.deepEqual(await bench.rows(grouped(plan, [], aggregate("int64", "count"))), [
      [100_000n],
    ]);
  });

  test("a child that hangs keeps nobody who gives up, and is killed", async () => {
    const kept: BufferedBlock[] = [];
    await using opened = await openBench({ refill: () => kept });
    const { bench, engine } = opened;
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    kept.push(table.block(generation, 1, 1n, [{ time: 1n, f: 1n }]));
    await engine.append(kept);
    const plan = scanOf(table, table.buffered(generation));
    assert.deepEqual(await bench.rows(plan), [[1n]]);
    const hung = engine.pid ?? 0;
    process.kill(hung, "SIGSTOP");
    const reason = new Error("enough");
    const stop = new AbortController();
    const rows = bench.rows(plan, stop.signal);
    await delay(50);
    stop.abort(reason);
    const abortedMs = performance.now();
    await assert.rejects(rows, (error) => error === reason);
    assert.ok(performance.now() - abortedMs < 1_000);
    while (isAlive(hung)) await delay(20);
    assert.deepEqual(await bench.rows(plan), [[1n]]);
    assert.equal(engine.restartCount, 1);
  });

  test("an engine that is killed while it starts is started again", async () => {
    let refillCount = 0;
    const refill = () => {
      refillCount += 1;
      if (refillCount === 1) process.kill(lastChild(), "SIGKILL");
      return kept;
    };
    const kept: BufferedBlock[] = [];
    const table = shared.bench.table({ f: "integer" });
    const generation = shared.bench.generation();
    kept.push(table.block(generation, 1, 1n, [{ time: 1n, f: 1n }]));
    await using opened = await openBench({ refill });
    assert.equal(refillCount, 2);
    const plan = scanOf(table, table.buffered(generation));
    assert.deepEqual(await opened.bench.rows(plan), [[1n]]);
  });

  test("a table with 250 tags is read and written in time", async () => {
    const { bench } = shared;
    const names = Array.from({ length: 250 }, (_, i) => `t${i}`);
    const kinds = Object.fromEntries(names.map((name) => [name, "tag" as const]));
    const table = bench.table({ ...kinds, f: "integer" });
    const generation = bench.generation();
    const tags = Object.fromEntries(names.map((name, i) => [name, i % 3 === 0 ? null : name]));
    await table.append(generation, 1, 1n, [{ ...tags, time: 1n, f: 1n }]);
    await table.append(generation, 2, 2n, [{ ...tags, time: 1n, f: 2n }]);
    const expected = [[1n, ...Object.values(tags), 2n]];
    const startMs = performance.now();
    assert.deepEqual(await table.read([table.buffered(generation)]), expected);
    const [file] = await table.persist([table.buffered(generation)]);
    assert.ok(file?.unique === false);
    assert.deepEqual(await table.read([{ kind: "file", file }]), expected);
    const elapsedMs = performance.now() - startMs;
    assert.ok(elapsedMs < MANY_TAGS_MS_MAX, `${elapsedMs} ms`);
  });

  test("leaving the loop frees the engine's only connection", async () => {
    const { bench, engine } = shared;
    const plan = await filled(bench, 200_000);
    for (let i = 0; i < 3; i += 1) {
      for await (const batch of engine.query(plan, NEVER)) {
        assert.ok(batch.rowCount > 0 && batch.rowCount < 200_000);
        break;
      }
    }
    const count = grouped(plan, [], aggregate("int64", "count"));
    assert.deepEqual(await bench.rows(count), [[200_000n]]);
  });

  test("an aborted query rejects with the reason and ends in the engine; one in line never begins", async () => {
    const { bench } = shared;
    const plan = await filled(bench, 200_000);
    const many = Array.from({ length: 500 }, (_, i) =>
      aggregate("int64", "count", [], {
        filter: call("boolean", "regexp_like", castTo("string", f), text(`(${i}.*){2}`)),
      }),
    );
    const slow = grouped(plan, [], ...many);
    const reason = new Error("enough");
    for (const delayMs of [0, 30]) {
      const stop = new AbortController();
      const running = Promise.allSettled([
        bench.rows(slow, stop.signal),
        bench.rows(plan, stop.signal),
      ]);
      await delay(delayMs);
      stop.abort(reason);
      const abortedMs = performance.now();
      const rejected = { status: "rejected", reason };
      assert.deepEqual(await running, [rejected, rejected]);
      assert.ok(performance.now() - abortedMs < SLOW_MS / 2);
    }
    const count = grouped(plan, [], aggregate("int64", "count"));
    assert.deepEqual(await bench.rows(count), [[200_000n]]);
  });

  test("an error in the middle of a result is not taken for its end", async () => {
    const { bench, engine } = shared;
    const plan = await filled(bench, 100_000);
    // Wide enough that the engine cannot compute all before the first is taken.
    const wide = Array.from({ length: 12 }, (_, i) => call("int64", "add", f, int(i)));
    const left = call("int64", "subtract", f, int(90_000));
    const late = project(plan, ...wide, call("int64", "divide", int(1), left));
    let rowCount = 0;
    await assert.rejects(
      async () => {
        for await (const batch of engine.query(late, NEVER)) rowCount += batch.rowCount;
      },
      { kind: "invalid", code: "divide_by_zero" },
    );
    assert.ok(rowCount > 0 && rowCount < 100_000, `${rowCount} rows came first`);
  });

  test("rows keep their order over many batches", async () => {
    const { bench } = shared;
    const plan = await filled(bench, 50_000);
    const mixed = call("int64", "modulo", call("int64", "multiply", f, int(7_919)), int(50_000));
    const rows = await bench.rows(sorted(project(plan, mixed), ascending(f)));
    assert.deepEqual(
      rows.map(([cell]) => cell),
      Array.from({ length: 50_000 }, (_, i) => BigInt(i)),
    );
  });

  test("a query that needs too much memory is refused, and the next is answered", async () => {
    await using opened = await openBench({
      memorySizeMax: 60_000_000,
      spillSizeMax: 1_000_000,
    });
    const { bench, engine } = opened;
    const plan = await filled(bench, 200_000);
    const texts = Array.from({ length: 30 }, (_, i) =>
      call("string", "concat", castTo("string", f), {
        kind: "literal",
        type: "string",
        value: `${i}`.repeat(60),
      }),
    );
    await assert.rejects(bench.rows(grouped(plan, texts)), {
      kind: "exceeded",
      code: "query_memory",
    });
    const count = grouped(plan, [], aggregate("int64", "count"));
    assert.deepEqual(await bench.rows(count), [[200_000n]]);
    assert.equal(engine.restartCount, 0);
  });

  test("plans up to a depth run, deeper ones are refused", async () => {
    const { bench } = shared;
    const one: Plan = { kind: "values", fields: [{ name: "", type: "int64" }], rows: [[int(1)]] };
    const chain = (length: number) => {
      let expression: Expression = f;
      for (let i = 0; i < length; i += 1) expression = call("int64", "add", expression, int(1));
      return project(one, expression);
    };
    const nest = (length: number) => {
      let plan: Plan = one;
      for (let i = 0; i < length; i += 1) plan = project(plan, call("int64", "add", f, int(1)));
      return plan;
    };
    assert.deepEqual(await bench.rows(chain(DEPTH_MAX - 1)), [[BigInt(DEPTH_MAX)]]);
    assert.deepEqual(await bench.rows(nest(DEPTH_MAX - 1)), [[BigInt(DEPTH_MAX)]]);
    for (const plan of [chain(DEPTH_MAX + 1), nest(DEPTH_MAX + 1), chain(100_000)]) {
      await assert.rejects(bench.rows(plan), { kind: "exceeded", code: "query_depth" });
    }
  });

  test("a damaged block is refused alone, and what was written beside it is there", async () => {
    const { bench, engine } = shared;
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    const [good, bad, late] = [1, 2, 3].map((position) =>
      table.block(generation, position, 1n, [{ time: BigInt(position), f: 0n }]),
    );
    assert.ok(good && bad && late);
    const damaged = { ...bad, bytes: bad.bytes.subarray(0, -1) };
    const results = await Promise.allSettled(
      [good, damaged, late].map((block) => engine.append([block])),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    const rows = await table.read([table.buffered(generation)], { columns: ["time"] });
    assert.deepEqual(rows, [[1n], [3n]]);
  });

  test("the child ends with the process that started it, however that ends", async () => {
    const directory = await mkdtemp(join(tmpdir(), "engine-orphan-"));
    const script = `
      import { DuckDbEngine } from ${JSON.stringify(new URL("./duckdb-engine.ts", import.meta.url).href)};
      import { silentLog as log } from ${JSON.stringify(new URL("../../ports/log.ts", import.meta.url).href)};
      const clock = { nowNs: () => 0n, monotonicMs: () => 0, sleep: () => new Promise(() => {}) };
      const engine = await DuckDbEngine.open({ memorySizeMax: 1e8, threads: 1, log, clock, files: {}, refill: () => [],
        temporaryDirectory: ${JSON.stringify(join(directory, "t"))}, cacheDirectory: ${JSON.stringify(directory)} });
      console.log(engine.pid);`;
    const parent = execFile(process.execPath, ["--input-type=module", "-e", script]);
    const pid = Number(await new Promise((resolve) => parent.stdout?.once("data", resolve)));
    assert.ok(isAlive(pid));
    parent.kill("SIGKILL");
    for (let i = 0; i < 100 && isAlive(pid); i += 1) await delay(20);
    assert.equal(isAlive(pid), false);
    await rm(directory, { recursive: true });
  });

  test("an engine that is disposed of leaves nothing behind and refuses more", async () => {
    const { bench, engine } = await openBench();
    const plan = await filled(bench, 10);
    const { pid } = engine;
    assert.ok(pid !== undefined && isAlive(pid));
    await bench[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    assert.equal(isAlive(pid), false);
    await assert.rejects(bench.rows(plan), { kind: "unavailable", code: "engine_closed" });
    await assert.rejects(engine.append([{} as BufferedBlock]), { code: "engine_closed" });
  });
});

/** The process that this one started last. */
function lastChild(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  return Number(children.trim().split(" ").at(-1));
}

/** Whether a process runs; one that has ended but was not waited for does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !readFileSync(stat, "utf8").includes(") Z ");
}
