import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import type { ManifestFile } from "#manifest/manifest-file.ts";
import type { DataFile } from "#model/data-file.ts";
import type { NodeNumber } from "#model/ids.ts";
import { nextStamp, STAMP_NONE, timeOfStamp } from "#model/stamp.ts";
import { hull, overlaps, type TimeRange } from "#model/time-range.ts";
import { generationOf, generationsOf, windowOf } from "./generations.ts";
import { type CompactionPlan, type PlanSettings, planCompaction } from "./plan.ts";

const MINUTE = 60_000_000_000n;
const GENERATIONS = generationsOf(20 * 60_000, [3, 4, 6, 5]);
/** A row of the files here has one byte. */
const SETTINGS: PlanSettings = {
  generations: GENERATIONS,
  filesPerPlanMax: 500,
  inputSizeMax: 1_000_000,
  rowLimit: 1_000,
  longRowLimit: 4_000,
};
/** Of the longest window that is named: five days. */
const LENGTH_NAMED = 7_200n * MINUTE;
const LATER = 2n ** 61n;
/** Where plans have two files each, sixty that all overlap take many. */
const ROUNDS_MAX = 2_000;

let keyCount = 0;

/** A file of `rowCount` rows from minute `start` to the last instant before minute `end`. */
function file(start: number, end: number, rowCount = 10): ManifestFile {
  return fileOf({ start: BigInt(start) * MINUTE, end: BigInt(end) * MINUTE - 1n }, rowCount);
}

function fileOf(time: TimeRange, rowCount: number): ManifestFile {
  keyCount += 1;
  const sizes = { rowCount, sizeBytes: rowCount };
  return {
    file: { key: `${keyCount}`, time, ...sizes, stampMax: 0n } as DataFile,
    stampAbove: 0n,
  };
}

function plans(
  files: readonly ManifestFile[],
  some: Partial<PlanSettings> = {},
  times: { nowNs?: bigint; latelyNs?: bigint; keptFromNs?: bigint } = {},
) {
  const { keptFromNs, latelyNs = LATER, nowNs = LATER } = times;
  return planCompaction(files, { ...SETTINGS, ...some }, { nowNs, latelyNs, keptFromNs });
}

function inputs(plan: CompactionPlan | undefined) {
  return plan?.inputs.map((one) => one.file.key).toSorted();
}

function keysOf(...files: readonly ManifestFile[]) {
  return files.map((one) => one.file.key).toSorted();
}

/** Files as an engine would make them of a plan: slices of about equal rows, which lie in the hull of the inputs. */
function carryOut(plan: CompactionPlan): readonly ManifestFile[] {
  if (plan.kind === "expire") return [];
  const rowCount = plan.inputs.reduce((sum, one) => sum + one.file.rowCount, 0);
  const whole = plan.inputs.map((one) => one.file.time).reduce(hull);
  const length = whole.end - whole.start + 1n;
  const wanted = Math.ceil(rowCount / plan.rowCountMax);
  const count = BigInt(wanted) < length ? wanted : Number(length);
  return Array.from({ length: count }, (_, index): ManifestFile => {
    const start = whole.start + (length * BigInt(index)) / BigInt(count);
    const end = whole.start + (length * BigInt(index + 1)) / BigInt(count) - 1n;
    return fileOf({ start, end }, Math.ceil(rowCount / count));
  });
}

/** What plans make of `files` until there is nothing left to do. */
function atRest(files: readonly ManifestFile[], nowNs = LATER): readonly ManifestFile[] {
  let left = files;
  const find = () => plans(left, {}, { nowNs });
  for (let found = find(); found.length > 0; found = find()) {
    const taken = new Set(found.flatMap((plan) => plan.inputs));
    left = [...left.filter((one) => !taken.has(one)), ...found.flatMap(carryOut)];
  }
  return left;
}

/** Of files in order of time. */
function rowCounts(files: readonly ManifestFile[]): readonly number[] {
  const sorted = files.toSorted((a, b) => Number(a.file.time.start - b.file.time.start));
  return sorted.map((one) => one.file.rowCount);
}

function within(inner: TimeRange, outer: TimeRange): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

