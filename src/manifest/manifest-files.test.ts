import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import type { RowDeleteId, TableId } from "#model/ids.ts";
import { overlaps } from "#model/time-range.ts";
import { fileOf } from "#testing/node-logs.ts";
import { changedTables } from "./changed-tables.ts";
import { compareFiles, type ManifestFile } from "./manifest-file.ts";
import { ManifestFiles } from "./manifest-files.ts";
import { ManifestPart } from "./manifest-part.ts";

const PART_MAX = 4;

function manifestFile(name: number, tableId = 1, start = name, length = 3): ManifestFile {
  const time = { start: BigInt(start), end: BigInt(start + length) };
  const known = name % 5 === 0 && { deletesBelow: (name + 1) as RowDeleteId };
  const file = { ...fileOf(`file ${name}`, tableId), time, ...known };
  return { file, stampAbove: BigInt(name % 3) };
}

/** Files to add, of a few tables and times, and which of those that are there to take out, by dice. */
const someSteps = fc.array(
  fc.record({
    added: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(40), fc.nat(9)), {
      maxLength: 9,
    }),
    gone: fc.array(fc.nat(1_000), { maxLength: 5 }),
  }),
  { maxLength: 12 },
);

function keysOf(files: Iterable<ManifestFile>): readonly string[] {
  return [...files].map(({ file }) => file.key);
}

/** The files after each step, and the plain list that they must equal. */
function* play(steps: typeof someSteps extends fc.Arbitrary<infer Steps> ? Steps : never) {
  let files = ManifestFiles.of([], PART_MAX);
  let plain: readonly ManifestFile[] = [];
  let name = 0;
  for (const { added, gone } of steps) {
    const more = added.map(([tableId, start, length]) => {
      name += 1;
      return manifestFile(name, tableId, start, length);
    });
    const keys = new Set(gone.flatMap((dice) => plain[dice % plain.length]?.file.key ?? []));
    files = files.without(keys).with(more);
    plain = [...plain.filter(({ file }) => !keys.has(file.key)), ...more].toSorted(compareFiles);
    yield { files, plain };
  }
}

/** The files as they were after some step, and as they are at the end, packed here and there. */
function* playPacked(steps: Parameters<typeof play>[0], packEvery: number) {
  const seen: ReturnType<typeof play> extends Generator<infer Step> ? Step[] : never = [];
  for (const step of play(steps)) {
    for (const [index, part] of step.files.parts.entries())
      if ((index + seen.length) % packEvery === 0) part.pack();
    seen.push(step);
    yield { ...step, seen };
  }
}

/** Packed as they are, as they come from a store. */
function packed(files: ManifestFiles, partMax: number): ManifestFiles {
  const parts = files.parts.map((part) => ManifestPart.ofPacked(part.summary, part.pack()));
  return ManifestFiles.ofParts(parts, partMax);
}

const TABLES = Array.from({ length: 100 }, (_, index) => index + 1);

/** `countOfTable` files of each of `tables`, one beginning at each instant from `start` on. */
function filesAt(tables: readonly number[], start: number, countOfTable: number) {
  return tables.flatMap((tableId) =>
    Array.from({ length: countOfTable }, (_, index) =>
      manifestFile(1_000 * tableId + start + index, tableId, start + index),
    ),
  );
}

function digestsOf({ parts }: ManifestFiles): ReadonlySet<string> {
  return new Set(parts.flatMap(({ packedDigest }) => packedDigest ?? []));
}

/** As compacted files are named, with a nonce that nothing can shorten. */
function compactedKey(name: number): string {
  const nonce = (0x9e3779b97f4a7c15n * BigInt(name + 1)) % 2n ** 64n;
  return `cluster0/data/1/7/2026-11-21/1-3-${nonce.toString(16).padStart(16, "0")}.parquet`;
}

