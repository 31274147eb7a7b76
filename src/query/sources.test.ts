import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { encodeBlock } from "#block/block.ts";
import { Buffer } from "#buffer/buffer.ts";
import { EMPTY_CATALOG, newTable } from "#catalog/catalog-state.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { manifestMachine } from "#manifest/manifest-state.ts";
import type { DatabaseId, NodeNumber } from "#model/ids.ts";
import type { ScanSource, SourceGroup } from "#model/plan.ts";
import { ALL_TIME, intersection, overlaps, type TimeRange } from "#model/time-range.ts";
import { nodeLogMachine } from "#nodelog/node-log-state.ts";
import { fileOf } from "#testing/node-logs.ts";
import { View } from "#view/view.ts";
import { sourceGroups } from "./sources.ts";

const NODE = 1 as NodeNumber;
const DATABASE = 1 as DatabaseId;
const TABLE = newTable({ id: fileOf("").tableId, databaseId: DATABASE, name: "m" }, []);

interface GivenFile {
  readonly time: TimeRange;
  readonly unique: boolean;
  /** What the manifest asks for of the file. */
  readonly stampAbove?: bigint;
}

/** A view of `files`, and of a generation for each list of times. */
async function viewOf(
  files: readonly GivenFile[],
  generations: readonly (readonly bigint[])[] = [],
) {
  const engine = plainEngine({ files: { load: () => Promise.reject(new Error("none")) } });
  const buffer = new Buffer(() => engine).of(NODE);
  for (const [index, times] of generations.entries()) {
    const ids = { databaseId: DATABASE, tableId: TABLE.id };
    const bytes = encodeBlock({ ...ids, times: BigInt64Array.from(times), columns: [] });
    await buffer.add({ position: index + 1, stamp: 1n, blocks: [{ ...ids, bytes }] });
    buffer.closeGeneration();
  }
  const ofTable = files.map(({ time, unique, stampAbove = 0n }, index) => {
    return { file: { ...fileOf(`file${index}`), time, unique }, stampAbove };
  });
  const manifest = { ...manifestMachine.empty, files: new Map([[TABLE.id, ofTable]]) };
  const state = { ...nodeLogMachine.empty, position: generations.length };
  return new View({ catalog: EMPTY_CATALOG, manifest }, [{ node: NODE, state, buffer }], () => {});
}

function nameOf(source: ScanSource): string {
  return source.kind === "file" ? source.file.key : `generation${source.generation - 1}`;
}

function show(groups: readonly SourceGroup[]): readonly string[] {
  return groups.map(
    ({ merge, sources }) => `${merge ? "merge" : "plain"} ${sources.map(nameOf).join(" ")}`,
  );
}

const range = (start: bigint, end: bigint): TimeRange => ({ start, end });

suite("the sources of a table in a view", () => {
  const cases: readonly [
    name: string,
    files: readonly GivenFile[],
    time: TimeRange,
    groups: readonly string[],
  ][] = [
    ["none", [], ALL_TIME, []],
    [
      "one that repeats nothing is read as it is",
      [{ time: range(0n, 9n), unique: true }],
      ALL_TIME,
      ["plain file0"],
    ],
    [
      "one that may repeat is merged",
      [{ time: range(0n, 9n), unique: false }],
      ALL_TIME,
      ["merge file0"],
    ],
    [
      "those without a common instant are apart, in order of time",
      [
        { time: range(10n, 19n), unique: true },
        { time: range(0n, 9n), unique: true },
      ],
      ALL_TIME,
      ["plain file1", "plain file0"],
    ],
    [
      "an instant in common is enough to be merged",
      [
        { time: range(0n, 10n), unique: true },
        { time: range(10n, 19n), unique: true },
      ],
      ALL_TIME,
      ["merge file0 file1"],
    ],
    [
      "one may join two that have nothing in common",
      [
        { time: range(0n, 3n), unique: true },
        { time: range(6n, 9n), unique: true },
        { time: range(2n, 7n), unique: true },
      ],
      ALL_TIME,
      ["merge file0 file2 file1"],
    ],
    [
      "a short one within a long one does not end it",
      [
        { time: range(0n, 9n), unique: true },
        { time: range(1n, 2n), unique: true },
        { time: range(5n, 6n), unique: true },
      ],
      ALL_TIME,
      ["merge file0 file1 file2"],
    ],
    [
      "what overlaps outside the query's time alone is apart",
      [
        { time: range(0n, 10n), unique: true },
        { time: range(8n, 20n), unique: true },
        { time: range(21n, 30n), unique: true },
      ],
      range(11n, 25n),
      ["plain file1", "plain file2"],
    ],
    [
      "both ends of the query's time count",
      [
        { time: range(0n, 5n), unique: true },
        { time: range(9n, 12n), unique: true },
      ],
      range(5n, 9n),
      ["plain file0", "plain file1"],
    ],
  ];
  for (const [name, files, time, groups] of cases) {
    test(name, async () => {
      using view = await viewOf(files);
      assert.deepEqual(show(sourceGroups(view, TABLE, time)), groups);
    });
  }

  test("of a file whose stamps are all above what counts, all rows are read", async () => {
    const time = range(0n, 1n);
    // Its stamps are 1 to 3.
    using view = await viewOf([
      { time, unique: true, stampAbove: 0n },
      { time, unique: true, stampAbove: 1n },
    ]);
    const sources = sourceGroups(view, TABLE, ALL_TIME)[0]?.sources ?? [];
    assert.deepEqual(
      sources.map((source) => source.kind === "file" && source.stampAbove),
      [undefined, 1n],
    );
  });

  test("rows with one time are never in two groups, nothing is lost or read twice, and nothing is merged for nothing", async () => {
    const aTime = fc.bigInt({ min: -8n, max: 8n });
    const aRange = fc
      .tuple(aTime, aTime)
      .map(([a, b]): TimeRange => (a < b ? { start: a, end: b } : { start: b, end: a }));
    const aFile = fc.record({ time: aRange, unique: fc.boolean() });
    const generations = fc.array(fc.array(aTime, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(aFile, { maxLength: 6 }),
        generations,
        aRange,
        async (files, buffered, time) => {
          using view = await viewOf(files, buffered);
          const groups = sourceGroups(view, TABLE, time);
          const times = new Map<string, TimeRange>();
          for (const [index, file] of files.entries()) times.set(`file${index}`, file.time);
          for (const { source, time: all } of view.buffers(TABLE.id))
            times.set(nameOf(source), all);
          const read = groups.flatMap(({ sources }) => sources.map(nameOf));
          const expected = [...times]
            .filter(([, all]) => overlaps(all, time))
            .map(([name]) => name);
          assert.deepEqual(read.toSorted(compareText), expected.toSorted(compareText));
          const clipped = (source: ScanSource) =>
            intersection(times.get(nameOf(source)) ?? ALL_TIME, time) ?? ALL_TIME;
          for (const [index, group] of groups.entries())
            for (const other of groups.slice(index + 1))
              for (const left of group.sources)
                for (const right of other.sources)
                  assert.ok(!overlaps(clipped(left), clipped(right)));
          for (const { merge, sources } of groups)
            assert.equal(merge, sources.length > 1 || !isUnique(sources[0], files, view));
        },
      ),
      { numRuns: 200 },
    );
  });
});

function isUnique(
  source: ScanSource | undefined,
  files: readonly GivenFile[],
  view: View,
): boolean {
  if (source?.kind === "file") return files[Number(nameOf(source).slice(4))]?.unique === true;
  return (
    view.buffers(TABLE.id).find((found) => found.source.generation === source?.generation)
      ?.unique === true
  );
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : 1;
}
