import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { AppendList } from "#base/collection/append-list.ts";
import { DbError } from "#base/errors.ts";
import { encodeBlock } from "#block/block.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import type { Flush } from "#model/flush.ts";
import type { DatabaseId, GenerationId, NodeNumber, TableId } from "#model/ids.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { BufferedBlock, Engine } from "#ports/engine.ts";
import { Buffer } from "./buffer.ts";

const NODE = 1 as NodeNumber;
const DATABASE = 1 as DatabaseId;
const TABLE = 1 as TableId;
const OTHER_TABLE = 2 as TableId;
const FOREVER = new AbortController().signal;

/** A flush of one row of `tableId` at each of `times`. */
function flush(position: number, times: readonly bigint[], tableId = TABLE): Flush {
  const batch = { databaseId: DATABASE, tableId, times: BigInt64Array.from(times), columns: [] };
  const bytes = encodeBlock(batch);
  return {
    position,
    stamp: BigInt(position),
    blocks: [{ databaseId: DATABASE, tableId, bytes }],
  };
}

/** The plain engine, whose `append` rejects while `broken`, and which notes what it was told to drop. */
class Bench {
  readonly inner: Engine = plainEngine({
    files: { load: () => Promise.reject(new Error("there are no files")) },
  });
  readonly dropped: GenerationId[] = [];
  broken = false;
  readonly engine: Engine = {
    append: async (blocks) => {
      if (this.broken) throw new DbError("unavailable", "engine_restarted", "it fell over");
      await this.inner.append(blocks);
    },
    dropGeneration: async (generation) => {
      this.dropped.push(generation);
      await this.inner.dropGeneration(generation);
    },
    writeFiles: (request, signal) => this.inner.writeFiles(request, signal),
    compact: (request, signal) => this.inner.compact(request, signal),
    query: (plan, signal) => this.inner.query(plan, signal),
    bufferSizeBytes: () => this.inner.bufferSizeBytes(),
    [Symbol.asyncDispose]: () => this.inner[Symbol.asyncDispose](),
  };
  readonly buffer = new Buffer(() => this.engine);

  /** The times of the rows that `engine` has of `generation` up to `positionMax`. */
  async times(generation: GenerationId, positionMax = 1_000): Promise<readonly bigint[]> {
    const bounds = { positionAbove: 0, positionMax };
    const rows = this.inner.query(
      {
        kind: "scan",
        fields: [{ name: "time", type: "timestamp" }],
        tableId: TABLE,
        tags: [],
        columns: [{ id: TIME_COLUMN_ID, kind: "time" }],
        time: ALL_TIME,
        groups: [{ merge: false, sources: [{ kind: "buffer", generation, ...bounds }] }],
      },
      FOREVER,
    );
    const times: bigint[] = [];
    for await (const { columns } of rows)
      for (const column of columns) if (column.type === "timestamp") times.push(...column.values);
    return times;
  }
}

