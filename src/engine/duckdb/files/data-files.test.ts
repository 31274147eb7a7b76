import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import * as fc from "fast-check";
import { encodeBlock } from "#block/block.ts";
import type { DataFile } from "#model/data-file.ts";
import { silentLog } from "#ports/log.ts";
import { Bench, type BenchTable, type Cell, type WrittenRow } from "../../contract/bench.ts";
import { openTestEngine } from "../test-engine.ts";
import { FileWriter } from "./file-writer.ts";

const TAGS = ["zone", "host"] as const;
const FIELDS = ["f", "i", "u", "s", "b"] as const;
const NAMES = ["time", ...TAGS, ...FIELDS];

const cell = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3 });
const row: fc.Arbitrary<WrittenRow> = fc.record({
  time: fc.oneof(
    fc.bigInt({ min: -40n, max: 40n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  zone: cell(fc.constantFrom("", "a", "b", "～", "😀")),
  host: cell(fc.integer({ min: 0, max: 30 }).map((n) => `host ${n}`)),
  f: cell(fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true }))),
  i: cell(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  u: cell(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  s: cell(fc.string({ maxLength: 5 })),
  b: cell(fc.boolean()),
});
const flush = fc.record({
  stamp: fc.bigInt({ min: 1n, max: 2n ** 62n }),
  rows: fc.array(row, { minLength: 1, maxLength: 40 }),
});

function compareCells(left: Cell, right: Cell): number {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  if (typeof left === "string")
    return Buffer.compare(Buffer.from(left), Buffer.from(right as string));
  return left < right ? -1 : 1;
}

interface Stamped {
  readonly cells: readonly Cell[];
  readonly stamp: bigint;
}

/** By tags, time and stamp. */
function compareRows(left: Stamped, right: Stamped): number {
  for (const index of [1, 2, 0]) {
    const order = compareCells(left.cells[index] ?? null, right.cells[index] ?? null);
    if (order !== 0) return order;
  }
  return compareCells(left.stamp, right.stamp);
}

function assertEnvelope(file: DataFile, rows: readonly Stamped[]): void {
  const times = rows.map(({ cells }) => cells[0] as bigint).toSorted(compareCells);
  const stamps = rows.map(({ stamp }) => stamp).toSorted(compareCells);
  const keys = new Set(
    rows.map(({ cells }) => JSON.stringify([`${cells[0] as bigint}`, cells[1], cells[2]])),
  );
  const { rowCount, stampMax, stampMin, time, unique } = file;
  assert.deepEqual(
    { rowCount, stampMax, stampMin, time, unique },
    {
      rowCount: rows.length,
      stampMin: stamps[0],
      stampMax: stamps.at(-1),
      time: { start: times[0], end: times.at(-1) },
      unique: keys.size === rows.length,
    },
  );
}

suite("data files of blocks", () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open(openTestEngine);
  });
  after(() => bench[Symbol.asyncDispose]());

  function newTable(): BenchTable {
    return bench.table({
      zone: "tag",
      f: "float",
      i: "integer",
      host: "tag",
      u: "uinteger",
      s: "string",
      b: "boolean",
    });
  }

  function readFile(table: BenchTable, file: DataFile): Promise<Cell[][]> {
    const sources = [{ kind: "file" as const, file }];
    return bench.rows(table.scan([{ merge: false, sources }], { columns: NAMES }));
  }

  test("hold every row of the blocks once, in order, and say what they hold", async () => {
    const cut = fc.record({
      windowNs: fc.bigInt({ min: 5n, max: 2n ** 61n }),
      rowCountMin: fc.nat(30),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(flush, { minLength: 1, maxLength: 5 }),
        cut,
        async (flushes, options) => {
          const table = newTable();
          const generation = bench.generation();
          for (const [index, { rows, stamp }] of flushes.entries())
            await table.append(generation, index + 1, stamp, rows);
          const files = await table.persist([table.buffered(generation)], options);
          const expected = flushes.flatMap(({ rows, stamp }) =>
            rows.map((one): Stamped => ({ cells: NAMES.map((name) => one[name] ?? null), stamp })),
          );
          let found: Cell[][] = [];
          for (const file of files) {
            const rows = await readFile(table, file);
            const own = expected.filter(({ cells }) => rows.some((one) => one[0] === cells[0]));
            // Rows of one time are in one file, for they are in one window.
            assert.deepEqual(
              rows,
              own.toSorted(compareRows).map(({ cells }) => cells),
            );
            assertEnvelope(file, own);
            found = [...found, ...rows];
          }
          assert.equal(found.length, expected.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("of more rows than a row group has, and of many series, give all of them back", async () => {
    const table = newTable();
    const generation = bench.generation();
    const rows = Array.from({ length: 130_000 }, (_, index): WrittenRow => {
      const seen = index % 3 === 0 ? { i: BigInt(index) } : { s: `s${index % 7}` };
      return { time: BigInt(index >> 3), host: `h${index % 2_000}`, f: index / 8, ...seen };
    });
    for (const [position, start] of [0, 50_000, 100_000].entries())
      await table.append(generation, position + 1, 9n, rows.slice(start, start + 50_000));
    const [file, ...others] = await table.persist([table.buffered(generation)]);
    assert.ok(file && others.length === 0);
    const expected = rows.map((one): Stamped => {
      return { cells: NAMES.map((name) => one[name] ?? null), stamp: 9n };
    });
    assert.deepEqual(
      await readFile(table, file),
      expected.toSorted(compareRows).map(({ cells }) => cells),
    );
  });

  test("cannot be made of a damaged block", async () => {
    const table = newTable();
    const bytes = encodeBlock(table.batch([{ time: 1n, f: 1 }]));
    const damaged = bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1);
    const request = {
      tableId: table.id,
      columns: table.columns,
      blocks: [{ stamp: 1n, bytes: damaged }],
      windowNs: 10n,
      rowCountMin: 1,
    };
    const files = bench.engine.writeFiles(request, new AbortController().signal);
    await assert.rejects(Array.fromAsync(files), { kind: "corrupt", code: "block_damaged" });
  });

  test("a writer whose thread ended says so, and starts another", async () => {
    const table = newTable();
    const bytes = encodeBlock(table.batch([{ time: 1n, f: 1 }]));
    const request = {
      tableId: table.id,
      columns: table.columns,
      blocks: [{ stamp: 1n, bytes }],
      windowNs: 10n,
      rowCountMin: 1,
    };
    await using dead = new FileWriter(silentLog, new URL("data:text/javascript,"));
    for (let round = 0; round < 2; round += 1)
      await assert.rejects(dead.write(request), { code: "file_writer_restarted" });
    await using writer = new FileWriter(silentLog);
    assert.equal((await writer.write(request)).length, 1);
    // What it was given is still whole.
    assert.equal((await writer.write(request)).length, 1);
  });
});
