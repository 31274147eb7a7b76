/** Merging of files: what queries answer stays, and files are what they say. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { DataFile } from "#model/data-file.ts";
import type { NodeNumber } from "#model/ids.ts";
import { nextStamp, type OrderStamp } from "#model/stamp.ts";
import { ALL_TIME, overlaps } from "#model/time-range.ts";
import type { CompactRequest } from "#ports/engine.ts";
import type { Bench, BenchTable, ContractCases, WrittenRow } from "./bench.ts";
import { assertSameRows } from "./build.ts";

type Inputs = CompactRequest["files"];

const cell = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 });
const ROW: fc.Arbitrary<WrittenRow> = fc.record({
  time: fc.oneof(
    { weight: 9, arbitrary: fc.bigInt({ min: -6n, max: 20n }) },
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  host: cell(fc.constantFrom("a", "b", "")),
  zone: cell(fc.constantFrom("～", "😀")),
  f: cell(fc.double({ noNaN: true })),
  i: cell(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  u: cell(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  s: cell(fc.string({ maxLength: 4 })),
  b: cell(fc.boolean()),
});
const FLUSH = fc.record({
  node: fc.integer({ min: 1, max: 3 }),
  /** Of several flushes of a node, those of one snapshot share a file. */
  snapshot: fc.integer({ min: 0, max: 2 }),
  rows: fc.array(ROW, { minLength: 1, maxLength: 12 }),
});

function openTable(bench: Bench): BenchTable {
  return bench.table({
    host: "tag",
    f: "float",
    i: "integer",
    zone: "tag",
    u: "uinteger",
    s: "string",
    b: "boolean",
  });
}

function stampOf(node: number, tick: number): OrderStamp {
  return nextStamp(node as NodeNumber, 0n, BigInt(tick) << 22n);
}

/** All merged rows of `files`. */
function read(table: BenchTable, files: Inputs) {
  return table.read(files.map(({ file, stampAbove }) => ({ kind: "file", file, stampAbove })));
}

function whole(files: readonly DataFile[]): Inputs {
  return files.map((file) => ({ file, stampAbove: 0n }));
}

/** A file with `rows` of one flush. */
async function fileOf(
  table: BenchTable,
  stamp: OrderStamp,
  rows: readonly WrittenRow[],
): Promise<DataFile> {
  const block = table.block(1 as never, 1, stamp, rows);
  const [file] = await table.persistBlocks([block]);
  assert.ok(file);
  return file;
}

function keyOf(row: WrittenRow): string {
  return JSON.stringify([`${row.time}`, row["host"], row["zone"]]);
}

/** Files of the snapshots of chance, in each of which rows of one flush differ in series or time. */
async function filesOfChance(
  table: BenchTable,
  flushes: readonly { node: number; snapshot: number; rows: readonly WrittenRow[] }[],
): Promise<Inputs> {
  const stamped = flushes.map(({ node, rows, snapshot }, tick) => {
    const distinct = new Map(rows.map((row) => [keyOf(row), row]));
    const block = table.block(1 as never, 1, stampOf(node, tick), [...distinct.values()]);
    return { block, group: `${node} ${snapshot}` };
  });
  const files: DataFile[] = [];
  for (const some of Map.groupBy(stamped, ({ group }) => group).values())
    files.push(...(await table.persistBlocks(some.map(({ block }) => block))));
  return whole(files);
}

