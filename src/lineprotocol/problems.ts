import type { ParseOptions } from "./parsed.ts";
import { KEY } from "./token.ts";

/** What can be wrong with a line. */
export type Problem = keyof typeof TEXTS;

/** Characters of a line that are quoted in a message. */
const CONTEXT_LENGTH_MAX = 10;
const KIB = 1024;

/** The messages, as clients of InfluxDB 3 know them; `text` is the piece of the line they are about. */
const TEXTS = {
  measurement: () => "Invalid measurement was provided",
  space: (text: string) =>
    `Expected at least one space character, got ${text === "" ? "end of input" : `\`${text}\``}`,
  tag_key: (text: string) => `Expected tag key, got ${quoteStart(text)}`,
  tag_value: (text: string) => `Expected tag value, got ${quoteStart(text)}`,
  tag_equals: (text: string) =>
    `Tag set malformed: could not find equals sign in \`${shorten(text)}\``,
  tag_twice: (text: string) =>
    `Must not contain duplicate tags, but \`${text.replace(KEY.escape, "$1")}\` was repeated`,
  no_fields: () => "No fields were provided",
  field_twice: (text: string) =>
    `invalid line protocol - multiple instances of '${text.replace(KEY.escape, "$1")}' field found`,
  integer: (text: string) => `Unable to parse integer value \`${text}\``,
  uinteger: (text: string) => `Unable to parse unsigned integer value \`${text}\``,
  float: (text: string) => `Unable to parse floating-point value \`${text}\``,
  timestamp: (text: string) => `Unable to parse timestamp value \`${text}\``,
  timestamp_range: (text: string, { precision }: ParseOptions) =>
    `timestamp, ${text}, out of range for precision: ${capitalized(precision)}`,
  trailing: (text: string) =>
    `Could not parse entire line. Found trailing content: \`${shorten(text)}\``,
  backslash: () => "Measurements, tag keys and values, and field keys may not end with a backslash",
  name_size: (_: string, { limits }: ParseOptions) =>
    `String is greater than ${sizeText(limits.nameSizeMax)}`,
  string_size: (_: string, { limits }: ParseOptions) =>
    `String is greater than ${sizeText(limits.stringSizeMax)}`,
} as const satisfies Record<string, (text: string, options: ParseOptions) => string>;

/** What the steps of a parser return in place of the offset after them when the line is bad. */
export const FAILED = -1;

/** What is wrong with the line that is being parsed, and which piece of it. Worded only when somebody will read it. */
export class Fault {
  problem: Problem = "no_fields";
  #start = 0;
  #end = 0;

  /** Notes the problem; answers FAILED for the caller to pass on. */
  note(problem: Problem, start: number, end: number): typeof FAILED {
    this.problem = problem;
    this.#start = start;
    this.#end = end;
    return FAILED;
  }

  message(bytes: Buffer, options: ParseOptions): string {
    return TEXTS[this.problem](bytes.toString("utf8", this.#start, this.#end), options);
  }
}

function quoteStart(text: string): string {
  return text === "" ? "end of input" : `\`${shorten(text)}\``;
}

function shorten(text: string): string {
  // A character may take two places in a string.
  const characters = Array.from(text.slice(0, 2 * (CONTEXT_LENGTH_MAX + 1)));
  if (characters.length <= CONTEXT_LENGTH_MAX) return text;
  return `${characters.slice(0, CONTEXT_LENGTH_MAX).join("")}...`;
}

function sizeText(sizeBytes: number): string {
  if (sizeBytes % (KIB * KIB) === 0) return `${sizeBytes / KIB / KIB}MB`;
  return sizeBytes % KIB === 0 ? `${sizeBytes / KIB}KB` : `${sizeBytes} bytes`;
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
