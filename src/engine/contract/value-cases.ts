/** Every kind of column and its edges, through buffer and files; and names, which are never read. */
import assert from "node:assert/strict";
import type { ColumnKind } from "#model/schema.ts";
import type { Cell, ContractCases } from "./bench.ts";
import { aggregate, ascending, assertSameRows, grouped, input, sorted } from "./build.ts";

const TEXTS = [
  null,
  "",
  "a",
  "twelve chars",
  "thirteen char",
  "x".repeat(5000),
  "é",
  "東京タワー",
  "😀😀😀😀",
  'it\'s "quoted" \\ and; -- more',
  "line\nfeed\ttab",
  "nul\0inside",
  "\ufeffmark first",
];
const EDGES: Readonly<Record<Exclude<ColumnKind, "time">, readonly Cell[]>> = {
  tag: TEXTS,
  string: TEXTS,
  float: [null, 0, -0, 1.5, -1e308, 1e308, 5e-324, 2 ** 53 + 2, 0.1 + 0.2, Infinity, -Infinity],
  integer: [null, 0n, 1n, -1n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n],
  uinteger: [null, 0n, 1n, 2n ** 63n, 2n ** 64n - 1n],
  boolean: [null, true, false],
};
/** The first and last nanosecond of the years that a timestamp of 64 bits holds whole. */
const TIMES = [-9_214_560_000_000_000_000n, -1n, 0n, 1n, 9_214_646_399_999_999_999n];
const HOSTILE = ['"; DROP TABLE x; --', "a\0b", "", "select", "naïve 😀", '""', "'"];

export const VALUE_CASES: ContractCases = {
  ...Object.fromEntries(
    Object.entries(EDGES).map(([kind, values]) => [
      `every ${kind} comes back as it was`,
      async (bench) => {
        const table = bench.table({ edge: kind as Exclude<ColumnKind, "time">, other: "integer" });
        const generation = bench.generation();
        const rows = values.map((edge, i) => ({ time: BigInt(i), edge, other: 1n }));
        await table.append(generation, 1, 1n, rows);
        const files = await table.persist([table.buffered(generation)]);
        const expected = values.map((edge, i) => [BigInt(i), edge]);
        const filed = files.map((file) => ({ kind: "file" as const, file }));
        for (const sources of [[table.buffered(generation)], filed]) {
          for (const merge of [true, false]) {
            const scan = table.scan([{ merge, sources }], { columns: ["time", "edge"] });
            const read = await bench.rows(sorted(scan, ascending(input(0, "timestamp"))));
            // Strict: -0 is not 0.
            assert.deepStrictEqual(read, expected);
          }
        }
      },
    ]),
  ),

  "times from 1678 to 2261 come back as they were": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    await table.append(
      generation,
      1,
      1n,
      TIMES.map((time) => ({ time, f: 1n })),
    );
    const files = await table.persist([table.buffered(generation)]);
    assert.ok(files.length > 1, "windows part them");
    const expected = TIMES.map((time) => [time]);
    const filed = files.map((file) => ({ kind: "file" as const, file }));
    assertSameRows(await table.read([table.buffered(generation)], { columns: ["time"] }), expected);
    assertSameRows(await table.read(filed, { columns: ["time"] }), expected);
  },

  "many texts of one column are told apart": async (bench) => {
    const table = bench.table({ host: "tag", f: "integer" });
    const generation = bench.generation();
    const blocks = Array.from({ length: 3 }, (_, block) =>
      Array.from({ length: 1000 }, (_unused, i) => ({
        time: BigInt(block),
        host: `host ${(i * 7 + block * 500) % 1500}`,
        f: 1n,
      })),
    );
    for (const [i, rows] of blocks.entries()) await table.append(generation, i + 1, 1n, rows);
    const scan = table.scan([{ merge: true, sources: [table.buffered(generation)] }]);
    const counts = grouped(scan, [input(1, "string")], aggregate("int64", "count"));
    const expected = new Map<string, bigint>();
    for (const { host } of blocks.flat()) expected.set(host, (expected.get(host) ?? 0n) + 1n);
    assertSameRows(
      await bench.rows(counts),
      [...expected].map(([host, count]) => [host, count]),
    );
  },

  "columns may have any names, and names that differ in case alone": async (bench) => {
    const table = bench.table({
      temp: "tag",
      Temp_1: "integer",
      'quote"d': "float",
      "it's": "string",
      "naïve 😀, (x)": "boolean",
      _order_: "integer",
    });
    const generation = bench.generation();
    const row = {
      temp: "t",
      Temp_1: 1n,
      'quote"d': 2.5,
      "it's": "s",
      "naïve 😀, (x)": true,
      _order_: 6n,
    };
    await table.append(generation, 1, 1n, [{ time: 1n, ...row }]);
    const files = await table.persist([table.buffered(generation)]);
    const filed = files.map((file) => ({ kind: "file" as const, file }));
    const expected = [[1n, "t", 1n, 2.5, "s", true, 6n]];
    assert.deepEqual(await table.read([table.buffered(generation)]), expected);
    assert.deepEqual(await table.read(filed), expected);
  },

  "names of fields are not read: they may be equal, empty or hostile": async (bench) => {
    const table = bench.table({ host: "tag", f: "integer" });
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, host: "a", f: 1n }]);
    const scan = table.scan([{ merge: true, sources: [table.buffered(generation)] }]);
    const named = HOSTILE.map((name) => ({ name, type: "int64" as const }));
    const same = HOSTILE.map(() => ({ name: "time", type: "int64" as const }));
    for (const fields of [named, same]) {
      const hostileScan = {
        ...scan,
        fields: scan.fields.map(({ type }) => ({ name: HOSTILE[0] ?? "", type })),
      };
      const expressions = HOSTILE.map(() => input(2, "int64"));
      const project = { kind: "project" as const, fields, input: hostileScan, expressions };
      const order = { ...sorted(project, ascending(input(6, "int64"))), fields };
      assert.deepEqual(await bench.rows(order), [HOSTILE.map(() => 1n)]);
    }
  },
};
