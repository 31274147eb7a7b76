import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { DEFAULT_LIMITS, parseLines } from "#lineprotocol/parse.ts";
import { rowsOf } from "#lineprotocol/rows.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { silentLog } from "#ports/log.ts";
import { plainStage } from "../plain-stage.ts";
import type { Stage, StagedBody, StagedRows } from "../stage.ts";
import { WorkerStage } from "./worker-stage.ts";

const OPTIONS = { precision: "auto", defaultTimeNs: 77n, limits: DEFAULT_LIMITS } as const;

/** Large enough for the thread: every kind of value, bad lines, and rows without a field. */
function largeText(seed: number): string {
  const lines = Array.from({ length: 6_000 }, (_, index) => {
    const tags = `host=h${(index * seed) % 97},region=ü`;
    const optional =
      index % 3 === 0 ? `,u=${index}u,s="text ${index % 11}",b=${index % 2 === 0}` : "";
    if (index % 1_000 === 999) return `t${index % 2},${tags} broken`;
    return `t${index % 2},${tags} f=${index / 8},n=${index}i${optional} ${1_700_000_000 + index}`;
  });
  return lines.join("\n");
}

const TEXTS = [
  "t0,host=h1 f=1,n=1i 1",
  "",
  ...Array.from({ length: 5 }, (_, seed) => largeText(seed + 1)),
];

/** All rows of the tables of `bodies`, columns under ids by their names. */
function partsOf(bodies: readonly StagedBody[]): StagedRows[] {
  const idOf = new Map(
    ["host", "region", "f", "n", "u", "s", "b"].map((name, index) => [name, index + 1]),
  );
  return bodies.flatMap((body) =>
    body.tables.map(({ columns, name, rowCount }, tableIndex): StagedRows => {
      const target = {
        databaseId: 1 as DatabaseId,
        tableId: (name === "t0" ? 1 : 2) as TableId,
        columnIds: columns.map((column) => idOf.get(column.name) as ColumnId),
      };
      const half = Uint32Array.from({ length: Math.ceil(rowCount / 2) }, (_, row) => 2 * row);
      return {
        body,
        tableIndex,
        rows: tableIndex === 0 ? { start: 0, end: rowCount } : half,
        target,
      };
    }),
  );
}

function parseAll(stage: Stage): Promise<StagedBody[]> {
  return Promise.all(TEXTS.map((text) => stage.parse(utf8(text), OPTIONS)));
}

function isLost(error: unknown): boolean {
  return isKind(error, "unavailable") && error.code === "parser_restarted";
}

suite("the stage in a thread", () => {
  test("tells what the plain one tells, of bodies of any size, many at once", async () => {
    await using stage = new WorkerStage(silentLog);
    const bodies = await parseAll(stage);
    for (const [index, text] of TEXTS.entries()) {
      const found = bodies[index];
      assert.ok(found !== undefined);
      const expected = await plainStage.parse(utf8(text), OPTIONS);
      const { lineCount, rejected, rejectedCount, tables } = expected;
      assert.deepEqual(
        [found.tables, found.rejected, found.rejectedCount, found.lineCount],
        [tables, rejected, rejectedCount, lineCount],
      );
      const parsed = await found.parsed();
      assert.deepEqual(parsed.tables, parseLines(utf8(text), OPTIONS).tables);
      assert.deepEqual(rowsOf(parsed), rowsOf(parseLines(utf8(text), OPTIONS)));
    }
  });

  test("makes the blocks that the plain one makes, of bodies here and there", async () => {
    await using stage = new WorkerStage(silentLog);
    const [here, there] = [await parseAll(plainStage), await parseAll(stage)];
    const expected = await plainStage.encode(partsOf(here));
    assert.deepEqual(await stage.encode(partsOf(there)), expected);
    // Once more, as a write that met a dropped table does; and small bodies alone.
    assert.deepEqual(await stage.encode(partsOf(there)), expected);
    assert.deepEqual(
      await stage.encode(partsOf(there.slice(0, 2))),
      await plainStage.encode(partsOf(here.slice(0, 2))),
    );
    for (const body of there) body[Symbol.dispose]();
  });

  test("keeps the rows of a body as long as somebody holds it", async () => {
    await using stage = new WorkerStage(silentLog);
    const [, , large] = await parseAll(stage);
    assert.ok(large !== undefined);
    const leave = large.hold();
    large[Symbol.dispose]();
    assert.equal((await stage.encode(partsOf([large]))).length, 2);
    leave();
    await assert.rejects(stage.encode(partsOf([large])), (error) => isKind(error, "internal"));
  });

  test("takes pieces of larger memory without taking that memory", async () => {
    await using stage = new WorkerStage(silentLog);
    const text = largeText(1);
    const all = Buffer.from(`#${text}#`);
    const body = await stage.parse(all.subarray(1, -1), OPTIONS);
    assert.equal(body.lineCount, 6_000);
    assert.equal(all.toString(), `#${text}#`);
  });

  test("passes refusals on as they are", async () => {
    await using stage = new WorkerStage(silentLog);
    // Thousands of names, each on one of thousands of lines.
    const lines = Array.from(
      { length: 6_000 },
      (_, index) => `t field_${index}=1,gauge_${index}=1 ${index}`,
    );
    const text = lines.join("\n");
    assert.ok(text.length > 128 * 1024);
    await assert.rejects(stage.parse(utf8(text), OPTIONS), (error) => {
      return isKind(error, "exceeded") && error.code === "write_too_sparse";
    });
    assert.equal((await stage.parse(utf8(largeText(1)), OPTIONS)).lineCount, 6_000);
  });

  test("a thread that ends is told to all who wait, and the next body starts another", async () => {
    await using stage = new WorkerStage(silentLog, new URL("data:text/javascript,"));
    const body = utf8(largeText(1));
    for (let round = 0; round < 2; round += 1) {
      const [first, second] = [
        stage.parse(body.slice(), OPTIONS),
        stage.parse(body.slice(), OPTIONS),
      ];
      for (const lost of [first, second]) await assert.rejects(lost, isLost);
    }
  });

  test("bodies that were in a thread that ended are lost, others are not", async () => {
    const stage = new WorkerStage(silentLog);
    const [small, , large] = await parseAll(stage);
    await stage[Symbol.asyncDispose]();
    assert.ok(small !== undefined && large !== undefined);
    await assert.rejects(stage.encode(partsOf([small, large])), isLost);
    await assert.rejects(large.parsed(), isLost);
    large[Symbol.dispose]();
    assert.equal((await stage.encode(partsOf([small]))).length, 1);
  });

  test("parses on when it is closed", async () => {
    const stage = new WorkerStage(silentLog);
    await stage[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
    assert.equal((await stage.parse(utf8(largeText(1)), OPTIONS)).lineCount, 6_000);
  });
});
