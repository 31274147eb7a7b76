/**
 * Merging of data files as the compactor's process does it: rows a second, memory, CPU, and what a row takes before and after.
 *
 *     node bench/compaction.ts [--rows 10000000] [--files 100] [--hosts 1000] [--kind whole|decimal] [--level 9] [--row-limit 1000000]
 *
 * Each file has rows of every series over all of the time, so all overlap all; a tenth of the rows is written twice, by the same node.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scheduler } from "node:timers/promises";
import { parseArgs } from "node:util";
import { encodeBlock } from "#block/block.ts";
import { MergeProcess } from "#engine/duckdb/compaction/merge-process.ts";
import type { MergeRequest } from "#engine/duckdb/compaction/messages.ts";
import { dataFiles } from "#engine/duckdb/files/data-files.ts";
import type { BatchColumn, ColumnBatch } from "#model/batch.ts";
import type { ColumnId, DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import { nextStamp } from "#model/stamp.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { Clock } from "#ports/clock.ts";
import type { FileColumn } from "#ports/engine.ts";
import { silentLog } from "#ports/log.ts";
import { seededRandom } from "#ports/random.ts";
import { round } from "../scripts/long/figures.ts";
import { type ProcessUse, processesOf } from "./processes.ts";
import { report } from "./report.ts";

const MIB = 2 ** 20;
const TAG_NAMES = ["arch", "datacenter", "hostname", "os", "region"];
const FIELD_COUNT = 10;
const STEP_NS = 10_000_000_000n;
const START_NS = 1_790_000_000_000_000_000n;
const ROWS_PER_SEC_MIN = 300_000;
const MEMORY_MAX = 1024 * MIB;
const DOUBLED_SHARE = 0.1;
const CLOCK: Clock = {
  nowNs: () => 0n,
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: (delayMs, signal) => scheduler.wait(delayMs, signal === undefined ? {} : { signal }),
};

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    files: { type: "string", default: "100" },
    hosts: { type: "string", default: "1000" },
    kind: { type: "string", default: "whole" },
    level: { type: "string", default: "9" },
    "row-limit": { type: "string", default: "1000000" },
  },
});
const rowCount = Number(options.rows);
const fileCount = Number(options.files);
const hostCount = Number(options.hosts);
const random = seededRandom(7);

const columns: readonly FileColumn[] = [
  { id: 0 as ColumnId, kind: "time", fileName: "time" },
  ...TAG_NAMES.map((fileName, i) => ({ id: (i + 1) as ColumnId, kind: "tag" as const, fileName })),
  ...Array.from({ length: FIELD_COUNT }, (_, i) => ({
    id: (TAG_NAMES.length + 1 + i) as ColumnId,
    kind: "float" as const,
    fileName: `usage_${i}`,
  })),
];

/** The row of each series at some instants, as a block. */
function blockOf(instants: readonly bigint[]): Uint8Array {
  const count = hostCount * instants.length;
  const times = new BigInt64Array(count);
  const hosts = new Uint32Array(count);
  let row = 0;
  for (const instant of instants)
    for (let host = 0; host < hostCount; host += 1) {
      times[row] = instant;
      hosts[row] = host;
      row += 1;
    }
  const tags = TAG_NAMES.map((name, i): BatchColumn => {
    const distinct = name === "hostname" ? hostCount : 3 + i;
    const dictionary = Array.from({ length: distinct }, (_, n) => `${name}_${n}`);
    const codes = hosts.map((host) => (host % distinct) + 1);
    return { id: (i + 1) as ColumnId, data: { kind: "tag", codes, dictionary } };
  });
  const fields = Array.from({ length: FIELD_COUNT }, (_, i): BatchColumn => {
    const values = new Float64Array(count);
    for (let at = 0; at < count; at += 1) values[at] = valueOf(times[at] ?? 0n, hosts[at] ?? 0, i);
    return { id: (TAG_NAMES.length + 1 + i) as ColumnId, data: { kind: "float", values } };
  });
  const batch: ColumnBatch = {
    databaseId: 1 as DatabaseId,
    tableId: 1 as TableId,
    times,
    columns: [...tags, ...fields],
  };
  return encodeBlock(batch);
}

