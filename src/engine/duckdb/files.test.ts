import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { Bench } from "../contract/bench.ts";
import { assertSameRows } from "../contract/build.ts";
import { openTestEngine } from "./test-engine.ts";

suite("data files of the engine", () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open(openTestEngine);
  });
  after(() => bench[Symbol.asyncDispose]());

  test("a file bears the names and ids of its columns, sorted rows, and zstd", async () => {
    const table = bench.table({ 'ho"st': "tag", _Order: "string", "it's": "float", empty: "tag" });
    const generation = bench.generation();
    await table.append(generation, 1, 7n, [
      { time: 2n, 'ho"st': "b", _Order: "x" },
      { time: 1n, 'ho"st': "b", "it's": 0.5 },
      { time: 3n },
    ]);
    const [file] = await table.persist([table.buffered(generation)]);
    assert.ok(file);
    const bytes = bench.files.bytes.get(file.key) ?? new Uint8Array();
    const columns = [
      ["time", 0n, "TIMESTAMP_NS"],
      ['ho"st', 1n, "VARCHAR"],
      ["_Order", 2n, "VARCHAR"],
      ["it's", 3n, "DOUBLE"],
      ["_order_2", 2_000_000_000n, "BIGINT"],
    ];
    await withFile(bytes, async (path, read) => {
      assert.deepEqual(
        await read(
          `SELECT name, field_id, duckdb_type FROM parquet_schema('${path}') WHERE field_id IS NOT NULL`,
        ),
        columns,
      );
      assert.deepEqual(
        await read(`SELECT epoch_ns(time), "ho""st", _order_2 FROM read_parquet('${path}')`),
        [
          [3n, null, 7n],
          [1n, "b", 7n],
          [2n, "b", 7n],
        ],
      );
    });
  });

  test("a merged file bears them as well, and each row its own stamp", async () => {
    const table = bench.table({ host: "tag", "it's": "float", seen: "boolean" });
    const blocks = [
      table.block(bench.generation(), 1, (5n << 14n) | 1n, [{ time: 2n, host: "b", "it's": 0.5 }]),
      table.block(bench.generation(), 1, (6n << 14n) | 2n, [{ time: 2n, host: "a", seen: true }]),
    ];
    const files = await table.persistBlocks(blocks);
    const late = [table.block(bench.generation(), 1, (7n << 14n) | 1n, [{ time: 1n, host: "b" }])];
    const inputs = [...files, ...(await table.persistBlocks(late))];
    const [merged] = await table.compact(inputs.map((file) => ({ file, stampAbove: 0n })));
    assert.ok(merged);
    await withFile(bench.files.bytes.get(merged.key) ?? new Uint8Array(), async (path, read) => {
      assert.deepEqual(
        await read(
          `SELECT epoch_ns(time), host, "it's", seen, _order FROM read_parquet('${path}')`,
        ),
        [
          [2n, "a", null, true, (6n << 14n) | 2n],
          [1n, "b", null, null, (7n << 14n) | 1n],
          [2n, "b", 0.5, null, (5n << 14n) | 1n],
        ],
      );
    });
  });

  test("times come back as they were, the outermost as well", async () => {
    const max = 2n ** 63n - 1n;
    const times = [-max - 1n, -max, -max + 1n, -1n, 0n, 1n, max - 1n, max];
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    const rows = times.map((time) => ({ time, f: time }));
    await table.append(generation, 1, 1n, rows);
    const files = await table.persist([table.buffered(generation)]);
    const sources = files.map((file) => ({ kind: "file" as const, file }));
    assertSameRows(
      await table.read(sources),
      times.map((time) => [time, time]),
    );
    for (const [start, end] of [
      [-max, max - 1n],
      [-max + 1n, max],
      [0n, 1n],
      [max, max],
    ] as const) {
      assertSameRows(
        await table.read(sources, { time: { start, end }, columns: ["time"] }),
        times.filter((time) => start <= time && time <= end).map((time) => [time]),
      );
    }
  });

  test("files with other columns and names are read together, by the ids of columns", async () => {
    const table = bench.table({ host: "tag", a: "float", A: "integer" });
    const renamed = { ...table.column("A"), fileName: "a_2" };
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, host: "x", a: 1.5 }]);
    await table.append(generation, 2, 2n, [{ time: 1n, A: 2n }]);
    (table.columns as unknown[])[3] = renamed;
    const files = [
      ...(await table.persist([table.buffered(generation, 0, 1)])),
      ...(await table.persist([table.buffered(generation, 1, 2)])),
    ];
    (table.columns as unknown[])[3] = { ...renamed, fileName: "A" };
    assertSameRows(await table.read(files.map((file) => ({ kind: "file" as const, file }))), [
      [1n, "x", 1.5, null],
      [1n, null, null, 2n],
    ]);
  });

  test("texts of every kind survive the buffer and a file", async () => {
    const texts = [
      "",
      "a",
      "twelve bytes",
      "thirteen byte",
      "a\0b",
      "\0",
      "é".repeat(40),
      "😀'\"\\",
    ];
    const table = bench.table({ t: "tag", s: "string" });
    const generation = bench.generation();
    const rows = texts.map((text, i) => ({ time: BigInt(i), t: text, s: text }));
    await table.append(generation, 1, 1n, rows);
    const expected = texts.map((text, i) => [BigInt(i), text, text]);
    assertSameRows(await table.read([table.buffered(generation)]), expected);
    const files = await table.persist([table.buffered(generation)]);
    const sources = files.map((file) => ({ kind: "file" as const, file }));
    assertSameRows(await table.read(sources), expected);
  });
});

async function withFile(
  bytes: Uint8Array,
  use: (path: string, read: (sql: string) => Promise<unknown[][]>) => Promise<void>,
): Promise<void> {
  const path = join(tmpdir(), `data-file-${process.pid}.parquet`);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    await writeFile(path, bytes);
    await use(path, async (sql) => (await connection.run(sql)).getRows());
  } finally {
    connection.disconnectSync();
    await rm(path, { force: true });
  }
}