suite("files of the manifest", () => {
  test("are those that were added and not taken out, in order, in parts of a bounded size", () => {
    fc.assert(
      fc.property(someSteps, (steps) => {
        for (const { files, plain } of play(steps)) {
          assert.deepEqual([...files], plain);
          assert.equal(files.count, plain.length);
          for (const { summary } of files.parts)
            assert.ok(summary.count > 0 && summary.count <= PART_MAX);
          for (const [index, { summary }] of files.parts.entries()) {
            const before = files.parts[index - 1]?.summary.count ?? PART_MAX;
            assert.ok(before + summary.count > PART_MAX / 2, "small neighbours are one part");
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("are found by table and time, packed or not", () => {
    fc.assert(
      fc.property(
        someSteps,
        fc.nat(45),
        fc.nat(10),
        fc.nat(3),
        (steps, start, length, packEvery) => {
          const time = { start: BigInt(start), end: BigInt(start + length) };
          for (const { files, plain } of play(steps)) {
            for (const [index, part] of files.parts.entries())
              if (packEvery > 0 && index % packEvery === 0) part.pack();
            assert.deepEqual(files.tableIds(), [...new Set(plain.map(({ file }) => file.tableId))]);
            for (const tableId of [1, 2, 3, 4, 5] as TableId[]) {
              const ofTable = plain.filter(({ file }) => file.tableId === tableId);
              assert.deepEqual(files.ofTable(tableId), ofTable);
              assert.deepEqual(
                files.overlapping(tableId, time),
                ofTable.filter(({ file }) => overlaps(file.time, time)),
              );
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("are found by their keys, and no others, packed or not", () => {
    const files = ManifestFiles.of(
      Array.from({ length: 50 }, (_, name) => manifestFile(name)),
      PART_MAX,
    );
    const wanted = new Set(["file 3", "file 30", "file 49", "file 50", "other"]);
    const found = ["file 3", "file 30", "file 49"];
    assert.deepEqual([...files.find(wanted).keys()], found);
    for (const part of files.parts) part.pack();
    assert.deepEqual([...files.find(wanted).keys()], found);
    assert.equal(files.find(wanted).get("file 30")?.stampAbove, 0n);
    assert.equal(files.find(new Set()).size, 0);
  });

  test("taking out what is not there is a bug", () => {
    const files = ManifestFiles.of([manifestFile(1), manifestFile(2)]);
    assert.throws(() => files.without(new Set(["file 1", "file 3"])), { code: "assertion_failed" });
  });

  test("a change leaves the value before it, and shares all parts that it does not touch", () => {
    const all = Array.from({ length: 100 }, (_, name) => manifestFile(name));
    const before = ManifestFiles.of(all, 10);
    const after = before.without(new Set(["file 55"])).with([manifestFile(100, 1, 5)]);
    assert.deepEqual([...before], all);
    const kept = after.parts.filter((part) => before.parts.includes(part));
    assert.equal(before.parts.length - kept.length, 2);
  });

  test("a table's parts are the same objects while nothing near it changes", () => {
    const tables = [1, 2, 3].flatMap((tableId) =>
      Array.from({ length: 20 }, (_, name) => manifestFile(100 * tableId + name, tableId)),
    );
    const before = ManifestFiles.of(tables, 5);
    const after = before.with([manifestFile(999, 3, 999)]);
    const [first, last] = [1, 3] as TableId[];
    assert.ok(first !== undefined && last !== undefined);
    assert.deepEqual(
      after.partsOf(first).map((part, index) => part === before.partsOf(first)[index]),
      before.partsOf(first).map(() => true),
    );
    assert.notEqual(after.partsOf(last).at(-1), before.partsOf(last).at(-1));
  });

  test("added to packed parts, they are at their places, and parts are packed whole", () => {
    fc.assert(
      fc.property(someSteps, fc.integer({ min: 1, max: 3 }), (steps, packEvery) => {
        for (const { files, plain } of playPacked(steps, packEvery)) {
          assert.deepEqual([...files], plain);
          assert.equal(files.count, plain.length);
          assert.deepEqual([...packed(files, PART_MAX)], plain);
          for (const { files: ofPart, summary } of files.parts) {
            assert.equal(ofPart.length, summary.count);
            assert.ok(summary.count > 0 && summary.count <= 2 * PART_MAX);
            const tables = new Set(ofPart.map(({ file }) => file.tableId));
            assert.deepEqual(summary.tableIds, [...tables]);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a file for each table unpacks few parts, and in time all are cut", () => {
    let files = packed(ManifestFiles.of(filesAt(TABLES, 0, 20), 20), 20);
    for (let round = 20; round < 60; round++) {
      const before = digestsOf(files);
      assert.ok(before.size >= 80);
      files = files.with(filesAt(TABLES, round, 1));
      const unpackedCount = before.difference(digestsOf(files)).size;
      assert.ok(unpackedCount <= 9, `${unpackedCount} of ${before.size} parts were unpacked`);
      const counts = files.parts.map(({ summary }) => summary.count);
      assert.ok(Math.max(...counts) <= 40);
      for (const part of files.parts) if (!part.isPacked) part.pack();
    }
    assert.equal(files.count, 6_000);
    assert.deepEqual([...files], filesAt(TABLES, 0, 60));
  });

  test("a packed part waits to be cut until it has twice its size, however many do", () => {
    const before = packed(ManifestFiles.of(filesAt(TABLES, 0, 20), 20), 20);
    const some = before.with(filesAt(TABLES, 20, 10));
    const waiting = some.parts.filter(({ summary }) => summary.count === 30);
    assert.ok(waiting.length > 30);
    const tables = waiting.flatMap(({ summary }) => summary.tableIds);
    const after = some.with(filesAt(tables, 30, 11));
    const counts = after.parts.map(({ summary }) => summary.count);
    assert.ok(Math.max(...counts) <= 40);
    assert.equal([...after].length, 3_000 + 11 * waiting.length);
  });

  test("the tables whose files have changed between two states are told, packed or not", () => {
    fc.assert(
      fc.property(someSteps, fc.integer({ min: 1, max: 3 }), (steps, packEvery) => {
        for (const { files, plain, seen } of playPacked(steps, packEvery))
          for (const before of seen) {
            const keys = new Set(keysOf(before.plain)).symmetricDifference(new Set(keysOf(plain)));
            const changed = [...before.plain, ...plain].filter(({ file }) => keys.has(file.key));
            const expected = new Set(changed.map(({ file }) => file.tableId));
            assert.deepEqual(changedTables(before.files, files), expected);
          }
      }),
      { numRuns: 60 },
    );
  });

  test("of tables in many packed parts that are others, all count as changed", () => {
    const all = Array.from({ length: 500 }, (_, name) => manifestFile(name, 1 + (name % 5)));
    const before = packed(ManifestFiles.of(all, 4), 4);
    const other = packed(ManifestFiles.of([...all, manifestFile(500, 1)], 5), 5);
    assert.deepEqual(changedTables(before, other), new Set([1, 2, 3, 4, 5]));
    assert.deepEqual(changedTables(before, packed(before, 4)), new Set());
  });

  test("packed, a file takes some forty bytes", () => {
    const files = ManifestFiles.of(
      Array.from({ length: 1_024 }, (_, name) => {
        const one = manifestFile(name, 7, name * 600, 599);
        const checksum = Number((0x9e3779b1n * BigInt(name + 1)) % 2n ** 32n);
        return { ...one, file: { ...one.file, key: compactedKey(name), checksum } };
      }),
    );
    assert.equal(files.parts.length, 1);
    const sizeBytes = files.parts[0]?.pack().bytes.length ?? 0;
    assert.ok(sizeBytes < 45 * files.count, `${sizeBytes}`);
    assert.deepEqual(keysOf(files).slice(0, 2), [compactedKey(0), compactedKey(1)]);
  });
});
