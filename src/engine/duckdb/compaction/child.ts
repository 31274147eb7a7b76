/** The compaction's process: merges files for the adapter that started it, and ends with it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DbError, errorParts } from "#base/errors.ts";
import { putAside } from "./aside.ts";
import { mergeFiles } from "./merge.ts";
import type { MergeAnswer, MergeCall, MergedFile, MergeWork, OnStep } from "./messages.ts";

let files: Generator<MergedFile> | undefined;

function answer(message: MergeAnswer): void {
  // The channel is gone when the adapter is; "disconnect" then ends this process.
  if (process.connected) process.send?.(message);
}

/** Makes the next file of the request under way. */
function advance(): void {
  try {
    const made = files?.next();
    if (made?.done === false) answer({ kind: "file", file: made.value });
    else answer({ kind: "done" });
  } catch (error) {
    answer({ kind: "failed", failure: errorParts(described(error)) });
  }
}

/** The files of `work`, each on the disk before it is told of. */
function* mergedFiles(work: MergeWork): Generator<MergedFile> {
  let count = 0;
  for (const { bytes, ...file } of mergeFiles(work, stepper(work))) {
    count += 1;
    const path = join(work.directory, `${count}.parquet`);
    putAside(path, bytes);
    yield { ...file, path };
  }
}

/** Says that the work goes on, and throws `exceeded` / `compaction_memory` where it takes more memory than it may. */
function stepper({ memorySizeMax }: MergeWork): OnStep {
  return () => {
    answer({ kind: "alive" });
    if (process.memoryUsage.rss() <= memorySizeMax) return;
    globalThis.gc?.();
    const sizeBytes = process.memoryUsage.rss();
    if (sizeBytes > memorySizeMax) throw outOfMemory({ sizeBytes, memorySizeMax });
  };
}

function outOfMemory(detail: { sizeBytes?: number; memorySizeMax?: number }): DbError {
  return new DbError(
    "exceeded",
    "compaction_memory",
    "a compaction takes more memory than it may: its files stay as they are, and it is tried again later",
    { detail },
  );
}

function described(error: unknown): DbError {
  if (error instanceof DbError && error.kind !== "internal") return error;
  if (error instanceof RangeError && /allocation failed/.test(error.message))
    return outOfMemory({});
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new DbError("internal", "compaction_failed", message);
}

process.on("message", (call: MergeCall) => {
  if (call.kind === "merge") files = mergedFiles(call.request);
  advance();
});
// A terminal and an init system signal all processes of a group; this one ends with its node.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => undefined);
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
try {
  // Where memory runs out, the system ends this process rather than the node.
  writeFileSync("/proc/self/oom_score_adj", "500");
} catch {
  // Not everywhere is there such a file.
}
