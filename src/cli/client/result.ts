import { once } from "node:events";
import { open, rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import { DbError, describeError } from "#base/errors.ts";
import type { CommandInput } from "../command.ts";
import { bodyOf } from "./connection.ts";
import { FORMATS, type Format } from "./options.ts";

const NEWLINE = 0x0a;

/** The format asked for; parquet needs a file. Throws `invalid` / `output_missing`. */
export function formatOf({ settings }: CommandInput): Format {
  const format = settings.choose("format", FORMATS);
  if (format === "parquet" && settings.find("output") === undefined) {
    throw new DbError(
      "invalid",
      "output_missing",
      "must specify an output file path with `--output` parameter when formatting the output as `parquet`",
    );
  }
  return format;
}

/** Writes the body of `answer` to the file of --output, else to the output, there with a newline at its end. */
export async function writeResult(input: CommandInput, answer: IncomingMessage): Promise<void> {
  const path = input.settings.find("output");
  try {
    if (path === undefined) await print(bodyOf(answer), input.terminal.output);
    else await save(bodyOf(answer), path);
  } finally {
    answer.destroy();
  }
}

async function print(body: AsyncIterable<Buffer>, output: Writable): Promise<void> {
  let lastByte: number = NEWLINE;
  for await (const chunk of body) {
    lastByte = chunk.at(-1) ?? lastByte;
    if (!output.write(chunk)) await once(output, "drain");
  }
  if (lastByte !== NEWLINE) output.write("\n");
}

async function save(body: AsyncIterable<Buffer>, path: string): Promise<void> {
  const file = await open(path, "w").catch((error: unknown) => {
    throw new DbError("invalid", "file_unwritable", `error writing file: ${describeError(error)}`, {
      cause: error,
    });
  });
  try {
    for await (const chunk of body) await file.write(chunk);
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    // Half a result would pass for a whole one.
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) await rm(path, { force: true });
    throw error;
  }
}
