/** Rows that deletes cover: they are left out below the merge, and by a compaction. */
import * as fc from "fast-check";
import type { NodeNumber, RowDeleteId } from "#model/ids.ts";
import type { ScanSource } from "#model/query/plan.ts";
import type { RowDelete, TagCondition } from "#model/row-delete.ts";
import { nextStamp, type OrderStamp } from "#model/stamp.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import type { Bench, BenchTable, ContractCases, WrittenRow } from "../bench.ts";
import { assertSameRows } from "../build.ts";

const TIME = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt({ min: -2n, max: 6n }) },
  fc.constantFrom(TIME_MIN, TIME_MAX),
);
const VALUES = ["a", "b", "", "it's"];
const HOST = fc.option(fc.constantFrom(...VALUES), { freq: 3 });
const ROW = fc.record({
  time: TIME,
  host: HOST,
  zone: fc.option(fc.constantFrom("z", "％"), { freq: 2 }),
  f: fc.option(fc.integer({ min: 0, max: 99 }).map(BigInt), { freq: 3 }),
});
const FLUSH = fc.record({
  node: fc.integer({ min: 1, max: 3 }),
  inFile: fc.boolean(),
  rows: fc.array(ROW, { minLength: 1, maxLength: 10 }),
});

/** A condition by names: `VALUES` of host, and what zone must not be. */
interface Wanted {
  readonly hosts: readonly string[];
  readonly negated: boolean;
  readonly zone: string | undefined;
  readonly either: boolean;
}

const DELETE = fc.record({
  ends: fc.tuple(TIME, TIME),
  cuts: fc.dictionary(fc.constantFrom("1", "2", "3"), fc.integer({ min: 0, max: 8 })),
  wanted: fc.option(
    fc.record({
      hosts: fc.subarray(VALUES),
      negated: fc.boolean(),
      zone: fc.option(fc.constantFrom("z", ""), { nil: undefined }),
      either: fc.boolean(),
    }),
    { nil: undefined },
  ),
});

type Flush = typeof FLUSH extends fc.Arbitrary<infer Value> ? Value : never;
type Given = typeof DELETE extends fc.Arbitrary<infer Value> ? Value : never;

function stampOf(node: number, tick: number): OrderStamp {
  return nextStamp(node as NodeNumber, 0n, BigInt(tick) << 22n);
}

/** What the words of promise 7 say of one row, without the code that engines share. */
function isCovered(given: Given, row: WrittenRow, node: number, tick: number): boolean {
  const cut = given.cuts[String(node)];
  if (cut === undefined || tick > cut) return false;
  const [start, end] = given.ends;
  if (row.time < start || row.time > end) return false;
  if (given.wanted === undefined) return true;
  const { either, hosts, negated, zone } = given.wanted;
  const ofHost = hosts.includes((row["host"] ?? "") as string) !== negated;
  if (zone === undefined) return ofHost;
  const ofZone = (row["zone"] ?? "") !== zone;
  return either ? ofHost || ofZone : ofHost && ofZone;
}

function deleteOf(table: BenchTable, given: Given, index: number): RowDelete {
  const [start, end] = given.ends;
  return {
    id: (index + 1) as RowDeleteId,
    tableId: table.id,
    time: { start, end },
    condition: given.wanted && conditionOf(table, given.wanted),
    cuts: Object.entries(given.cuts).map(([node, tick]) => {
      return { node: Number(node) as NodeNumber, stamp: stampOf(Number(node), tick) };
    }),
    atNs: 0n,
  };
}

function conditionOf(table: BenchTable, { either, hosts, negated, zone }: Wanted): TagCondition {
  const ofTag = (name: string, values: readonly string[], isNot: boolean): TagCondition => {
    return { kind: "in", columnId: table.column(name).id, values, negated: isNot };
  };
  const ofHost = ofTag("host", hosts, negated);
  if (zone === undefined) return ofHost;
  return { kind: either ? "or" : "and", conditions: [ofHost, ofTag("zone", [zone], true)] };
}

