import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine } from "#ports/engine.ts";
import { silentLog } from "#ports/log.ts";
import type { ContractFiles } from "../contract/bench.ts";
import { engineContract } from "../contract.ts";
import { DuckDbEngine, type DuckDbEngineOptions } from "./duckdb-engine.ts";
import type { PinnedFiles } from "./pins.ts";

const realClock: Clock = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) => delay(delayMs, undefined, signal ? { signal } : {}),
};

engineContract("DuckDB in a child process", async (files) => {
  const directory = await mkdtemp(join(tmpdir(), "duckdb-"));
  const engine = await DuckDbEngine.open({
    memorySizeMax: 500_000_000,
    threads: 2,
    temporaryDirectory: join(directory, "temporary"),
    cacheDirectory: directory,
    files: pinning(files, directory),
    refill: () => [],
    log: {
      ...silentLog,
      warn: console.error,
      error: console.error,
      debug: process.env.DEBUG ? console.error : () => {},
    },
    clock: realClock,
  });
  return engine;
});

function pinning(files: ContractFiles, directory: string): PinnedFiles {
  let n = 0;
  return {
    async pin(file) {
      const bytes = await files.load(file);
      if (bytes.length !== file.sizeBytes || crc32(bytes) !== file.checksum) {
        throw new DbError("corrupt", "file_damaged", "not what was written");
      }
      const path = join(directory, `${++n}.parquet`);
      await writeFile(path, bytes);
      return { path, release: () => void rm(path) };
    },
  };
}
