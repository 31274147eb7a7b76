import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";

/** What a command sees of the process that runs it. */
export interface Terminal {
  /** The name the program was called by. */
  readonly programName: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
  /** Prints a line of the result. */
  out(line: string): void;
  /** Prints a line about the work: errors, warnings, questions. */
  error(line: string): void;
  /** Shows `text` in place of what it showed before, on the last line of standard error; undefined where that is no terminal. */
  readonly showStatus: ((text: string) => void) | undefined;
  /** Keeps Ctrl-C and SIGTERM from ending the process, once, until it is disposed. */
  catchInterrupt(): Interrupt;
}

/** A wish to end that was caught. */
export interface Interrupt extends Disposable {
  /** Aborted when it came. */
  readonly signal: AbortSignal;
  /** What a process that it ended exits with. */
  readonly exitCode: number;
}

/** The columns of a terminal that does not say how many it has. */
const COLUMN_COUNT = 80;
/** To the line's start; erase to its end. */
const CLEAR_LINE = "\r\x1b[K";

/** The process itself. */
export function processTerminal(): Terminal {
  return {
    programName: process.env["TIDELAKE_PROGRAM_NAME"] ?? "tidelake",
    env: process.env,
    input: process.stdin,
    output: process.stdout,
    out: (line) => void process.stdout.write(`${line}\n`),
    error: (line) => void process.stderr.write(`${line}\n`),
    showStatus: process.stderr.isTTY ? showStatus : undefined,
    catchInterrupt,
  };
}

function showStatus(text: string): void {
  // A line that wraps could not be erased.
  const shown = text.slice(0, (process.stderr.columns || COLUMN_COUNT) - 1);
  process.stderr.write(`${CLEAR_LINE}${shown}`);
}

function catchInterrupt(): Interrupt {
  const aborter = new AbortController();
  let exitCode = 0;
  const names = ["SIGINT", "SIGTERM"] as const;
  const stop = (name: (typeof names)[number]): void => {
    exitCode = 128 + constants.signals[name];
    aborter.abort();
    release();
  };
  const release = (): void => {
    for (const name of names) process.off(name, stop);
  };
  for (const name of names) process.on(name, stop);
  return {
    signal: aborter.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: release,
  };
}

/** All bytes of `input`, to its end. */
export async function readAll(input: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
