import { Readable, Writable } from "node:stream";
import { runProgram } from "../program.ts";

/** How a command ended, and what it printed. */
export interface Run {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in; undefined: a person sits there. */
  readonly input?: string | Readable;
  /** Takes what a terminal would show of the work's state. */
  readonly showStatus?: (text: string) => void;
  /** Ctrl-C. */
  readonly interrupt?: AbortSignal;
}

/** Runs the command that `words` ask for in this process. */
export async function run(
  words: readonly string[],
  { env = {}, input, showStatus, interrupt }: RunOptions = {},
): Promise<Run> {
  let out = "";
  let error = "";
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out += chunk.toString();
      done();
    },
  });
  const stream =
    input instanceof Readable
      ? input
      : Readable.from(input === undefined ? [] : [Buffer.from(input)]);
  const exitCode = await runProgram(words, {
    programName: "influxdb3",
    env,
    input: input === undefined ? Object.assign(stream, { isTTY: true }) : stream,
    output,
    out: (line) => {
      out += `${line}\n`;
    },
    error: (line) => {
      error += `${line}\n`;
    },
    showStatus,
    catchInterrupt: () => ({
      signal: interrupt ?? new AbortController().signal,
      exitCode: 130,
      [Symbol.dispose]: () => undefined,
    }),
  });
  return { exitCode, out, error };
}