export const COMPACT_CASES: ContractCases = {
  "merged files answer as those they are made of, whatever is in them": async (bench) => {
    const options = fc.record({
      rowCountMax: fc.integer({ min: 1, max: 40 }),
      rowGroupSize: fc.integer({ min: 1, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(FLUSH, { minLength: 1, maxLength: 8 }),
        options,
        fc.integer({ min: 0, max: 8 }),
        async (flushes, form, tickAbove) => {
          const table = openTable(bench);
          const files = await filesOfChance(table, flushes);
          // One file counts from some stamp on, as after a restore.
          const inputs = files.map((input, index) =>
            index === 0 ? { ...input, stampAbove: stampOf(1, tickAbove) } : input,
          );
          const before = await read(table, inputs);
          const made = await table.compact(inputs, form);
          assertSameRows(await read(table, whole(made)), before);
          for (const [index, file] of made.entries())
            for (const other of made.slice(index + 1)) {
              assert.ok(!overlaps(file.time, other.time), "files have no instant in common");
              assert.ok(file.time.start < other.time.start, "files rise");
            }
          const again = await table.compact(whole(made), { ...form, rowCountMax: 1_000 });
          assertSameRows(await read(table, whole(again)), before);
        },
      ),
      { numRuns: 60 },
    );
  },

  "what stays above any stamp answers as before: a delete takes no more, and no less": async (
    bench,
  ) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(FLUSH, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 8 }),
        async (flushes, node, tick) => {
          const table = openTable(bench);
          const files = await filesOfChance(table, flushes);
          const made = whole(await table.compact(files));
          const above = (inputs: Inputs) =>
            inputs.map((input) => ({ ...input, stampAbove: stampOf(node, tick) }));
          assertSameRows(await read(table, above(made)), await read(table, above(files)));
        },
      ),
      { numRuns: 40 },
    );
  },

  "rows whose fields newer rows of the node hold go, others stay": async (bench) => {
    const table = openTable(bench);
    const at = { time: 1n, host: "a" };
    const files = [
      await fileOf(table, stampOf(1, 1), [{ ...at, f: 1, i: 1n }]),
      await fileOf(table, stampOf(1, 2), [{ ...at, f: 2 }]),
      await fileOf(table, stampOf(1, 3), [{ ...at, f: 3, s: "x" }]),
      await fileOf(table, stampOf(2, 4), [{ ...at, f: 4, i: 4n, s: "y" }]),
    ];
    const [made, ...more] = await table.compact(whole(files));
    assert.ok(made && more.length === 0);
    // The second has nothing that the third has not; the first has `i`; the last is another node's.
    assert.equal(made.rowCount, 3);
    assert.deepEqual([made.stampMin, made.stampMax], [stampOf(1, 1), stampOf(2, 4)]);
    assert.equal(made.unique, false);
    assertSameRows(await read(table, whole([made])), [[1n, "a", 4, 4n, null, null, "y", null]]);
  },

  "rows of the times that are not asked for are left out, and no file is made of none": async (
    bench,
  ) => {
    const table = openTable(bench);
    const file = await fileOf(
      table,
      stampOf(1, 1),
      [1n, 2n, 3n, 4n].map((time) => ({ time, f: 1 })),
    );
    const [made] = await table.compact(whole([file]), { time: { ...ALL_TIME, start: 3n } });
    assert.deepEqual(made?.time, { start: 3n, end: 4n });
    assert.deepEqual(await table.compact(whole([file]), { time: { ...ALL_TIME, start: 5n } }), []);
    const above = [{ file, stampAbove: stampOf(1, 1) }];
    assert.deepEqual(await table.compact(above), []);
  },

  "files have about as many rows as are asked for, and instants stay together": async (bench) => {
    const table = openTable(bench);
    const files: DataFile[] = [];
    for (let tick = 0; tick < 5; tick += 1) {
      const rows = Array.from({ length: 400 }, (_, i) => ({
        time: BigInt(i >> 1) * 1_000_000_000n,
        host: `${i % 2} ${tick}`,
        f: i,
      }));
      files.push(await fileOf(table, stampOf(1, tick), rows));
    }
    const made = await table.compact(whole(files), { rowCountMax: 500 });
    assert.equal(made.length, 4);
    for (const { rowCount, unique } of made) {
      assert.ok(rowCount >= 400 && rowCount <= 600, `${rowCount} rows`);
      assert.ok(unique);
    }
    const [only, ...more] = await table.compact(whole(files), { rowCountMax: 2_000 });
    assert.deepEqual([only?.rowCount, more.length], [2_000, 0]);
  },

  "columns that files lack, and that no row has, are NULL": async (bench) => {
    const table = openTable(bench);
    const files = [
      await fileOf(table, stampOf(1, 1), [{ time: 1n, f: 1 }]),
      await fileOf(table, stampOf(1, 2), [{ time: 2n, zone: "z", s: "x" }]),
    ];
    const [made] = await table.compact(whole(files));
    assert.ok(made);
    const names = table.columns.filter(({ id }) => made.columnIds.includes(id));
    assert.deepEqual(names.map(({ fileName }) => fileName).toSorted(), ["f", "s", "time", "zone"]);
  },

  "a file that is gone, or damaged, is named": async (bench) => {
    const table = openTable(bench);
    const file = await fileOf(table, stampOf(1, 1), [{ time: 1n, f: 1 }]);
    bench.files.bytes.set(file.key, new Uint8Array(file.sizeBytes));
    await assert.rejects(table.compact(whole([file])), { kind: "corrupt", code: "file_damaged" });
    bench.files.bytes.delete(file.key);
    await assert.rejects(table.compact(whole([file])), { code: "file_vanished" });
  },

  "who leaves or aborts ends the work": async (bench) => {
    const table = openTable(bench);
    const file = await fileOf(
      table,
      stampOf(1, 1),
      [1n, 2n, 3n].map((time) => ({ time, f: 1 })),
    );
    const request: CompactRequest = {
      tableId: table.id,
      columns: table.columns,
      files: whole([file]),
      time: ALL_TIME,
      rowCountMax: 1,
      rowGroupSize: 10,
      zstdLevel: 3,
    };
    const end = new AbortController();
    const reason = new Error("enough");
    await assert.rejects(
      async () => {
        for await (const made of bench.engine.compact(request, end.signal)) {
          assert.equal(made.rowCount, 1);
          end.abort(reason);
        }
      },
      (error) => error === reason,
    );
    assert.equal((await table.compact(whole([file]))).length, 1);
  },
};
