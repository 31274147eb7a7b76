import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { encodeBlock } from "#block/block.ts";
import { Buffer } from "#buffer/buffer.ts";
import { EMPTY_CATALOG, newTable } from "#catalog/catalog-state.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { ManifestFiles } from "#manifest/manifest-files.ts";
import { manifestMachine } from "#manifest/manifest-state.ts";
import type { DatabaseId, NodeNumber, RowDeleteId } from "#model/ids.ts";
import type { ScanSource, SourceGroup } from "#model/query/plan.ts";
import type { RowDelete } from "#model/row-delete.ts";
import { ALL_TIME, overlaps, type TimeRange } from "#model/time-range.ts";
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
  readonly deletesBelow?: RowDeleteId;
}

function deleteOf(id: number, time: TimeRange, stamp: bigint): RowDelete {
  return {
    id: id as RowDeleteId,
    tableId: TABLE.id,
    time,
    cuts: [{ node: NODE, stamp }],
    atNs: 0n,
  };
}

/** Times of the rows of each block of a generation. */
type GivenGeneration = readonly (readonly bigint[])[];

/** A view of `files`, and of the buffer. */
async function viewOf(
  files: readonly GivenFile[],
  generations: readonly GivenGeneration[] = [],
  deletes: readonly RowDelete[] = [],
) {
  const engine = plainEngine({ files: { load: () => Promise.reject(new Error("none")) } });
  const buffer = new Buffer(() => engine).of(NODE);
  let position = 0;
  for (const blocks of generations) {
    for (const times of blocks) {
      const ids = { databaseId: DATABASE, tableId: TABLE.id };
      const bytes = encodeBlock({ ...ids, times: BigInt64Array.from(times), columns: [] });
      position += 1;
      await buffer.add({ position, stamp: 1n, blocks: [{ ...ids, bytes }] });
    }
    buffer.closeGeneration();
  }
  const ofTable = files.map(({ stampAbove = 0n, ...file }, index) => {
    return { file: { ...fileOf(`file${index}`), ...file }, stampAbove };
  });
  const manifest = { ...manifestMachine.empty, files: ManifestFiles.of(ofTable) };
  const state = { ...nodeLogMachine.empty, position };
  const catalog = { ...EMPTY_CATALOG, deletes: new Map([[TABLE.id, deletes]]) };
  return new View({ catalog, manifest }, [{ node: NODE, state, buffer }], () => {});
}

function nameOf(source: ScanSource): string {
  return source.kind === "file" ? source.file.key : `generation${source.generation - 1}`;
}

