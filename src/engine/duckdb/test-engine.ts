/** An engine for tests: real time, a folder of its own, and files checked as the real cache checks them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scheduler } from "node:timers/promises";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import { silentLog } from "#ports/log.ts";
import type { ContractFiles } from "../contract/bench.ts";
import { DuckDbEngine, type DuckDbEngineOptions } from "./duckdb-engine.ts";
import type { PinnedFiles } from "./pins.ts";

const CLOCK: Clock = {
  nowNs: () => 0n,
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: (delayMs, signal) => scheduler.wait(delayMs, signal === undefined ? {} : { signal }),
};

/** Opens an engine that reads `files`; `own` replaces what it is set up with. Its folder goes when it is disposed of. */
export async function openTestEngine(
  files: ContractFiles,
  own: Partial<DuckDbEngineOptions> = {},
): Promise<DuckDbEngine> {
  const directory = await mkdtemp(join(tmpdir(), "engine-"));
  const engine = await DuckDbEngine.open({
    memorySizeMax: 500_000_000,
    threads: 2,
    temporaryDirectory: join(directory, "temporary"),
    cacheDirectory: directory,
    files: pinnedFiles(files, directory),
    refill: () => [],
    log: silentLog,
    clock: CLOCK,
    ...own,
  });
  const dispose = engine[Symbol.asyncDispose].bind(engine);
  engine[Symbol.asyncDispose] = async () => {
    await dispose();
    await rm(directory, { recursive: true, force: true });
  };
  return engine;
}

/** `files` in `directory`, each checked, and gone when it is let go. */
export function pinnedFiles(files: ContractFiles, directory: string): PinnedFiles {
  let count = 0;
  return {
    async pin(file) {
      const bytes = await files.load(file);
      if (bytes.length !== file.sizeBytes || crc32(bytes) !== file.checksum) {
        throw new DbError("corrupt", "file_damaged", "a data file is not what was written");
      }
      count += 1;
      const path = join(directory, `${count}.parquet`);
      await writeFile(path, bytes);
      return { path, release: () => void rm(path, { force: true }) };
    },
  };
}
