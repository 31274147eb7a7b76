import type { Readable, Writable } from "node:stream";

/** What a command sees of the process that runs it. */
export interface Terminal {
  /** The name the program was called by. */
  readonly programName: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable;
  /** Prints a line of the result. */
  out(line: string): void;
  /** Prints a line about the work: errors, warnings, questions. */
  error(line: string): void;
}

/** The process itself. */
export function processTerminal(): Terminal {
  return {
    programName: process.env["TIDELAKE_PROGRAM_NAME"] ?? "tidelake",
    env: process.env,
    input: process.stdin,
    output: process.stdout,
    out: (line) => void process.stdout.write(`${line}\n`),
    error: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** All bytes of `input`, to its end. */
export async function readAll(input: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
