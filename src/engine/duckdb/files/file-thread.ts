/** The thread that FileWriter starts: makes data files of blocks. */
import { DbError } from "#base/errors.ts";
import { answerCalls } from "#threads/answer-calls.ts";
import { dataFiles } from "./data-files.ts";
import type { FileCalls } from "./messages.ts";

answerCalls<FileCalls>(
  {
    write({ blocks, bytes, ends, ...request }, give) {
      const whole = blocks.map(({ stamp }, index) => {
        return { stamp, bytes: bytes.subarray(ends[index - 1] ?? 0, ends[index]) };
      });
      const files = dataFiles({ ...request, blocks: whole });
      for (const { bytes: made } of files) give(made.buffer as ArrayBuffer);
      return files;
    },
  },
  (message) => new DbError("internal", "file_writer_failed", message),
);
