/**
 * Scripts of commands and the answers they are to give:
 *
 *     # a comment
 *     command argument key=value key=(one, two)
 *     input, any number of lines
 *     ----
 *     the answer, up to an empty line
 *
 * An answer that holds empty lines stands between two lines of `----` and two more.
 */

export interface Argument {
  readonly key: string;
  /** Empty where nothing was said but the key. */
  readonly values: readonly string[];
}

export interface Directive {
  readonly command: string;
  readonly args: readonly Argument[];
  readonly input: string;
  readonly expected: string;
  /** The number of the line with the command, from 1. */
  readonly line: number;
  /** The command as it is written. */
  readonly text: string;
}

const SEPARATOR = "----";
const ARGUMENT = /([^\s=]+)(?:=(?:\(([^)]*)\)|(\S*)))?/g;

/** Throws a plain Error, with the number of the line, where `text` is no script. */
export function parseScript(text: string): readonly Directive[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const directives: Directive[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    if (line === "" || line.startsWith("#")) {
      at += 1;
      continue;
    }
    const separator = lines.indexOf(SEPARATOR, at);
    if (separator < 0) throw new Error(`line ${at + 1}: no ${SEPARATOR} follows the command`);
    const { expected, end } = readAnswer(lines, separator + 1);
    const command = readCommand(lines, at);
    directives.push({
      ...parseCommand(command.text),
      input: lines.slice(command.end, separator).join("\n"),
      expected,
      line: at + 1,
    });
    at = end;
  }
  return directives;
}

/** The command at `start`, which goes on in the next line after a backslash. */
function readCommand(lines: readonly string[], start: number): { text: string; end: number } {
  let text = lines[start] ?? "";
  let end = start + 1;
  while (text.endsWith("\\")) {
    text = `${text.slice(0, -1)} ${(lines[end] ?? "").trim()}`;
    end += 1;
  }
  return { text, end };
}

function readAnswer(lines: readonly string[], start: number): { expected: string; end: number } {
  if (lines[start] !== SEPARATOR) {
    const blank = lines.indexOf("", start);
    const end = blank < 0 ? lines.length : blank;
    return { expected: lines.slice(start, end).join("\n"), end };
  }
  for (let at = start + 1; at + 1 < lines.length; at += 1) {
    if (lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR) {
      return { expected: lines.slice(start + 1, at).join("\n"), end: at + 2 };
    }
  }
  throw new Error(`line ${start + 1}: no two lines of ${SEPARATOR} end the answer`);
}

function parseCommand(text: string): Pick<Directive, "command" | "args" | "text"> {
  const [first, ...rest] = [...text.matchAll(ARGUMENT)];
  const args = rest.map(([whole, key = "", list, value]) => {
    if (list !== undefined) return { key, values: splitList(list) };
    return { key, values: whole.includes("=") ? [value ?? ""] : [] };
  });
  return { command: first?.[0] ?? "", args, text };
}

function splitList(list: string): readonly string[] {
  return list
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}
