/** Which rows a scan gives, and which values win. */
import assert from "node:assert/strict";
import type { TimeRange } from "#model/time-range.ts";
import type { Bench, ContractCases } from "./bench.ts";
import { assertSameRows, call, input, int, text, time } from "./build.ts";

/** A table whose rows of one key lie in a file and in two buffers, not in the order of their stamps. */
async function spreadOut(bench: Bench) {
  const table = bench.table({ host: "tag", a: "integer", b: "string", c: "float" });
  const [filed, left, right] = [bench.generation(), bench.generation(), bench.generation()];
  await table.append(filed, 1, 50n, [{ time: 1n, host: "x", a: 50n, b: "fifty" }]);
  await table.append(filed, 2, 60n, [{ time: 2n, host: "x", a: 60n }]);
  const files = await table.persist([table.buffered(filed)]);
  await table.append(left, 1, 40n, [{ time: 1n, host: "x", a: 40n, c: 0.4 }]);
  await table.append(right, 1, 70n, [
    { time: 1n, host: "x", b: "seventy" },
    { time: 1n, host: "y", a: 70n },
    { time: 1n, a: 71n },
  ]);
  const sources = [
    ...files.map((file) => ({ kind: "file" as const, file })),
    table.buffered(left),
    table.buffered(right),
  ];
  return { table, files, sources, left, right };
}

