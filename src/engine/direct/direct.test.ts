import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { crc32 } from "#base/crc32.ts";
import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import type { Plan, ScanPlan } from "#model/query/plan.ts";
import { cellAt } from "#model/query/result.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { readFooter } from "#parquet/read/footer.ts";
import { Bench, type Cell, type WrittenRow } from "../contract/bench.ts";
import {
  aggregate,
  ascending,
  assertSameList,
  call,
  descending,
  float,
  grouped,
  input,
  interval,
  project,
  sorted,
  text,
  time,
} from "../contract/build.ts";
import { openTestEngine, pinnedFiles } from "../duckdb/test-engine.ts";
import { plainEngine } from "../plain/plain.ts";
import { DirectQueries } from "./direct.ts";

const FOREVER = new AbortController().signal;
const KINDS = { host: "tag", region: "tag", f: "float", i: "integer" } as const;

const TIME = input(0, "timestamp");
const HOST = input(1, "string");
const REGION = input(2, "string");
const F = input(3, "float64");
const I = input(4, "int64");

const row = fc.record({
  time: fc.bigInt({ min: -2_000n, max: 2_000n }).map((value) => value * 500_000n),
  host: fc.constantFrom("a", "b", null),
  region: fc.constantFrom("x", "y", "\u{1f600}", "\uff5e"),
  f: fc.option(fc.integer({ min: -4, max: 4 }).map((value) => value / 2)),
  i: fc.option(fc.bigInt({ min: -3n, max: 3n })),
});
const rows = fc.uniqueArray(row, {
  minLength: 1,
  maxLength: 60,
  selector: ({ host, region, time: at }) => `${at} ${host} ${region}`,
});

function nulls(key: Expression, down: boolean): SortKey {
  return down ? descending(key, false) : ascending(key, true);
}

/** What a SELECT of InfluxQL asks for without reducing rows. */
function inOrder(scan: ScanPlan, down: boolean, groups: readonly Expression[]): Plan {
  const ties = [HOST, REGION].filter((tag) => !groups.includes(tag));
  const keys = [...groups, TIME, ...ties].map((key) => nulls(key, down));
  return project(sorted(scan, ...keys), TIME, REGION, F, I, HOST);
}

function choices(): readonly AggregateCall[] {
  const made: AggregateCall[] = [];
  for (const value of [F, I]) {
    const filter = call("boolean", "is_not_null", value);
    const type = value.type;
    const orders = [
      [ascending(TIME), descending(value)],
      [descending(TIME), descending(value)],
      [ascending(value), ascending(TIME)],
      [descending(value), ascending(TIME)],
    ];
    for (const orderBy of orders) {
      made.push(aggregate(type, "first_value", [value], { filter, orderBy }));
      made.push(aggregate("timestamp", "first_value", [TIME], { filter, orderBy }));
    }
  }
  return made;
}

function binned(scan: Plan): Plan {
  const bin = call("timestamp", "date_bin", interval(0, 300_000_000n), TIME, time(7n));
  const groups = grouped(scan, [HOST, bin], ...choices());
  return sorted(groups, nulls(input(0, "string"), false), nulls(input(1, "timestamp"), false));
}

/** What tells row groups apart: texts, of which some are in none. */
function tagged(scan: ScanPlan): Plan {
  const host = call("boolean", "equal", HOST, text("a"));
  const list = ["\uff5e", "\u{1f600}", "w"].map(text);
  const region = { kind: "in", operand: REGION, list, type: "boolean" } as const;
  const either = call("boolean", "or", call("boolean", "equal", text("x"), REGION), region);
  return inOrder({ ...scan, predicate: call("boolean", "and", host, either) }, false, []);
}

/** What is not computed here, of rows that `inOrder` gives. */
function lengths(plan: Plan): Plan {
  return project(plan, call("int64", "length", input(4, "string")), input(1, "string"));
}

