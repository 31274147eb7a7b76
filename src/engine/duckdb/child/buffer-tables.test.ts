import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setImmediate as letOthersIn } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { encodeBlock } from "#block/block.ts";
import type { ColumnId, DatabaseId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { BufferTables } from "./buffer-tables.ts";
import { changeFailureOf } from "./failures.ts";

const GENERATION = 1 as GenerationId;
const TABLE = 1 as TableId;
const NAME = { generation: GENERATION, tableId: TABLE };

/** Rows at times `position`, `position + 1` …; each block brings another text of the tag. */
function block(position: number, rowCount = 1): BufferedBlock {
  const times = BigInt64Array.from({ length: rowCount }, (_, row) => BigInt(position + row));
  const codes = new Uint32Array(rowCount).fill(1);
  const bytes = encodeBlock({
    databaseId: 1 as DatabaseId,
    tableId: TABLE,
    times,
    columns: [
      { id: 1 as ColumnId, data: { kind: "tag", codes, dictionary: [`host${position}`] } },
      { id: 2 as ColumnId, data: { kind: "integer", values: times } },
    ],
  });
  return { ...NAME, position, stamp: BigInt(position), bytes };
}

async function openTables() {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const failures: unknown[] = [];
  const tables = new BufferTables(await instance.connect(), (error) => failures.push(error));
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
  return { tables, connection, count, failures };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await letOthersIn();
}

suite("buffered rows that wait", () => {
  test("are in no table that a query could name, until somebody asks for them", async () => {
    const { tables, count } = await openTables();
    await tables.append([block(1), block(2)]);
    assert.equal(await count(), undefined);
    assert.ok(tables.waits([NAME]));
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [2, 2]);
    assert.ok(!tables.waits([NAME]));
    // Later ones wait again, and those that came already do not come twice.
    await tables.append([block(2), block(3)]);
    assert.deepEqual(await count(), [2, 2]);
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [3, 3]);
  });

  test("are inserted when they are many, and when their blocks are; nobody waits for it", async () => {
    const { tables, count } = await openTables();
    await tables.append([block(1, 200_000)]);
    await tables.append([block(200_001)]);
    assert.equal(await count(), undefined);
    await until(async () => (await count())?.[0] === 200_000);
    for (let i = 2; i <= 500; i += 1) await tables.append([block(200_000 + i)]);
    await until(async () => (await count())?.[0] === 200_500);
    assert.deepEqual(await count(), [200_500, 501]);
    assert.ok(!tables.waits([NAME]));
  });

  test("are waited for when they come faster than they are inserted", async () => {
    const { tables, count } = await openTables();
    await tables.append([block(1, 300_000)]);
    assert.deepEqual(await count(), [300_000, 1]);
  });

  test("that could not be inserted are told of, and stay", async () => {
    const { tables, connection, count, failures } = await openTables();
    await connection.run("CREATE TABLE b1_1 (other VARCHAR)");
    await tables.append([block(1, 200_000)]);
    await until(async () => failures.length > 0);
    await assert.rejects(tables.settle([NAME]));
    await connection.run("DROP TABLE b1_1");
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [200_000, 1]);
  });

  test("that the engine has no memory for wait until it has, and take no more for it", async () => {
    const { tables, connection, count, failures } = await openTables();
    await connection.run("SET temp_directory = ''");
    await connection.run("SET memory_limit = '20MB'");
    for (let position = 1; position <= 10; position += 1) {
      await tables.append([block(position, 100_000)]);
    }
    const waiting = tables.sizeBytes();
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(tables.settle([NAME]), (error) => {
        return changeFailureOf(error).code === "buffer_memory";
      });
    }
    assert.ok(failures.every((error) => changeFailureOf(error).code === "buffer_memory"));
    assert.equal(tables.sizeBytes(), waiting);
    await connection.run("SET memory_limit = '2GB'");
    await tables.settle([NAME]);
    assert.deepEqual(await count(), [1_000_000, 10]);
  });

  test("count in the size of the buffer, and go with their generation", async () => {
    const { tables } = await openTables();
    await tables.append([block(1, 1_000)]);
    const waiting = tables.sizeBytes();
    assert.ok(waiting >= 36 * 1_000, `${waiting} bytes`);
    await tables.settle([NAME]);
    assert.ok(Math.abs(tables.sizeBytes() - waiting) < 100);
    await tables.append([block(2, 1_000)]);
    await tables.drop(GENERATION);
    assert.equal(tables.sizeBytes(), 0);
    assert.ok(!tables.waits([NAME]));
    await tables.append([block(5)]);
    await tables.drop(GENERATION);
  });
});
