import { createInterface } from "node:readline";
import { DbError } from "#base/errors.ts";
import type { Terminal } from "../terminal.ts";

/** Asks `question`; rejects with `invalid` / `not_confirmed` unless the next line of input says yes. `flag` is the option that leaves the question out. */
export async function confirm(terminal: Terminal, question: string, flag: string): Promise<void> {
  terminal.error(`${question} Enter 'yes' or 'y' to confirm`);
  const answer = (await readLine(terminal)) ?? "";
  if (["yes", "y"].includes(answer.trim().toLowerCase())) return;
  const message = `Cannot proceed without confirmation: answer yes, or give ${flag}`;
  throw new DbError("invalid", "not_confirmed", message);
}

/** The next line of input, undefined at its end. */
export async function readLine(terminal: Terminal): Promise<string | undefined> {
  const lines = createInterface({ input: terminal.input });
  try {
    for await (const line of lines) return line;
    return undefined;
  } finally {
    lines.close();
  }
}