function present(scan: ScanPlan): Plan {
  const tests = [F, I].map((field) => call("boolean", "is_not_null", field));
  const predicate = call("boolean", "or", ...tests);
  return { kind: "filter", fields: scan.fields, input: scan, predicate };
}

suite("questions that are answered directly", () => {
  let bench: Bench;
  let oracle: Bench;
  let direct: DirectQueries;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "direct-"));
    bench = await Bench.open((files) => openTestEngine(files));
    oracle = await Bench.open(async (files) => plainEngine({ files }));
    direct = new DirectQueries({
      files: pinnedFiles(bench.files, directory),
      cacheSizeMax: 2 ** 20,
    });
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
    await oracle[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** Rows in two files, and the answers of both to the plan over them. */
  async function both(some: readonly WrittenRow[], planOf: (scan: ScanPlan) => Plan) {
    const middle = 0n;
    const parts = [
      some.filter((one) => one.time < middle),
      some.filter((one) => one.time >= middle),
    ];
    const written = bench.table(KINDS);
    const held = oracle.table(KINDS);
    const files = [];
    for (const [index, part] of parts.entries()) {
      if (part.length === 0) continue;
      const generation = bench.generation();
      await written.append(generation, 1, BigInt(index + 1), part);
      const first = await written.persist([written.buffered(generation)]);
      const given = first.map((file) => ({ file, stampAbove: -(2n ** 62n) }));
      files.push(...(await written.compact(given, { rowGroupSize: 8 })));
    }
    const generation = oracle.generation();
    await held.append(generation, 1, 1n, some);
    const sources = files.map((file) => ({ kind: "file", file }) as const);
    const plan = planOf(written.scan([{ merge: false, sources }]));
    const answer = await direct.answer(plan, FOREVER);
    assert.ok(answer, "it is answered here");
    const found: Cell[][] = [];
    for await (const { columns, rowCount } of answer)
      for (let at = 0; at < rowCount; at += 1)
        found.push(columns.map((column) => cellAt(column, at)));
    const asked = planOf(held.scan([{ merge: true, sources: [held.buffered(generation)] }]));
    return { found, wanted: await oracle.rows(asked) };
  }

  const plans: readonly [name: string, planOf: (scan: ScanPlan) => Plan][] = [
    ["by time, then tags", (scan) => inOrder(scan, false, [])],
    ["by a tag, then time, backwards", (scan) => inOrder(scan, true, [HOST])],
    ["by all tags, then time", (scan) => inOrder(scan, false, [REGION, HOST])],
    ["the first, last, least and greatest of bins", binned],
    ["the first, last, least and greatest of all", (scan) => grouped(scan, [], ...choices())],
    ["of some series", tagged],
    ["what has one of two fields", (scan) => binned(present(scan))],
    [
      "what passes a condition, in order",
      (scan) => {
        const predicate = call("boolean", "greater", F, float(0));
        const passing: Plan = { kind: "filter", fields: scan.fields, input: scan, predicate };
        const keys = [TIME, HOST, REGION].map((key) => nulls(key, false));
        return project(sorted(passing, ...keys), F, TIME);
      },
    ],
  ];
  for (const [name, planOf] of plans) {
    test(`${name}: as the plain engine does it`, async () => {
      await fc.assert(
        fc.asyncProperty(rows, async (some) => {
          const { found, wanted } = await both(some, planOf);
          assertSameList(found, wanted);
        }),
        { numRuns: 12 },
      );
    });
  }

  test("who asks for one series reads no row group of others, here and in the other engine", async () => {
    const table = bench.table(KINDS);
    const hosts = Array.from({ length: 40 }, (_, index) => `host${10 + index}`);
    const some = hosts.flatMap((host) => {
      return Array.from({ length: 8 }, (_, at) => ({ time: BigInt(at), host, f: at }));
    });
    const whole = await table.persistBlocks([table.block(bench.generation(), 1, 1n, some)]);
    const given = whole.map((file) => ({ file, stampAbove: 0n }));
    const [made] = await table.compact(given, { rowGroupSize: 80 });
    assert.ok(made);
    const bytes = bench.files.bytes.get(made.key)?.slice() ?? new Uint8Array();
    const { groups } = readFooter({
      sizeBytes: bytes.length,
      read: (start, sizeBytes) => bytes.slice(start, start + sizeBytes),
    });
    assert.equal(groups.length, 4);
    // Of the other three nothing can be read any more.
    for (const { chunks } of groups.filter((_, index) => index !== 1))
      for (const { sizeBytes, start } of chunks) bytes.fill(0xff, start, start + sizeBytes);
    const file = { ...made, key: `${made.key} damaged`, checksum: crc32(bytes) };
    bench.files.bytes.set(file.key, bytes);
    const scan = table.scan([{ merge: false, sources: [{ kind: "file", file }] }]);
    const askedFor = (predicate: Expression) => inOrder({ ...scan, predicate }, false, []);
    const one = askedFor(call("boolean", "equal", HOST, text("host24")));
    const rest = askedFor(call("boolean", "not_equal", HOST, text("host24")));
    const answer = await direct.answer(one, FOREVER);
    assert.ok(answer);
    let rowCount = 0;
    for await (const batch of answer) rowCount += batch.rowCount;
    assert.equal(rowCount, 8);
    await assert.rejects(direct.answer(rest, FOREVER), { code: "file_damaged" });
    assert.equal(await direct.answer(lengths(one), FOREVER), undefined);
    assert.equal((await bench.rows(lengths(one))).length, 8);
    await assert.rejects(bench.rows(lengths(rest)));
  });

  test("what is much is decoded when it is asked for again, and only where it could be kept", async () => {
    const table = bench.table(KINDS);
    const hosts = Array.from({ length: 450 }, (_, index) => `host${100 + index}`);
    const some = hosts.flatMap((host) => {
      return Array.from({ length: 1_000 }, (_, at) => ({
        time: BigInt(at),
        host,
        f: at,
        i: BigInt(at),
      }));
    });
    const files = await table.persistBlocks([table.block(bench.generation(), 1, 1n, some)]);
    const scan = table.scan([
      { merge: false, sources: files.map((file) => ({ kind: "file", file })) },
    ]);
    const all = grouped(scan, [], aggregate("float64", "max", [F]));
    const predicate = call("boolean", "equal", HOST, text("host250"));
    const one = grouped({ ...scan, predicate }, [], aggregate("float64", "max", [F]));
    // Another column of the same rows is as cold as they were, and two take more room than one.
    const other = grouped(
      scan,
      [],
      aggregate("float64", "max", [F]),
      aggregate("int64", "max", [I]),
    );
    for (const { answered, cacheSizeMax, asked } of [
      { cacheSizeMax: 2 ** 24, asked: [one, all, all, all], answered: [true, false, true, true] },
      {
        cacheSizeMax: 2 ** 24,
        asked: [all, all, other, other],
        answered: [false, true, false, true],
      },
      {
        cacheSizeMax: 8_000_000,
        asked: [all, all, other, other],
        answered: [false, true, false, false],
      },
      { cacheSizeMax: 2 ** 20, asked: [one, all, all, all], answered: [true, false, false, false] },
    ]) {
      const fresh = new DirectQueries({ files: pinnedFiles(bench.files, directory), cacheSizeMax });
      const found: boolean[] = [];
      for (const plan of asked) {
        const answer = await fresh.answer(plan, FOREVER);
        found.push(answer !== undefined);
        for await (const { columns, rowCount } of answer ?? [])
          assert.deepEqual([rowCount, columns[0] && cellAt(columns[0], 0)], [1, 999]);
      }
      assert.deepEqual(found, answered);
    }
  });

  test("times that are too far from each other are left to the other engine", async () => {
    const far = [ALL_TIME.start + 1n, 0n, ALL_TIME.end - 1n].map((at) => ({ time: at, f: 1 }));
    await assert.rejects(
      both(far, (scan) => inOrder(scan, false, [])),
      /it is answered here/,
    );
  });
});
