import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setImmediate as letOthersIn, setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { crc32 } from "#base/crc32.ts";
import { encodeBlock } from "#block/block.ts";
import type { ColumnId, DatabaseId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { BufferTables } from "./buffer-tables.ts";
import { changeFailureOf } from "./failures.ts";

const GENERATION = 1 as GenerationId;
const TABLE = 1 as TableId;
/** For three or four tables of a tag and a field. */
const SMALL_SIZE_MAX = 2 ** 20;
const NAME = { generation: GENERATION, tableId: TABLE };

/** Rows at times `position`, `position + 1` …; each block brings another text of the tag. */
function block(position: number, rowCount = 1, tableId = TABLE): BufferedBlock {
  const times = BigInt64Array.from({ length: rowCount }, (_, row) => BigInt(position + row));
  const codes = new Uint32Array(rowCount).fill(1);
  const bytes = encodeBlock({
    databaseId: 1 as DatabaseId,
    tableId,
    times,
    columns: [
      { id: 1 as ColumnId, data: { kind: "tag", codes, dictionary: [`host${position}`] } },
      { id: 2 as ColumnId, data: { kind: "integer", values: times } },
    ],
  });
  return { ...NAME, tableId, position, stamp: BigInt(position), bytes };
}

async function openTables(nowMs?: () => number) {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const failures: unknown[] = [];
  const clock = { ms: 0, querying: false };
  const tables = await BufferTables.open(instance, {
    onFailure: (error) => failures.push(error),
    nowMs: nowMs ?? (() => clock.ms),
    querying: () => clock.querying,
    sleep,
    smallTablesSizeMax: SMALL_SIZE_MAX,
  });
  const count = async () => {
    const name = tables.find(GENERATION, TABLE)?.name;
    if (name === undefined) return undefined;
    const rows = await connection
      .runAndReadAll(
        `SELECT count(*)::INTEGER, count(DISTINCT value)::INTEGER FROM ${name} JOIN ${name}_d1 ON c1 = code`,
      )
      // Its columns are being made.
      .catch(() => undefined);
    return rows?.getRows()[0];
  };
  return { tables, connection, count, failures, clock };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = AbortSignal.timeout(10_000);
  while (!(await isSo())) {
    end.throwIfAborted();
    await letOthersIn();
  }
}

suite("buffered rows that wait", () => {
  test("are in no table that a query could name, until somebody asks for them", async () => {
    const { tables, count } = await openTables();
    tables.append([block(1), block(2)]);
    assert.equal(await count(), undefined);
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [2, 2]);
    // Later ones wait again, and those that came already do not come twice.
    tables.append([block(2), block(3)]);
    assert.deepEqual(await count(), [2, 2]);
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [3, 3]);
  });

  test("are inserted when they are many, and when their blocks are; nobody waits for it", async () => {
    const { tables, count } = await openTables();
    tables.append([block(1, 200_000)]);
    tables.append([block(200_001)]);
    assert.equal(await count(), undefined);
    await until(async () => (await count())?.[0] === 200_000);
    for (let i = 2; i <= 500; i += 1) tables.append([block(200_000 + i)]);
    await until(async () => (await count())?.[0] === 200_500);
    assert.deepEqual(await count(), [200_500, 501]);
  });

  test("are not inserted for somebody who has left", async () => {
    const { tables, count } = await openTables();
    tables.append([block(1)]);
    await tables.settle([NAME], () => false);
    assert.equal(await count(), undefined);
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [1, 1]);
  });

  test("are inserted although there are queries all the time, and at once where somebody waits", async () => {
    const { tables, count, clock } = await openTables(() => performance.now());
    clock.querying = true;
    tables.append([block(1, 130_000)]);
    await until(async () => (await count())?.[0] === 130_000);
    for (let position = 2; position <= 1_001; position += 1) tables.append([block(position, 100)]);
    const startedMs = performance.now();
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [230_000, 1_001]);
    // In the background it would make way for a long time.
    assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`);
  });

  test("are not inserted for somebody who left while others had their turn", async () => {
    const { tables, count } = await openTables();
    tables.append([block(1, 130_000), block(130_001, 130_000)]);
    let wanted = true;
    const reads = [1, 2].map(() => tables.settle([NAME], () => wanted));
    await letOthersIn();
    wanted = false;
    await Promise.all(reads);
    assert.deepEqual(await count(), [130_000, 1]);
  });

  test("of a bulk load are not inserted for nobody, those that come at a usual rate are", async () => {
    const { tables, count, clock } = await openTables();
    for (let position = 1; position <= 10; position += 1) {
      tables.append([block(position, 100_000)]);
      clock.ms += 100;
    }
    // What had been begun while the load was not yet known as one.
    await until(async () => (await count()) !== undefined);
    tables.append([block(11, 100_000)]);
    const before = (await count())?.[0];
    assert.ok(Number(before) <= 200_000, `${String(before)} rows`);
    for (let position = 12; position <= 20; position += 1) {
      clock.ms += 4_000;
      tables.append([block(position, 100_000)]);
    }
    await until(async () => Number((await count())?.[0]) >= 1_900_000);
  });

  test("of a table that is read are inserted at any rate, for a while", async () => {
    const { tables, count, clock } = await openTables();
    tables.append([block(1)]);
    await tables.settle([NAME]);
    for (let position = 2; position <= 11; position += 1) tables.append([block(position, 100_000)]);
    await until(async () => Number((await count())?.[0]) > 900_000);
    clock.ms += 11_000;
    // Nothing is usual so soon after so many.
    for (let position = 12; position <= 21; position += 1)
      tables.append([block(position, 100_000)]);
    for (let turn = 0; turn < 100; turn += 1) await letOthersIn();
    assert.ok(Number((await count())?.[0]) < 1_200_000);
  });

  test("that come while others are inserted are not lost, whoever inserts", async () => {
    const { tables, count } = await openTables();
    let position = 0;
    const more = () => {
      position += 1;
      tables.append([block(position, 30_000)]);
    };
    for (let turn = 0; turn < 10; turn += 1) more();
    const reads: Promise<unknown>[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      reads.push(tables.settle([NAME]));
      await letOthersIn();
      more();
    }
    await Promise.all(reads);
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [position * 30_000, position]);
  });

  test("are inserted for a query while others are in the background", async () => {
    const { tables, connection, count } = await openTables();
    tables.append([block(1, 240_000)]);
    const other = { ...NAME, tableId: 2 as TableId };
    tables.append([{ ...block(2), ...other }]);
    await tables.settle([other]);
    assert.equal((await connection.runAndReadAll("FROM b1_2")).currentRowCount, 1);
    assert.notEqual((await count())?.[0], 240_000);
    await tables.settle([NAME]);
  });

  test("are dropped with their generation, also beside an insertion", async () => {
    const { tables, connection, failures } = await openTables();
    for (let position = 1; position <= 5; position += 1) tables.append([block(position, 100_000)]);
    const read = tables.settle([NAME]);
    await tables.drop(GENERATION);
    await read;
    assert.equal(tables.sizeBytes(), 0);
    const { rowCount } = await connection.runAndReadAll("FROM duckdb_tables()").then((reader) => ({
      rowCount: reader.currentRowCount,
    }));
    assert.equal(rowCount, 0);
    assert.deepEqual(failures, []);
  });

  test("of a block that is not what its checksum was made of are missed by whoever reads the table", async () => {
    const { tables, count } = await openTables();
    const whole = block(1, 10);
    const bytes = Uint8Array.from(whole.bytes.subarray(0, -1));
    const covered = crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4)));
    new DataView(bytes.buffer).setUint32(4, covered, true);
    tables.append([{ ...whole, bytes }]);
    for (let i = 0; i < 2; i += 1)
      await assert.rejects(tables.settle([NAME]), { code: "block_damaged" });
    assert.equal(await count(), undefined);
  });

  test("that could not be inserted are told of, and stay", async () => {
    const { tables, connection, count, failures, clock } = await openTables();
    for (const name of ["b1_1", "b1_1r1"]) await connection.run(`CREATE VIEW ${name} AS SELECT 1`);
    tables.append([block(1, 200_000)]);
    await until(async () => failures.length > 0);
    tables.append([block(200_001)]);
    await letOthersIn();
    assert.equal(failures.length, 1, "the next one is tried at once");
    clock.ms += 1_000;
    tables.append([block(200_002)]);
    await until(async () => failures.length > 1);
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [200_002, 3]);
  });

  test("that the engine has no memory for wait until it has, and take no more for it", async () => {
    const { tables, connection, count, failures } = await openTables();
    tables.append([block(1)]);
    await tables.settle([NAME]);
    const nameBefore = tables.find(GENERATION, TABLE)?.name;
    await connection.run("SET temp_directory = ''");
    await connection.run("SET memory_limit = '20MB'");
    for (let position = 2; position <= 10; position += 1) {
      tables.append([block(position, 100_000)]);
    }
    const waiting = tables.sizeBytes();
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(tables.settle([NAME]), (error) => {
        return changeFailureOf(error).code === "buffer_memory";
      });
    }
    assert.ok(failures.every((error) => changeFailureOf(error).code === "buffer_memory"));
    assert.ok(tables.sizeBytes() <= waiting, `${tables.sizeBytes()} bytes`);
    await connection.run("SET memory_limit = '2GB'");
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [900_001, 10]);
    // Who goes on with the name that was good before is told, rather than given the rows that are there by then.
    assert.notEqual(tables.find(GENERATION, TABLE)?.name, nameBefore);
    await assert.rejects(connection.run(`FROM ${nameBefore}`), (error) => {
      return changeFailureOf(error).code === "buffer_memory";
    });
  });

  test("of tables with few rows are in the engine while they are read, and wait again when many others were read since", async () => {
    const { tables, connection } = await openTables();
    const names = Array.from({ length: 40 }, (_, index) => ({
      ...NAME,
      tableId: (index + 1) as TableId,
    }));
    tables.append(names.map(({ tableId }) => block(1, 3, tableId)));
    tables.append([block(2, 20_000, TABLE)]);
    const rowCount = async (name: (typeof names)[number]) => {
      const { name: table } = tables.find(name.generation, name.tableId) ?? {};
      const rows = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${table}`);
      return rows.getRows()[0]?.[0];
    };
    const [large, held] = names;
    assert.ok(large && held);
    (await tables.settle([large]))[Symbol.dispose]();
    using _ = await tables.settle([held]);
    const waiting = tables.sizeBytes();
    const made = () => names.filter(({ generation, tableId }) => tables.find(generation, tableId));
    const fewMade = async () => made().length >= 4 && made().length <= 8;
    for (const countAtOnce of [1, 3]) {
      for (let index = 2; index < names.length; index += countAtOnce) {
        const some = names.slice(index, index + countAtOnce);
        await Promise.all(
          some.map(async (name) => {
            using reading = await tables.settle([name]);
            assert.deepEqual([await rowCount(name), reading !== undefined], [3, true]);
          }),
        );
      }
      await until(fewMade);
      assert.deepEqual([await rowCount(large), await rowCount(held)], [20_003, 3]);
    }
    assert.ok(Math.abs(tables.sizeBytes() - waiting) < 100 * names.length);
    // All at once, whatever they take, for as long as somebody reads them.
    {
      using all = await tables.settle(names);
      assert.ok(all);
      for (const name of names) assert.equal(await rowCount(name), name === large ? 20_003 : 3);
      await letOthersIn();
      assert.equal(made().length, names.length);
    }
    await until(fewMade);
    await tables.drop(GENERATION);
    assert.equal(tables.sizeBytes(), 0);
  });

  test("count in the size of the buffer, and go with their generation", async () => {
    const { tables } = await openTables();
    tables.append([block(1, 1_000)]);
    const waiting = tables.sizeBytes();
    assert.ok(waiting >= 36 * 1_000, `${waiting} bytes`);
    await tables.settle([NAME]);
    assert.ok(Math.abs(tables.sizeBytes() - waiting) < 500);
    tables.append([block(2, 1_000)]);
    await tables.drop(GENERATION);
    assert.equal(tables.sizeBytes(), 0);
    tables.append([block(5)]);
    await tables.drop(GENERATION);
  });
});
