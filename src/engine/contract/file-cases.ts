/** Buffered rows written as data files, and what is read back. */
import assert from "node:assert/strict";
import type { DataFile } from "#model/data-file.ts";
import type { Bench, ContractCases } from "./bench.ts";
import { assertSameRows } from "./build.ts";

const fileSource = (file: DataFile) => ({ kind: "file" as const, file });

/** A file of one row, its bytes, and the table and generation it was written from. */
async function persisted(bench: Bench) {
  const table = bench.table({ host: "tag", f: "integer" });
  const generation = bench.generation();
  await table.append(generation, 1, 1n, [{ time: 1n, host: "a", f: 1n }]);
  const [file] = await table.persist([table.buffered(generation)]);
  assert.ok(file);
  return { table, generation, file, bytes: bench.files.bytes.get(file.key) ?? new Uint8Array() };
}

export const FILE_CASES: ContractCases = {
  "no rows make no file": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, f: 1n }]);
    assert.deepEqual(await table.persist([table.buffered(generation, 1)]), []);
    assert.deepEqual(await table.persist([]), []);
  },

  "a request for files that lacks a column of the rows is refused": async (bench) => {
    const { table, generation } = await persisted(bench);
    const request = {
      tableId: table.id,
      columns: table.columns.slice(0, -1),
      blocks: table.blocksOf([table.buffered(generation)]),
      windowNs: 10n,
      rowCountMin: 1,
    };
    const files = bench.engine.writeFiles(request, new AbortController().signal);
    await assert.rejects(Array.fromAsync(files), { kind: "internal", code: "assertion_failed" });
  },

  "a file says what it holds, and gives it back": async (bench) => {
    const table = bench.table({
      host: "tag",
      never: "tag",
      f: "integer",
      g: "float",
      h: "string",
    });
    const generation = bench.generation();
    await table.append(generation, 1, 30n, [
      { time: 5n, host: "b", f: 1n },
      { time: -7n, host: "a", h: "x" },
    ]);
    await table.append(generation, 2, 20n, [{ time: 9n, f: -3n }]);
    const files = await table.persist([table.buffered(generation)], { windowNs: 100n });
    const [past, future] = files;
    assert.ok(past && future && files.length === 2);
    assert.deepEqual(described(past), {
      rowCount: 1,
      time: { start: -7n, end: -7n },
      stampMin: 30n,
      stampMax: 30n,
      unique: true,
      columnIds: [0, 1, 5],
    });
    assert.deepEqual(described(future), {
      rowCount: 2,
      time: { start: 5n, end: 9n },
      stampMin: 20n,
      stampMax: 30n,
      unique: true,
      columnIds: [0, 1, 3],
    });
    await bench.engine.dropGeneration(generation);
    assertSameRows(await table.read(files.map(fileSource)), [
      [5n, "b", null, 1n, null, null],
      [-7n, "a", null, null, null, "x"],
      [9n, null, null, -3n, null, null],
    ]);
  },

  "windows are aligned to the epoch, before it as well": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    const times = [-21n, -20n, -11n, -10n, -1n, 0n, 9n, 10n, 20n];
    await table.append(
      generation,
      1,
      1n,
      times.map((time) => ({ time, f: time })),
    );
    const files = await table.persist([table.buffered(generation)], { windowNs: 10n });
    assert.deepEqual(
      files.map(({ time }) => time).toSorted((a, b) => Number(a.start - b.start)),
      [
        { start: -21n, end: -21n },
        { start: -20n, end: -11n },
        { start: -10n, end: -1n },
        { start: 0n, end: 9n },
        { start: 10n, end: 10n },
        { start: 20n, end: 20n },
      ],
    );
  },

  "only the named positions are written": async (bench) => {
    const table = bench.table({ f: "integer" });
    const [left, right] = [bench.generation(), bench.generation()];
    for (const position of [1, 2, 3]) {
      await table.append(left, position, 1n, [{ time: BigInt(position), f: 0n }]);
      await table.append(right, position, 1n, [{ time: BigInt(10 + position), f: 0n }]);
    }
    const files = await table.persist([table.buffered(left, 1, 2), table.buffered(right, 2)]);
    assertSameRows(await table.read(files.map(fileSource), { columns: ["time"] }), [[2n], [13n]]);
  },

  "rows are in order of tags and time": async (bench) => {
    const table = bench.table({ b: "tag", a: "tag", f: "integer" });
    const generation = bench.generation();
    // U+FF5E is below U+1F600, though not in UTF-16.
    const tags = [null, "", "A", "a", "é", "～", "😀"];
    const rows = tags.flatMap((b) =>
      [null, "y", "x"].flatMap((a) => [3n, 1n].map((time) => ({ time, b, a, f: 1n }))),
    );
    await table.append(generation, 1, 1n, rows.toReversed());
    const [file] = await table.persist([table.buffered(generation)]);
    assert.ok(file);
    const expected = tags.flatMap((b) =>
      [null, "x", "y"].flatMap((a) => [1n, 3n].map((time) => [b, a, time])),
    );
    const scan = table.scan([{ merge: false, sources: [fileSource(file)] }], {
      columns: ["b", "a", "time"],
    });
    assert.deepEqual(await bench.rows(scan), expected);
  },

  "windows with few rows share a file of a wider window, others have their own, and none lies within another":
    async (bench) => {
      const table = bench.table({ f: "integer" });
      const generation = bench.generation();
      const minute = 60_000_000_000n;
      const times = [
        // Few rows in each of many windows of ten minutes, and many in one between them.
        ...Array.from({ length: 50 }, (_, i) => BigInt(i) * 20n * minute - 100n * minute),
        ...Array.from({ length: 40 }, (_, i) => 410n * minute + BigInt(i)),
      ];
      await table.append(
        generation,
        1,
        1n,
        times.map((time) => ({ time, f: time })),
      );
      const options = { windowNs: 10n * minute, rowCountMin: 20 };
      const files = await table.persist([table.buffered(generation)], options);
      assert.ok(files.length >= 3 && files.length <= 7, `${files.length} files`);
      const rising = files.toSorted((a, b) => Number(a.time.start - b.time.start));
      for (const [place, { time }] of rising.entries())
        assert.ok(place === 0 || time.start > (rising[place - 1]?.time.end ?? 0n), "they overlap");
      const own = files.find(({ time }) => time.start === 410n * minute);
      assert.equal(own?.rowCount, 40);
      assertSameRows(
        await table.read(files.map(fileSource), { columns: ["time"] }),
        times.map((time) => [time]),
      );
    },

  "a file is unique where no two rows have one series and time; every row is kept": async (
    bench,
  ) => {
    const cases = [
      { rows: [{ time: 1n }, { time: 2n }], unique: true },
      {
        rows: [
          { time: 1n, a: "x" },
          { time: 1n, b: "x" },
        ],
        unique: true,
      },
      { rows: [{ time: 1n, a: "" }, { time: 1n }], unique: true },
      {
        rows: [
          { time: 1n, a: "x" },
          { time: 1n, a: "x" },
        ],
        unique: false,
      },
      { rows: [{ time: 1n }, { time: 1n }], unique: false },
    ];
    for (const { rows, unique } of cases) {
      const table = bench.table({ a: "tag", b: "tag", f: "integer" });
      const generation = bench.generation();
      for (const [i, row] of rows.entries()) {
        await table.append(generation, i + 1, BigInt(i + 1), [{ ...row, f: 1n }]);
      }
      const [file, ...others] = await table.persist([table.buffered(generation)]);
      assert.ok(file && others.length === 0);
      assert.deepEqual([file.unique, file.rowCount], [unique, 2]);
      const apart = await bench.rows(table.scan([{ merge: false, sources: [fileSource(file)] }]));
      assert.equal(apart.length, 2);
    }
  },

  "a file that is gone is named as vanished": async (bench) => {
    const { table, file } = await persisted(bench);
    bench.files.bytes.delete(file.key);
    await assert.rejects(table.read([fileSource(file)]), {
      kind: "not_found",
      code: "file_vanished",
      message: new RegExp(file.key),
    });
  },

  "a file that is not what was written is named as damaged": async (bench) => {
    const { table, file, bytes } = await persisted(bench);
    const flipped = [0, 5, bytes.length >> 1, bytes.length - 9, bytes.length - 1].map((i) =>
      bytes.with(i, (bytes[i] ?? 0) ^ 4),
    );
    const cut = [bytes.subarray(1), bytes.subarray(0, -1), new Uint8Array()];
    for (const wrong of [...flipped, ...cut]) {
      bench.files.bytes.set(file.key, wrong);
      await assert.rejects(table.read([fileSource(file)]), {
        kind: "corrupt",
        code: "file_damaged",
      });
    }
  },

  "writing files ends with its signal": async (bench) => {
    const { table, generation } = await persisted(bench);
    const reason = new Error("enough");
    const request = {
      tableId: table.id,
      columns: table.columns,
      blocks: table.blocksOf([table.buffered(generation)]),
      windowNs: 10n,
      rowCountMin: 1,
    };
    const files = bench.engine.writeFiles(request, AbortSignal.abort(reason));
    await assert.rejects(Array.fromAsync(files), (error) => error === reason);
  },
};

function described({ rowCount, time, stampMin, stampMax, unique, columnIds }: DataFile) {
  return {
    rowCount,
    time,
    stampMin,
    stampMax,
    unique,
    columnIds: [...columnIds].toSorted((a, b) => a - b),
  };
}
