import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { DbError } from "#base/errors.ts";
import type { CommandInput } from "../command.ts";
import { readAll } from "../terminal.ts";
import { fileUnreadable } from "./connection.ts";

/** What a command says when its text is missing. */
export interface InputTexts {
  /** More than one operand. */
  readonly several: string;
  /** A text that is empty. */
  readonly empty: string;
  /** No operand, no file and nothing piped. */
  readonly missing: string;
}

/** The text a command works on, yet to be read. */
export interface TextInput {
  readonly source: "operand" | "file" | "pipe";
  readonly stream: Readable;
  /** Known of texts and of files; undefined of what is piped in. */
  readonly sizeBytes: number | undefined;
  /** What to say when there is nothing in it. */
  readonly emptyText: string;
}

const CHUNK_SIZE = 2 ** 20;

/**
 * The text a command works on: its operand, else the file of --file, else what is piped into it.
 * Rejects with `invalid` / `input_missing` or `file_unreadable`.
 */
export async function openInput(
  { operands, settings, terminal }: CommandInput,
  texts: InputTexts,
): Promise<TextInput> {
  if (operands.length > 1) throw inputMissing(texts.several);
  const [operand] = operands;
  const path = settings.find("file");
  if (operand !== undefined) {
    const bytes = Buffer.from(operand);
    const stream = Readable.from(bytes.length === 0 ? [] : [bytes]);
    return { source: "operand", stream, sizeBytes: bytes.length, emptyText: texts.empty };
  }
  if (path !== undefined) return { ...(await openFile(path)), emptyText: texts.empty };
  if (terminal.input.isTTY === true) throw inputMissing(texts.missing);
  const { input: stream } = terminal;
  return { source: "pipe", stream, sizeBytes: undefined, emptyText: texts.missing };
}

/** The whole text of `openInput`. */
export async function readInput(input: CommandInput, texts: InputTexts): Promise<Uint8Array> {
  const opened = await openInput(input, texts);
  const bytes = await readAll(chunksOf(opened));
  if (bytes.length === 0) throw inputMissing(opened.emptyText);
  return bytes;
}

/** The bytes of `input` as they come; rejects with `invalid` / `file_unreadable`. */
export async function* chunksOf({ stream }: TextInput): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw fileUnreadable(error);
  }
}

/** The complaint about an input that is not there. */
export function inputMissing(message: string): DbError {
  return new DbError("invalid", "input_missing", message);
}

async function openFile(path: string): Promise<Omit<TextInput, "emptyText">> {
  try {
    const file = await open(path);
    const found = await file.stat();
    const stream = file.createReadStream({ highWaterMark: CHUNK_SIZE });
    return { source: "file", stream, sizeBytes: found.isFile() ? found.size : undefined };
  } catch (error) {
    throw fileUnreadable(error);
  }
}