suite("the buffer of a node log", () => {
  test("a flush with a block that cannot be read is not taken, however often it comes", async () => {
    const { buffer } = new Bench();
    const log = buffer.of(NODE);
    const [good] = flush(1, [1n]).blocks;
    const [other] = flush(1, [2n], OTHER_TABLE).blocks;
    assert.ok(good !== undefined && other !== undefined);
    const later = {
      ...other,
      bytes: Uint8Array.from(other.bytes, (byte, index) => (index === 1 ? 99 : byte)),
    };
    const flushes = AppendList.of<Flush>([{ position: 1, stamp: 1n, blocks: [good, later] }]);
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(log.addMissing(flushes), { code: /block_(version|damaged)/ });
    assert.deepEqual(log.generations, []);
    await log.addMissing(AppendList.of([flush(1, [1n])]));
    assert.equal(log.rowCount, 1);
  });

  test("rows of a flush are in the engine when it is added, up to the position that is asked for", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add(flush(2, [10n, 20n]));
    await log.add(flush(5, [30n]));
    const [generation, ...others] = log.generations;
    assert.ok(generation);
    assert.deepEqual(others, []);
    assert.deepEqual(await bench.times(generation.id), [10n, 20n, 30n]);
    assert.deepEqual(await bench.times(generation.id, 4), [10n, 20n]);
    assert.equal(log.rowCount, 3);
    assert.equal(generation.positionMax, 5);
    assert.ok(log.unsavedSizeBytes > 0 && log.sizeBytes > log.unsavedSizeBytes);
  });

  test("a table's times, positions and uniqueness are known", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add(flush(1, [10n, 20n]));
    await log.add(flush(2, [21n, 30n]));
    const table = () => log.generations[0]?.tables.get(TABLE);
    const known = { time: { start: 10n, end: 30n }, positionMin: 1, positionMax: 2, rowCount: 4 };
    assert.deepEqual(table(), { ...known, unique: true });
    await log.add(flush(3, [5n], OTHER_TABLE));
    assert.deepEqual(table(), { ...known, unique: true });
    await log.add(flush(4, [30n]));
    assert.deepEqual(table(), { ...known, positionMax: 4, rowCount: 5, unique: false });
    await log.add(flush(5, [99n]));
    assert.equal(table()?.unique, false);
  });

  test("a flush without rows makes no generation, and flushes come in order", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add({ position: 3, stamp: 1n, blocks: [] });
    assert.deepEqual(log.generations, []);
    await assert.rejects(log.add(flush(3, [1n])), { code: "assertion_failed" });
  });

  test("what a checkpoint brings again is passed over", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add(flush(1, [10n]));
    await log.addMissing(AppendList.of([flush(1, [10n]), flush(2, [20n]), flush(4, [40n])]));
    await log.addMissing(AppendList.of([flush(1, [10n]), flush(2, [20n]), flush(4, [40n])]));
    await log.addMissing(AppendList.of());
    assert.deepEqual(await bench.times(1 as GenerationId), [10n, 20n, 40n]);
    assert.equal(log.rowCount, 3);
  });

  test("rows that an engine did not take are given to it before anything else is", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add(flush(1, [10n]));
    bench.broken = true;
    const flushes = AppendList.of([flush(1, [10n]), flush(2, [20n]), flush(3, [30n])]);
    await assert.rejects(log.addMissing(flushes), { code: "engine_restarted" });
    await assert.rejects(log.addMissing(flushes), { code: "engine_restarted" });
    bench.broken = false;
    await log.addMissing(flushes);
    assert.deepEqual(await bench.times(1 as GenerationId), [10n, 20n, 30n]);
    assert.equal(log.rowCount, 3);
  });

  test("a generation is full at eight MiB, or closed by a snapshot that is about to be made", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add(flush(1, [10n]));
    log.closeGeneration();
    await log.add(flush(2, [20n]));
    assert.deepEqual(
      log.generations.map(({ positionMax }) => positionMax),
      [1, 2],
    );
    const times = Array.from({ length: 2 ** 18 }, (_, row) => BigInt((row * 7_919) ** 3 % 2 ** 50));
    for (let position = 3; log.sizeBytes < 9 * 2 ** 20; position++)
      await log.add(flush(position, times));
    assert.equal(log.generations.length, 3);
  });

  test("a generation that is in files goes, unless a view names it: then with the last view", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    for (const position of [1, 2, 3]) {
      await log.add(flush(position, [BigInt(position)]));
      log.closeGeneration();
    }
    const [first, second] = log.generations;
    assert.ok(first && second);
    second.hold();
    second.hold();
    await log.retire(2);
    assert.deepEqual(bench.dropped, [first.id]);
    assert.equal(log.rowCount, 1);
    const before = log.sizeBytes;
    second.release();
    await log.dropUnseen();
    assert.deepEqual(bench.dropped, [first.id]);
    second.release();
    await log.dropUnseen();
    await log.dropUnseen();
    assert.deepEqual(bench.dropped, [first.id, second.id]);
    assert.ok(log.sizeBytes < before, "what a view named took its place until then");
  });

  test("a generation with rows above the files stays whole, and goes on growing", async () => {
    const bench = new Bench();
    const log = bench.buffer.of(NODE);
    await log.add(flush(1, [10n]));
    await log.add(flush(2, [20n]));
    await log.retire(1);
    await log.add(flush(3, [30n]));
    assert.equal(log.generations.length, 1);
    assert.equal(log.rowCount, 3);
    await log.retire(3);
    assert.deepEqual(log.generations, []);
    await log.add(flush(4, [40n]));
    assert.equal(log.generations.length, 1);
  });
});

suite("the buffer of a process", () => {
  test("an engine that lost everything gets back what is needed, in order, and nothing else", async () => {
    const bench = new Bench();
    const own = bench.buffer.of(NODE);
    const other = bench.buffer.of(2 as NodeNumber);
    await own.add(flush(1, [1n]));
    own.closeGeneration();
    await other.add(flush(7, [70n]));
    await own.add(flush(2, [2n]));
    own.closeGeneration();
    await own.add(flush(3, [3n]));
    own.generations[1]?.hold();
    await own.retire(2);
    const refill: readonly BufferedBlock[] = [...bench.buffer.refill()];
    assert.deepEqual(
      refill.map(({ generation, position }) => [generation, position]),
      [
        [3, 2],
        [4, 3],
        [2, 7],
      ],
    );
    assert.equal(bench.buffer.rowCount, 2);
    assert.equal(bench.buffer.sizeBytes, own.sizeBytes + other.sizeBytes);
    assert.equal(bench.buffer.of(NODE), own);
  });
});