export const MERGE_CASES: ContractCases = {
  "of each field the newest value wins, wherever it lies": async (bench) => {
    const { table, sources } = await spreadOut(bench);
    const merged = [
      [1n, "x", 50n, "seventy", 0.4],
      [2n, "x", 60n, null, null],
      [1n, "y", 70n, null, null],
      [1n, null, 71n, null, null],
    ];
    assertSameRows(await table.read(sources), merged);
    assertSameRows(await table.read(sources.toReversed()), merged);
  },

  "a group gives rows of the times it names alone, merged or not": async (bench) => {
    const table = bench.table({ f: "integer" });
    const [filed, buffered] = [bench.generation(), bench.generation()];
    const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];
    const times = [min, -max, -1n, 0n, 1n, 2n, 3n, max];
    const rows = times.map((instant) => ({ time: instant, f: instant }));
    await table.append(filed, 1, 1n, rows);
    await table.append(buffered, 1, 2n, rows);
    const files = await table.persist([table.buffered(filed)]);
    const fromFiles = files.map((file) => ({ kind: "file" as const, file }));
    const fromBuffer = [table.buffered(buffered)];
    const cases: readonly (readonly TimeRange[])[] = [
      [{ start: min, end: min }],
      [
        { start: min, end: -1n },
        { start: 1n, end: 2n },
      ],
      [
        { start: 0n, end: 0n },
        { start: 3n, end: max },
      ],
      [{ start: min, end: max }],
      [{ start: 4n, end: 5n }],
    ];
    for (const named of cases) {
      const expected = times.filter((instant) =>
        named.some(({ start, end }) => start <= instant && instant <= end),
      );
      const groups = [
        { merge: true, sources: [...fromFiles, ...fromBuffer], times: named },
        { merge: false, sources: fromFiles, times: named },
        { merge: false, sources: fromBuffer, times: named },
      ];
      for (const group of groups) {
        const found = await bench.rows(table.scan([group], { columns: ["time"] }));
        assertSameRows(
          found,
          expected.map((instant) => [instant]),
        );
      }
    }
  },

  "rows merge by all tags, though few columns are asked for": async (bench) => {
    const { table, sources } = await spreadOut(bench);
    const columns = ["a"];
    const values = [[50n], [60n], [70n], [71n]];
    assertSameRows(await table.read(sources, { columns }), values);
  },

  "tags that look alike side by side are of different series": async (bench) => {
    const table = bench.table({ a: "tag", b: "tag", f: "integer" });
    const generation = bench.generation();
    const series = [
      ["x,y", ""],
      ["x", "y,"],
      ["", "x,y"],
      ["x,y", null],
      [null, "x,y"],
      ["null", null],
      [null, "null"],
      ["1:x", "y"],
    ];
    const rows = series.map(([a = null, b = null]) => ({ time: 1n, a, b, f: 1n }));
    await table.append(generation, 1, 1n, rows);
    const columns = ["a", "b"];
    const read = await table.read([table.buffered(generation)], { columns });
    assertSameRows(
      read,
      rows.map(({ a, b }) => [a, b]),
    );
  },

  "a row is there though none of the columns asked for has a value": async (bench) => {
    const { table, sources } = await spreadOut(bench);
    const rows = await table.read(sources, { columns: ["c"] });
    assertSameRows(rows, [[0.4], [null], [null], [null]]);
    assertSameRows(await table.read(sources, { columns: ["time"] }), [[1n], [1n], [1n], [2n]]);
  },

  "a group that needs no merge is given as it is": async (bench) => {
    const { table, sources } = await spreadOut(bench);
    const apart = await bench.rows(table.scan([{ merge: false, sources }], { columns: ["a"] }));
    assertSameRows(apart, [[40n], [50n], [60n], [70n], [71n], [null]]);
    const groups = sources.map((source) => ({ merge: true, sources: [source] }));
    assertSameRows(await bench.rows(table.scan(groups, { columns: ["a"] })), apart);
  },

  "of a file only rows above a stamp are given": async (bench) => {
    const { table, files } = await spreadOut(bench);
    const [file] = files;
    assert.ok(file);
    const cases = [
      { stampAbove: 49n, times: [1n, 2n] },
      { stampAbove: 50n, times: [2n] },
      { stampAbove: 60n, times: [] },
    ];
    for (const { stampAbove, times } of cases) {
      const source = { kind: "file" as const, file, stampAbove };
      const rows = await table.read([source], { columns: ["time"] });
      assertSameRows(
        rows,
        times.map((one) => [one]),
      );
    }
  },

  "no sources, and sources without rows, give no rows": async (bench) => {
    const table = bench.table({ host: "tag", f: "float" });
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, host: "a", f: 1 }]);
    for (const merge of [true, false]) {
      assert.deepEqual(await bench.rows(table.scan([])), []);
      assert.deepEqual(await bench.rows(table.scan([{ merge, sources: [] }])), []);
      const sources = [table.buffered(generation, 1)];
      assert.deepEqual(await bench.rows(table.scan([{ merge, sources }])), []);
    }
  },

  "the range of time holds both its ends": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    const times = [-5n, 0n, 5n, 6n];
    await table.append(
      generation,
      1,
      1n,
      times.map((one) => ({ time: one, f: 1n })),
    );
    const files = await table.persist([table.buffered(generation)]);
    const sources = [
      [table.buffered(generation)],
      files.map((file) => ({ kind: "file" as const, file })),
    ];
    for (const some of sources) {
      const range = { time: { start: -5n, end: 5n }, columns: ["time"] };
      assertSameRows(await table.read(some, range), [[-5n], [0n], [5n]]);
    }
  },

  "a predicate of time and tags holds for the rows given, and NULL is not true": async (bench) => {
    const { table, sources } = await spreadOut(bench);
    const predicate = call(
      "boolean",
      "and",
      call("boolean", "not_equal", input(1, "string"), text("y")),
      call("boolean", "less", input(2, "timestamp"), time(2n)),
    );
    const columns = ["a", "host", "time"];
    assertSameRows(await table.read(sources, { columns, predicate }), [[50n, "x", 1n]]);
    const unnamed = call("boolean", "is_null", input(0, "string"));
    const rows = await table.read(sources, { columns: ["host", "a"], predicate: unnamed });
    assertSameRows(rows, [[null, 71n]]);
  },

  "a filter of a field sees merged rows alone": async (bench) => {
    const { table, sources } = await spreadOut(bench);
    const scan = table.scan([{ merge: true, sources }], { columns: ["a"] });
    const predicate = call("boolean", "less", input(0, "int64"), int(50));
    const filter = { kind: "filter" as const, fields: scan.fields, input: scan, predicate };
    assert.deepEqual(await bench.rows(filter), []);
  },

  "false, zero and the empty text are values that win": async (bench) => {
    const table = bench.table({
      s: "string",
      b: "boolean",
      f: "float",
      i: "integer",
      u: "uinteger",
    });
    const [old, young] = [bench.generation(), bench.generation()];
    await table.append(old, 1, 1n, [{ time: 1n, s: "x", b: true, f: 1, i: 1n, u: 1n }]);
    await table.append(young, 1, 2n, [{ time: 1n, s: "", b: false, f: 0, i: 0n, u: 0n }]);
    const sources = [table.buffered(young), table.buffered(old)];
    assertSameRows(await table.read(sources), [[1n, "", false, 0, 0n, 0n]]);
  },

  "stamps of 63 bits are told apart": async (bench) => {
    const table = bench.table({ i: "integer" });
    const generation = bench.generation();
    const stamp = 2n ** 63n - 1n;
    await table.append(generation, 1, stamp, [{ time: 1n, i: 1n }]);
    const files = await table.persist([table.buffered(generation)]);
    const young = bench.generation();
    await table.append(young, 1, stamp - 1n, [{ time: 1n, i: 2n }]);
    const sources = [
      ...files.map((file) => ({ kind: "file" as const, file })),
      table.buffered(young),
    ];
    assert.deepEqual(await table.read(sources), [[1n, 1n]]);
  },
};
