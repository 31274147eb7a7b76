import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EMPTY_CATALOG, newTable } from "#catalog/catalog-state.ts";
import type { ManifestFile } from "#manifest/manifest-file.ts";
import { ManifestFiles } from "#manifest/manifest-files.ts";
import { manifestMachine } from "#manifest/manifest-state.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { fileOf } from "#testing/node-logs.ts";
import { Planner, type Task } from "./planner.ts";

const MINUTE = 60_000_000_000n;
const NOW = 30_000_000n * MINUTE + 1n;
const DATABASE = 1 as DatabaseId;
const TABLE_COUNT = 4;

/** A file of minute `minute`. */
function file(tableId: number, minute: number): ManifestFile {
  const start = BigInt(minute) * MINUTE;
  const time = { start, end: start + MINUTE - 1n };
  const known = { ...fileOf(`table ${tableId} at ${minute}`, tableId), time };
  return { file: known, stampAbove: 0n };
}

/** Each with a file that is alone in its window, in one part. */
function someTables(): ManifestFiles {
  return ManifestFiles.of(Array.from({ length: TABLE_COUNT }, (_, index) => file(index + 1, 0)));
}

function catalogOf(retentionNs?: bigint) {
  const tables = Array.from({ length: TABLE_COUNT }, (_, index) => {
    const id = (index + 1) as TableId;
    return newTable({ id, databaseId: DATABASE, name: `m${id}` }, []);
  });
  const database = {
    id: DATABASE,
    name: "db",
    retentionNs,
    schemaMode: "implicit" as const,
    policy: undefined,
    dropped: undefined,
    tableRetentionNs: new Map<TableId, bigint>(),
    droppedTables: new Map(),
    tables: new Map(tables.map((table) => [table.id, table])),
    tableIds: new Map(tables.map(({ id, name }) => [name, id])),
  };
  return { ...EMPTY_CATALOG, databases: new Map([[DATABASE, database]]) };
}

function plannerOfWindows(minutes: number) {
  const planner = new Planner({
    gen2DurationMs: minutes * 60_000,
    multipliers: [3],
    filesPerPlanMax: 500,
    inputSizeMax: 2 ** 30,
    rowLimit: 1_000_000,
    checkIntervalMs: 1_000,
  });
  return (files: ManifestFiles, options: { retentionNs?: bigint; nowNs?: bigint } = {}) => {
    const manifest = { ...manifestMachine.empty, files };
    return planner.next(catalogOf(options.retentionNs), manifest, options.nowNs ?? NOW);
  };
}

function shown(task: Task | undefined) {
  return task && [task.plan.kind, task.table.name, task.plan.inputs.length];
}

suite("planner", () => {
  for (const isPacked of [false, true])
    test(`a table is planned when files come to it, and no others, ${isPacked ? "packed" : "plain"}`, () => {
      const next = plannerOfWindows(20);
      const before = someTables();
      assert.equal(next(before), undefined);
      if (isPacked) for (const part of before.parts) part.pack();
      const after = before.with([file(3, 1)]);
      assert.deepEqual(shown(next(after)), ["merge", "m3", 2]);
      const merged = after.without(new Set(["table 3 at 0", "table 3 at 1"])).with([file(3, 2)]);
      assert.equal(next(merged), undefined);
      assert.deepEqual(shown(next(merged.with([file(1, 3)]))), ["merge", "m1", 2]);
    });

  test("a table whose files are the same is looked at when a window ends, whatever comes to its neighbours", () => {
    const next = plannerOfWindows(20);
    const before = someTables();
    assert.equal(next(before), undefined);
    const retentionNs = MINUTE;
    assert.equal(next(before, { retentionNs }), undefined);
    const after = before.with([file(4, 29_999_999)]);
    assert.deepEqual(shown(next(after, { retentionNs })), ["expire", "m4", 1]);
    const without = after.without(new Set(["table 4 at 0"]));
    assert.equal(next(without, { retentionNs }), undefined);
    const nowNs = NOW + 20n * MINUTE;
    assert.deepEqual(shown(next(without, { retentionNs, nowNs })), ["expire", "m1", 1]);
  });

  test("a table that is gone and comes again is planned as a new one", () => {
    const next = plannerOfWindows(20);
    const before = someTables();
    assert.equal(next(before), undefined);
    const gone = before.without(new Set(["table 2 at 0"]));
    assert.equal(next(gone), undefined);
    assert.deepEqual(shown(next(gone.with([file(2, 0), file(2, 1)]))), ["merge", "m2", 2]);
  });
});
