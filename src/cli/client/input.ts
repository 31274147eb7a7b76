import { DbError } from "#base/errors.ts";
import type { CommandInput } from "../command.ts";
import { readAll } from "../terminal.ts";
import { readNamedFile } from "./connection.ts";

/** What a command says when its text is missing. */
export interface InputTexts {
  /** More than one operand. */
  readonly several: string;
  /** A text that is empty. */
  readonly empty: string;
  /** No operand, no file and nothing piped. */
  readonly missing: string;
}

/**
 * The text a command works on: its operand, else the file of --file, else what is piped into it.
 * Rejects with `invalid` / `input_missing` or `file_unreadable`.
 */
export async function readInput(
  { operands, settings, terminal }: CommandInput,
  texts: InputTexts,
): Promise<Uint8Array> {
  if (operands.length > 1) throw missing(texts.several);
  const [operand] = operands;
  const file = settings.find("file");
  if (operand !== undefined) return nonEmpty(Buffer.from(operand), texts.empty);
  if (file !== undefined) return nonEmpty(await readNamedFile(file), texts.empty);
  if (terminal.input.isTTY === true) throw missing(texts.missing);
  return nonEmpty(await readAll(terminal.input), texts.missing);
}

function nonEmpty(bytes: Uint8Array, complaint: string): Uint8Array {
  if (bytes.length === 0) throw missing(complaint);
  return bytes;
}

function missing(message: string): DbError {
  return new DbError("invalid", "input_missing", message);
}
