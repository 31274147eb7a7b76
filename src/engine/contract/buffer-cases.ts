/** Appending, seeing and forgetting buffered rows. */
import assert from "node:assert/strict";
import { scheduler } from "node:timers/promises";
import { isKind } from "#base/errors.ts";
import { encodeBlock } from "#block/block.ts";
import type { ColumnId, DatabaseId } from "#model/ids.ts";
import type { ContractCases } from "./bench.ts";
import {
  aggregate,
  ascending,
  assertSameList,
  assertSameRows,
  call,
  grouped,
  input,
  int,
  sorted,
} from "./build.ts";

export const BUFFER_CASES: ContractCases = {
  "rows are seen once their append has resolved": async (bench) => {
    const table = bench.table({ host: "tag", usage: "float" });
    const generation = bench.generation();
    await table.append(generation, 1, 10n, [{ time: 1n, host: "a", usage: 0.5 }]);
    await table.append(generation, 5, 20n, [{ time: 2n, host: "b", usage: 1.5 }]);
    assertSameRows(await table.read([table.buffered(generation)]), [
      [1n, "a", 0.5],
      [2n, "b", 1.5],
    ]);
  },

  "a block that comes again is passed over": async (bench) => {
    const table = bench.table({ count: "integer" });
    const generation = bench.generation();
    const blocks = [1, 2, 3].map((position) =>
      table.block(generation, position, BigInt(position), [{ time: BigInt(position), count: 1n }]),
    );
    await bench.engine.append(blocks.slice(0, 2));
    await bench.engine.append(blocks.slice(0, 1));
    await bench.engine.append(blocks);
    const sources = [table.buffered(generation)];
    const plan = grouped(table.scan([{ merge: false, sources }]), [], aggregate("int64", "count"));
    assert.deepEqual(await bench.rows(plan), [[3n]]);
  },

  "positions count within a generation and a table": async (bench) => {
    const [left, right] = [bench.table({ f: "integer" }), bench.table({ f: "integer" })];
    const [old, young] = [bench.generation(), bench.generation()];
    await bench.engine.append([
      left.block(old, 7, 1n, [{ time: 1n, f: 1n }]),
      right.block(old, 7, 1n, [{ time: 2n, f: 2n }]),
      left.block(young, 3, 2n, [{ time: 3n, f: 3n }]),
    ]);
    assert.deepEqual(await left.read([left.buffered(old)]), [[1n, 1n]]);
    assert.deepEqual(await right.read([right.buffered(old)]), [[2n, 2n]]);
    assert.deepEqual(await left.read([left.buffered(young)]), [[3n, 3n]]);
  },

  "a question asked again gives all its rows, however many it gave before": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    const rows = Array.from({ length: 9_000 }, (_, i) => ({ time: BigInt(i), f: BigInt(i) }));
    await table.append(generation, 1, 1n, rows);
    const groups = [{ merge: false, sources: [table.buffered(generation)] }];
    const scan = table.scan(groups, { columns: ["f"] });
    for (const count of [10, 8_192, 8_193, 30]) {
      const predicate = call("boolean", "less", input(0, "int64"), int(count));
      const fewer = { kind: "filter", input: scan, predicate, fields: scan.fields } as const;
      assertSameList(
        await bench.rows(sorted(fewer, ascending(input(0, "int64")))),
        rows.slice(0, count).map(({ f }) => [f]),
      );
    }
  },

  "rows that the engine never had are not taken for none": async (bench) => {
    const [table, other] = [bench.table({ f: "integer" }), bench.table({ f: "integer" })];
    const [generation, dropped] = [bench.generation(), bench.generation()];
    await table.append(generation, 1, 1n, [{ time: 1n, f: 1n }]);
    await table.append(dropped, 1, 1n, [{ time: 1n, f: 1n }]);
    await bench.engine.dropGeneration(dropped);
    const missing = { kind: "internal", code: "buffer_missing" };
    const known = table.buffered(generation);
    await assert.rejects(other.read([other.buffered(generation)]), missing);
    await assert.rejects(table.read([known, table.buffered(dropped)]), missing);
  },

  "a block may have a text of its own in each of very many rows": async (bench) => {
    const table = bench.table({ host: "tag", s: "string" });
    const generation = bench.generation();
    const count = 150_000;
    const texts = Array.from({ length: count }, (_, i) => `text ${i}`);
    const codes = Uint32Array.from(texts, (_, i) => i + 1);
    const bytes = encodeBlock({
      databaseId: 3 as DatabaseId,
      tableId: table.id,
      times: BigInt64Array.from(texts, (_, i) => BigInt(i)),
      columns: [
        { id: 1 as ColumnId, data: { kind: "tag", codes, dictionary: texts } },
        { id: 2 as ColumnId, data: { kind: "string", codes, dictionary: texts } },
      ],
    });
    const block = { generation, tableId: table.id, position: 1, stamp: 1n, bytes };
    await bench.engine.append([block]);
    const [file, ...others] = await table.persistBlocks([block]);
    assert.ok(file && others.length === 0);
    for (const source of [table.buffered(generation), { kind: "file", file } as const]) {
      const options = { time: { start: 149_998n, end: 149_999n } };
      assertSameRows(await table.read([source], options), [
        [149_998n, "text 149998", "text 149998"],
        [149_999n, "text 149999", "text 149999"],
      ]);
    }
  },

  "a source gives the positions above one and up to another": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    for (const position of [1, 2, 4, 8]) {
      await table.append(generation, position, 1n, [{ time: BigInt(position), f: 0n }]);
    }
    const cases = [
      { above: 0, max: 8, times: [1n, 2n, 4n, 8n] },
      { above: 1, max: 4, times: [2n, 4n] },
      { above: 4, max: 7, times: [] },
      { above: 7, max: 100, times: [8n] },
    ];
    for (const { above, max, times } of cases) {
      const rows = await table.read([table.buffered(generation, above, max)], {
        columns: ["time"],
      });
      assertSameRows(
        rows,
        times.map((time) => [time]),
      );
    }
  },

  "a generation that is dropped is forgotten, the others stay": async (bench) => {
    const table = bench.table({ f: "integer" });
    const [old, young] = [bench.generation(), bench.generation()];
    await table.append(old, 1, 1n, [{ time: 1n, f: 1n }]);
    await table.append(young, 2, 2n, [{ time: 2n, f: 2n }]);
    await bench.engine.dropGeneration(old);
    await bench.engine.dropGeneration(old);
    assert.deepEqual(await table.read([table.buffered(young)]), [[2n, 2n]]);
  },

  "columns may come later, or never": async (bench) => {
    const table = bench.table({ host: "tag", a: "float", b: "string", c: "boolean" });
    const generation = bench.generation();
    await table.append(generation, 1, 1n, [{ time: 1n, a: 1 }]);
    await table.append(generation, 2, 2n, [{ time: 2n, host: "x", b: "y" }]);
    assertSameRows(await table.read([table.buffered(generation)]), [
      [1n, null, 1, null, null],
      [2n, "x", null, "y", null],
    ]);
  },

  "the size of the buffer rises with rows and falls with generations": async (bench) => {
    const table = bench.table({ f: "integer" });
    const generation = bench.generation();
    const before = bench.engine.bufferSizeBytes();
    const rows = Array.from({ length: 50_000 }, (_, i) => ({
      time: BigInt(i * i),
      f: BigInt(i),
    }));
    await table.append(generation, 1, 1n, rows);
    assert.ok(bench.engine.bufferSizeBytes() > before);
    await bench.engine.dropGeneration(generation);
    for (let i = 0; i < 500 && bench.engine.bufferSizeBytes() > before; i += 1)
      await scheduler.wait(10);
    assert.ok(bench.engine.bufferSizeBytes() <= before);
  },

  "a damaged block is refused": async (bench) => {
    const table = bench.table({ f: "integer" });
    const block = table.block(bench.generation(), 1, 1n, [{ time: 1n, f: 1n }]);
    block.bytes[20] = (block.bytes[20] ?? 0) ^ 1;
    await assert.rejects(bench.engine.append([block]), (error) => isKind(error, "corrupt"));
    await assert.rejects(table.read([table.buffered(block.generation)]), {
      code: "buffer_missing",
    });
  },
};