suite("windows", () => {
  test("nest, are aligned to the epoch, and end with all time", () => {
    const lengths = GENERATIONS.map(({ lengthNs }) => lengthNs && lengthNs / MINUTE);
    assert.deepEqual(lengths.slice(0, 6), [20n, 60n, 240n, 1_440n, 7_200n, 43_200n]);
    assert.equal(lengths.at(-1), undefined);
    const [gen2] = GENERATIONS;
    assert.ok(gen2);
    assert.deepEqual(windowOf({ start: -1n, end: -1n }, gen2), { start: -20n * MINUTE, end: -1n });
    assert.equal(windowOf({ start: -1n, end: 0n }, gen2), undefined);
    assert.equal(generationOf({ start: 0n, end: 50n * MINUTE }, GENERATIONS), 3);
    assert.equal(generationOf({ start: -1n, end: 0n }, GENERATIONS), GENERATIONS.at(-1)?.number);
  });
});

suite("a plan", () => {
  test("takes the files of the shortest window first", () => {
    const [a, b, c] = [file(0, 10), file(10, 20), file(20, 30)];
    const [first, ...others] = plans([a, b, c]);
    assert.deepEqual(inputs(first), keysOf(a, b));
    assert.equal(others.length, 0);
    const [next] = plans([file(0, 20), c]);
    assert.equal(next?.kind === "merge" && next.generation, 3);
  });

  test("leaves alone what has its size and overlaps nothing", () => {
    const files = [file(0, 10, 1_000), file(10, 20, 900), file(20, 25, 1_100)];
    assert.deepEqual(plans(files, {}, { nowNs: LENGTH_NAMED + 1n }), []);
    assert.deepEqual(plans([file(0, 10, 4_000), file(10, 20, 3_900), file(20, 25, 4_100)]), []);
    assert.deepEqual(plans([file(0, 10)]), []);
  });

  test("waits until a window has ended, unless it has many files", () => {
    const nowNs = 15n * MINUTE;
    const files = Array.from({ length: 8 }, (_, i) => file(i, i + 1));
    assert.deepEqual(plans(files.slice(1), {}, { nowNs }), []);
    assert.deepEqual(inputs(plans(files, {}, { nowNs })[0]), keysOf(...files));
    assert.equal(plans(files.slice(1), {}, { nowNs: 20n * MINUTE }).length, 1);
  });

  test("waits while rows of the past are being written, unless there are many files", () => {
    const stampMax = nextStamp(1 as NodeNumber, LATER, STAMP_NONE);
    const writtenNs = timeOfStamp(stampMax);
    const files = Array.from({ length: 8 }, (_, i) => file(i, i + 1));
    const [last] = files;
    assert.ok(last);
    const written = [{ ...last, file: { ...last.file, stampMax } }, ...files.slice(2)];
    assert.deepEqual(plans(written, {}, { latelyNs: writtenNs }), []);
    assert.equal(plans(written, {}, { latelyNs: writtenNs + 1n }).length, 1);
    assert.equal(plans([...written, file(1, 2)], {}, { latelyNs: writtenNs }).length, 1);
  });

  test("takes apart files that overlap, into as many as their rows need", () => {
    const files = [file(0, 20, 800), file(0, 20, 800), file(5, 15, 800)];
    const [plan] = plans(files);
    assert.deepEqual(inputs(plan), keysOf(...files));
    assert.equal(plan?.kind === "merge" && plan.rowCountMax, 1_000);
  });

  test("does not write many rows anew for a few late ones, which wait together", () => {
    const large = file(0, 20, 5_000);
    const late = Array.from({ length: 8 }, (_, i) => file(2 * i, 2 * i + 1, 2));
    assert.deepEqual(plans([large, ...late.slice(0, 1)]), []);
    assert.deepEqual(inputs(plans([large, ...late])[0]), keysOf(...late));
    const more = file(0, 19, 900);
    assert.deepEqual(inputs(plans([large, ...late, more])[0]), keysOf(large, ...late, more));
  });

  test("has no more files than it may, nor more bytes but for two files, and they come apart", () => {
    const files = Array.from({ length: 20 }, () => file(0, 20, 600));
    for (const { most, count } of [
      { most: { filesPerPlanMax: 6 }, count: 6 },
      { most: { inputSizeMax: 3_599 }, count: 5 },
      { most: { inputSizeMax: 3_600 }, count: 6 },
      { most: { inputSizeMax: 10 }, count: 2 },
    ]) {
      const [plan] = plans(files, most);
      assert.equal(plan?.inputs.length, count);
      assert.ok(plan && carryOut(plan).length <= count);
      assert.equal(plan.kind === "merge" && plan.rowCountMax, 1_000);
    }
  });

  test("takes what is past its retention before all else, unread", () => {
    const [old, half, young] = [file(0, 5), file(4, 12), file(5, 20)];
    const [plan, ...others] = plans([old, half, young], {}, { keptFromNs: 5n * MINUTE });
    assert.equal(plan?.kind, "expire");
    assert.deepEqual(inputs(plan), keysOf(old));
    assert.equal(others.length, 0);
  });

  test("any files come to rest: each plan lies in a window, shares no file, and never leaves more", () => {
    const minute = fc.integer({ min: -3_000, max: 3_000 });
    const length = fc.oneof(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 5_000 }),
    );
    const rows = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 3_000 }));
    const one = fc.tuple(minute, length, rows).map(([start, size, count]) => {
      return file(start, start + size, count);
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 60 }),
        fc.integer({ min: 2, max: 20 }),
        fc.oneof(fc.constant(1_000_000), fc.integer({ min: 1, max: 20_000 })),
        fc.bigInt({ min: -3_000n, max: 9_000n }),
        (start, filesPerPlanMax, inputSizeMax, nowMinutes) => {
          const most = { filesPerPlanMax, inputSizeMax };
          const largest = Math.max(...start.map((some) => some.file.rowCount));
          let files = start;
          let rounds = 0;
          for (;;) {
            const found = plans(files, most, { nowNs: nowMinutes * MINUTE });
            if (found.length === 0) return;
            rounds += found.length;
            assert.ok(rounds < ROUNDS_MAX, "it ends");
            const taken = found.flatMap((plan) => plan.inputs);
            assert.equal(new Set(taken).size, taken.length, "no file is in two plans");
            const made = found.flatMap((plan) => {
              const outputs = carryOut(plan);
              const inputCount = plan.inputs.length;
              assert.ok(inputCount >= 2 && inputCount <= filesPerPlanMax);
              const sizeBytes = plan.inputs.reduce((sum, input) => sum + input.file.sizeBytes, 0);
              assert.ok(inputCount === 2 || sizeBytes <= inputSizeMax, "no more bytes than it may");
              assert.ok(outputs.length <= inputCount, "no more files than before");
              assert.ok(plan.kind === "merge");
              for (const output of [...outputs, ...plan.inputs])
                assert.ok(within(output.file.time, plan.window), "all lies in the window");
              const isLong = plan.window.end - plan.window.start > LENGTH_NAMED;
              const rowCountMax = Math.max(isLong ? 4_000 : 1_000, largest);
              for (const output of outputs)
                assert.ok(output.file.rowCount <= rowCountMax, "no file grows beyond its limit");
              return outputs;
            });
            files = [...files.filter((left) => !taken.includes(left)), ...made];
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of long history there are few files, larger than those of days", () => {
    const days = Array.from({ length: 1_825 }, (_, day) => {
      return file(1_440 * day, 1_440 * (day + 1), 240);
    });
    const young = atRest(days.slice(0, 25), 36_000n * MINUTE + 1n);
    const few = Array.from({ length: 5 }, () => [960, 240]).flat();
    assert.deepEqual(rowCounts(young), few, "a month that has not ended is as its days made it");
    assert.deepEqual(rowCounts(atRest(days.slice(0, 30))), [3_600, 3_600]);
    const files = atRest(days);
    assert.ok(files.length <= 125, `${files.length} files of 438,000 rows`);
    for (const { file: one } of files) assert.ok(one.rowCount <= 4_000);
  });

  test("leaves files of one window at rest that overlap little", () => {
    // A hundred files that all overlap, as nodes and late rows make them: in the end, no two have an instant in common.
    const files = atRest(
      Array.from({ length: 100 }, () => file(0, 20, 100)),
      30n * MINUTE,
    );
    assert.equal(files.length, 10);
    for (const [index, one] of files.entries())
      for (const other of files.slice(index + 1))
        assert.ok(!overlaps(one.file.time, other.file.time));
  });

  test("takes apart a thousand full files by thirty-two, each about twice", () => {
    let files: readonly ManifestFile[] = Array.from({ length: 1_000 }, () => file(0, 20, 1_000));
    const most = { inputSizeMax: 32_000 };
    let writtenCount = 0;
    for (let found = plans(files, most); found.length > 0; found = plans(files, most)) {
      const taken = new Set(found.flatMap((plan) => plan.inputs));
      const made = found.flatMap(carryOut);
      writtenCount += made.length;
      files = [...files.filter((left) => !taken.has(left)), ...made];
    }
    assert.ok(writtenCount <= 3_000, `${writtenCount} files were written`);
    for (const [index, one] of files.entries())
      for (const other of files.slice(index + 1))
        assert.ok(!overlaps(one.file.time, other.file.time));
  });
});
