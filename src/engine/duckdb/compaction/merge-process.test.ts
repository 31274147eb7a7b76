import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { scheduler } from "node:timers/promises";
import { encodeBlock } from "#block/block.ts";
import type { ColumnId, DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import { nextStamp, STAMP_NONE } from "#model/stamp.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { FileColumn } from "#ports/engine.ts";
import { silentLog } from "#ports/log.ts";
import { dataFiles } from "../files/data-files.ts";
import { MergeProcess } from "./merge-process.ts";

const TABLE = { databaseId: 1 as DatabaseId, tableId: 1 as TableId };
const COLUMNS: readonly FileColumn[] = [
  { id: 0 as ColumnId, kind: "time", fileName: "time" },
  { id: 1 as ColumnId, kind: "float", fileName: "f" },
];

test("who takes a file may be slow: its process does not count as one that hangs", async () => {
  const data = { kind: "float", values: Float64Array.of(1, 2) } as const;
  const columns = [{ id: 1 as ColumnId, data }];
  const bytes = encodeBlock({ ...TABLE, times: BigInt64Array.of(1n, 2n), columns });
  const stamp = nextStamp(1 as NodeNumber, 0n, 0n);
  const cut = { windowNs: 2n ** 62n, rowCountMin: 1 };
  const [made] = dataFiles({ ...TABLE, ...cut, columns: COLUMNS, blocks: [{ stamp, bytes }] });
  assert.ok(made);
  const directory = await mkdtemp(join(tmpdir(), "merge-"));
  const path = join(directory, "1.parquet");
  await writeFile(path, made.bytes);
  // Five minutes are two seconds here, once the process has started.
  let speed = 1;
  const clock = {
    nowNs: () => 0n,
    monotonicMs: () => 0,
    sleep: (delayMs: number, signal?: AbortSignal) =>
      scheduler.wait(delayMs / speed, signal === undefined ? {} : { signal }),
  };
  await using merges = new MergeProcess({
    log: silentLog,
    clock,
    directory: join(directory, "made"),
  });
  const request = {
    tableId: TABLE.tableId,
    columns: COLUMNS,
    time: ALL_TIME,
    rowCountMax: 1,
    rowGroupSize: 10,
    zstdLevel: 1,
    memorySizeMax: 2 ** 30,
    files: [{ ...made, key: path, path, stampAbove: STAMP_NONE }],
  };
  await Array.fromAsync(merges.merge(request, new AbortController().signal));
  speed = 150;
  let rowCount = 0;
  for await (const file of merges.merge(request, new AbortController().signal)) {
    rowCount += file.rowCount;
    if (rowCount === 1) await scheduler.wait(4_500);
  }
  assert.equal(rowCount, 2);
  assert.deepEqual(await readdir(join(directory, "made")), []);
  await rm(directory, { recursive: true });
});