/** As the load of a machine: near what it was before, from 0 to 100. */
function valueOf(instant: bigint, host: number, field: number): number {
  const step = Number((instant - START_NS) / STEP_NS);
  const slow = 50 + 40 * Math.sin(step / 300 + host + field);
  const value = slow + 6 * (random.next() - 0.5);
  return options.kind === "whole" ? Math.round(value) : value;
}

function makeFiles(directory: string): MergeRequest["files"] {
  const instantCount = Math.floor(rowCount / fileCount / hostCount);
  return Array.from({ length: fileCount }, (_, index) => {
    const instants = Array.from({ length: instantCount }, (_unused, i) => {
      // Some instants of the file before come again.
      const doubled = index % 2 === 1 && i < 2 * DOUBLED_SHARE * instantCount;
      return START_NS + BigInt(i * fileCount + index - (doubled ? 1 : 0)) * STEP_NS;
    });
    const stamp = nextStamp(1 as NodeNumber, START_NS + BigInt(index) * 1_000_000n, 0n);
    const [file] = dataFiles({
      tableId: 1 as TableId,
      columns,
      blocks: [{ stamp, bytes: blockOf(instants) }],
      windowNs: 2n ** 62n,
      rowCountMin: 1,
    });
    if (file === undefined) throw new Error("a file has rows: give more --rows");
    const path = join(directory, `${index}.parquet`);
    writeFileSync(path, file.bytes);
    const { rowCount: count, stampMin, time } = file;
    return {
      key: path,
      path,
      rowCount: count,
      stampMin,
      time,
      stampAbove: 0n,
      sizeBytes: file.bytes.length,
    };
  });
}

const directory = mkdtempSync(join(tmpdir(), "compaction-"));
const merges = new MergeProcess({
  log: silentLog,
  clock: CLOCK,
  directory: join(directory, "merged"),
});
try {
  const files = makeFiles(directory) as readonly (MergeRequest["files"][number] & {
    sizeBytes: number;
  })[];
  const request: MergeRequest = {
    tableId: 1 as TableId,
    columns,
    files,
    time: ALL_TIME,
    rowCountMax: Number(options["row-limit"]),
    rowGroupSize: 122_880,
    zstdLevel: Number(options.level),
    memorySizeMax: 768 * MIB,
  };
  let memory = 0;
  let use: ProcessUse | undefined;
  const watch = setInterval(() => {
    const found = merges.pid === undefined ? [] : processesOf(merges.pid);
    use = found[0] ?? use;
    memory = Math.max(memory, use?.residentBytes ?? 0);
  }, 20);
  const startMs = CLOCK.monotonicMs();
  let [rowsOut, bytesOut, filesOut] = [0, 0, 0];
  for await (const { bytes, rowCount: count } of merges.merge(
    request,
    new AbortController().signal,
  )) {
    rowsOut += count;
    bytesOut += bytes.length;
    filesOut += 1;
  }
  const seconds = (CLOCK.monotonicMs() - startMs) / 1_000;
  clearInterval(watch);
  const rowsIn = files.reduce((sum, file) => sum + file.rowCount, 0);
  const bytesIn = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  report(
    "compaction",
    {
      rowsIn,
      rowsOut,
      filesIn: fileCount,
      filesOut,
      seconds: round(seconds, 2),
      rowsPerSec: Math.round(rowsIn / seconds),
      cpuSecPerMillion: round((1e6 * (use?.cpuSec ?? 0)) / rowsIn, 3),
      memoryMib: Math.round(memory / MIB),
      bytesPerRowIn: round(bytesIn / rowsIn, 3),
      bytesPerRowOut: round(bytesOut / rowsOut, 3),
    },
    {
      [`${ROWS_PER_SEC_MIN} rows a second`]: rowsIn / seconds >= ROWS_PER_SEC_MIN,
      "at most 1 GiB of memory": memory <= MEMORY_MAX,
    },
  );
} finally {
  await merges[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}