function show(groups: readonly SourceGroup[]): readonly string[] {
  return groups.map(({ merge, sources, times }) => {
    const within = times?.map(({ start, end }) => `${start}..${end}`).join(",");
    const words = [merge ? "merge" : "plain", ...sources.map(nameOf)];
    return [...words, ...(within === undefined ? [] : [`in ${within}`])].join(" ");
  });
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
      ["merge file0 in 0..9"],
    ],
    [
      "those without a common instant are read as they are, in order of time",
      [
        { time: range(10n, 19n), unique: true },
        { time: range(0n, 9n), unique: true },
      ],
      ALL_TIME,
      ["plain file1 file0"],
    ],
    [
      "an instant in common is merged, and nothing else",
      [
        { time: range(0n, 10n), unique: true },
        { time: range(10n, 19n), unique: true },
      ],
      ALL_TIME,
      ["merge file0 file1 in 10..10", "plain file0 file1 in 0..9,11..19"],
    ],
    [
      "one may meet two that have nothing in common",
      [
        { time: range(0n, 3n), unique: true },
        { time: range(6n, 9n), unique: true },
        { time: range(2n, 7n), unique: true },
      ],
      ALL_TIME,
      ["merge file0 file2 file1 in 2..3,6..7", "plain file0 file2 file1 in 0..1,4..5,8..9"],
    ],
    [
      "a short one within a long one does not end it",
      [
        { time: range(0n, 9n), unique: true },
        { time: range(1n, 2n), unique: true },
        { time: range(5n, 6n), unique: true },
      ],
      ALL_TIME,
      ["merge file0 file1 file2 in 1..2,5..6", "plain file0 in 0..0,3..4,7..9"],
    ],
    [
      "one that may repeat is merged whole, with what it meets",
      [
        { time: range(0n, 9n), unique: true },
        { time: range(8n, 14n), unique: false },
        { time: range(15n, 20n), unique: true },
      ],
      ALL_TIME,
      ["plain file2", "merge file0 file1 in 8..14", "plain file0 in 0..7,15..20"],
    ],
    [
      "what overlaps outside the query's time alone is apart",
      [
        { time: range(0n, 10n), unique: true },
        { time: range(8n, 20n), unique: true },
        { time: range(21n, 30n), unique: true },
      ],
      range(11n, 25n),
      ["plain file1 file2"],
    ],
    [
      "both ends of the query's time count",
      [
        { time: range(0n, 5n), unique: true },
        { time: range(9n, 12n), unique: true },
      ],
      range(5n, 9n),
      ["plain file0 file1"],
    ],
  ];
  for (const [name, files, time, groups] of cases) {
    test(name, async () => {
      using view = await viewOf(files);
      assert.deepEqual(show(sourceGroups(view, TABLE, time)), groups);
    });
  }

  test("a piece of the buffer is merged by itself where no other has rows of its time", async () => {
    const file = { time: range(0n, 5n), unique: true };
    using view = await viewOf([file], [[[5n, 9n], [6n]]]);
    assert.deepEqual(show(sourceGroups(view, TABLE, ALL_TIME)), [
      "merge file0 generation0 in 5..5",
      "merge generation0 in 6..9",
      "plain file0 in 0..4",
    ]);
  });

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

  test("each group names the deletes that may cover rows of it", async () => {
    const known = { time: range(0n, 9n), unique: true };
    using view = await viewOf(
      [known, { ...known, time: range(20n, 29n), deletesBelow: 3 as RowDeleteId }],
      [[[5n]]],
      // Stamp 1 is the first of the node's; none is below.
      [
        deleteOf(1, range(0n, 30n), 1n),
        deleteOf(2, range(6n, 30n), 1n),
        deleteOf(3, range(9n, 9n), 0n),
      ],
    );
    const groups = sourceGroups(view, TABLE, ALL_TIME);
    const named = groups.map((group) => group.deletes?.map(({ id }) => id));
    assert.deepEqual(show(groups), [
      "plain file1",
      "merge file0 generation0 in 5..5",
      "plain file0 in 0..4,6..29",
    ]);
    assert.deepEqual(named, [undefined, [1, 2], [1, 2]]);
    assert.deepEqual(
      sourceGroups(view, TABLE, range(20n, 30n)).map(({ deletes }) => deletes),
      [undefined],
    );
  });

  const aTime = fc.bigInt({ min: -8n, max: 8n });
  const aRange = fc
    .tuple(aTime, aTime)
    .map(([a, b]): TimeRange => (a < b ? { start: a, end: b } : { start: b, end: a }));

  test("each instant of each source is read once, all sources of an instant together, and merged where that is needed", async () => {
    const aFile = fc.record({ time: aRange, unique: fc.boolean() });
    const block = fc.array(aTime, { minLength: 1, maxLength: 4 });
    const generations = fc.array(fc.array(block, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(aFile, { maxLength: 6 }),
        generations,
        aRange,
        async (files, buffered, time) => {
          using view = await viewOf(files, buffered);
          const groups = sourceGroups(view, TABLE, time);
          for (let instant = time.start; instant <= time.end; instant += 1n) {
            const known = sourcesAt(files, view, instant);
            const reading = groups.filter(({ times, sources }) => {
              const named = sources.some((source) => known.has(nameOf(source)));
              return named && holds(times, instant);
            });
            assert.ok(reading.length <= 1);
            const read = (reading[0]?.sources ?? []).map(nameOf).filter((name) => known.has(name));
            assert.deepEqual(read.toSorted(compareText), [...known.keys()].toSorted(compareText));
            if (known.size === 0) continue;
            assert.equal(reading[0]?.merge, known.size > 1 || [...known.values()].includes(false));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("many overlaps make few ranges", async () => {
    const files = Array.from({ length: 100 }, (_, index) => {
      const start = BigInt(index * 10 + (index % 7));
      return { time: range(start, start + 11n), unique: true };
    });
    using view = await viewOf(files);
    const [merged, plain, ...others] = sourceGroups(view, TABLE, ALL_TIME);
    assert.deepEqual([merged?.merge, plain?.merge, others], [true, false, []]);
    assert.equal(merged?.times?.length, 16);
    for (let instant = 0n; instant < 1_010n; instant += 1n) {
      const known = sourcesAt(files, view, instant);
      if (known.size > 1) assert.ok(holds(merged?.times, instant));
      if (known.size > 0)
        assert.notEqual(holds(merged?.times, instant), holds(plain?.times, instant));
    }
  });
});

/** What has rows at `instant`, or may have, and whether it is unique. */
function sourcesAt(
  files: readonly GivenFile[],
  view: View,
  instant: bigint,
): ReadonlyMap<string, boolean> {
  const at = { start: instant, end: instant };
  const all = [
    ...files.map((file, index) => ({ ...file, name: `file${index}` })),
    ...view.buffers(TABLE.id).map(({ source, ...rest }) => ({ ...rest, name: nameOf(source) })),
  ];
  const found = all.filter(({ time }) => overlaps(time, at));
  return new Map(found.map(({ name, unique }) => [name, unique]));
}

function holds(times: readonly TimeRange[] | undefined, instant: bigint): boolean {
  return times?.some(({ start, end }) => start <= instant && instant <= end) ?? true;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : 1;
}