/** The rows of each flush, in a file or a buffer of its own. */
async function load(bench: Bench, table: BenchTable, flushes: readonly Flush[]) {
  const sources: ScanSource[] = [];
  for (const [tick, { inFile, node, rows }] of flushes.entries()) {
    if (rows.length === 0) continue;
    const stamp = stampOf(node, tick);
    if (inFile) {
      const files = await table.persistBlocks([table.block(1 as never, 1, stamp, rows)]);
      for (const file of files) sources.push({ kind: "file", file });
    } else {
      const generation = bench.generation();
      await table.append(generation, 1, stamp, rows);
      sources.push(table.buffered(generation));
    }
  }
  return sources;
}

function distinct({ rows, ...flush }: Flush): Flush {
  const byKey = new Map(rows.map((row) => [`${row.time} ${row.host} ${row.zone}`, row]));
  return { ...flush, rows: [...byKey.values()] };
}

const ASKED = fc.record({
  flushes: fc.array(FLUSH, { minLength: 1, maxLength: 6 }),
  given: fc.array(DELETE, { minLength: 1, maxLength: 4 }),
  columns: fc.constantFrom<readonly string[]>(["time", "f"], ["host", "f", "time"], ["f"]),
});

export const DELETE_CASES: ContractCases = {
  "rows that deletes cover are as if they had not been written, merged or not": async (bench) => {
    const property = fc.asyncProperty(ASKED, async ({ columns, flushes, given }) => {
      const kinds = { host: "tag", f: "integer", zone: "tag" } as const;
      const [whole, left] = [bench.table(kinds), bench.table(kinds)];
      const written = flushes.map(distinct);
      const kept = written.map((flush, tick) => ({
        ...flush,
        rows: flush.rows.filter(
          (row) => !given.some((one) => isCovered(one, row, flush.node, tick)),
        ),
      }));
      const deletes = given.map((one, index) => deleteOf(whole, one, index));
      const sources = await load(bench, whole, written);
      const leftSources = await load(bench, left, kept);
      for (const merge of [true, false]) {
        const expected = await bench.rows(
          left.scan([{ merge, sources: leftSources }], { columns }),
        );
        const group = { merge, sources, deletes };
        assertSameRows(await bench.rows(whole.scan([group], { columns })), expected);
      }
      const files = sources.flatMap((source) => (source.kind === "file" ? [source.file] : []));
      const leftFiles = leftSources.filter(({ kind }) => kind === "file");
      if (files.length === 0) return;
      const made = await whole.compact(
        files.map((file) => ({ file, stampAbove: 0n })),
        { deletes },
      );
      const madeSources = made.map((file) => ({ kind: "file" as const, file }));
      assertSameRows(await whole.read(madeSources), await left.read(leftFiles));
    });
    await fc.assert(property, { numRuns: 40 });
  },

  "a thousand deletes are no plan that is too large": async (bench) => {
    const table = bench.table({ host: "tag", f: "integer", zone: "tag" });
    const rows = Array.from({ length: 1_200 }, (_, index) => {
      return { time: BigInt(index), host: `h${index}`, zone: null, f: BigInt(index) };
    });
    const sources = await load(bench, table, [
      { node: 1, inFile: true, rows: rows.slice(0, 900) },
      { node: 1, inFile: false, rows: rows.slice(900) },
    ]);
    const deletes = Array.from({ length: 1_000 }, (_, index): RowDelete => {
      const wanted = { hosts: [`h${index}`], negated: false, zone: undefined, either: false };
      const given = { ends: [0n, 2_000n], cuts: { "1": 9 }, wanted } as Given;
      return deleteOf(table, given, index);
    });
    const scan = table.scan([{ merge: true, sources, deletes }], { columns: ["f"] });
    assertSameRows(
      await bench.rows(scan),
      rows.slice(1_000).map(({ f }) => [f]),
    );
  },
};
