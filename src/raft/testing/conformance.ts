/** Runs scripts that others wrote, and compares each answer with the one that stands there. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ChangeScript } from "./change-script.ts";
import { Interaction } from "./interaction.ts";
import { QuorumScript } from "./quorum-script.ts";
import { type Directive, parseScript } from "./script.ts";

/** Where an answer first was another, line by line. */
export interface Difference {
  readonly line: number;
  readonly command: string;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
}

export interface ScriptResult {
  /** Relative to the folder that was asked for. */
  readonly path: string;
  readonly difference: Difference | undefined;
}

/** Logs are each implementation's own. */
const LOG_LINE = /^\s*(DEBUG|INFO|WARN|ERROR|FATAL)\b/;
const CHANGE_COMMANDS: ReadonlySet<string> = new Set(["simple", "enter-joint", "leave-joint"]);
const QUORUM_COMMANDS: ReadonlySet<string> = new Set(["committed", "vote"]);

/** Runs every `.txt` below `folder`, each up to its first difference. Throws a plain Error where there is none. */
export function runScripts(folder: string): readonly ScriptResult[] {
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`);
  const paths = globSync("**/*.txt", { cwd: folder }).toSorted();
  if (paths.length === 0) throw new Error(`there are no scripts, *.txt, in ${folder}`);
  return paths.map((path) => ({
    path,
    difference: runScript(readFileSync(join(folder, path), "utf8")),
  }));
}

/** Runs one script; undefined where all its answers are as they should be. */
export function runScript(text: string): Difference | undefined {
  const directives = parse(text);
  if ("line" in directives) return directives;
  const runner = runnerFor(directives);
  for (const directive of directives) {
    const expected = comparable(directive.expected);
    const actual = comparable(answer(runner, directive));
    if (expected.join("\n") === actual.join("\n")) continue;
    return { line: directive.line, command: directive.text, expected, actual };
  }
  return undefined;
}

/** `text` with the answers that its commands give now, and its comments. */
export function rewriteScript(text: string): string {
  const directives = parseScript(text);
  const runner = runnerFor(directives);
  const answers = directives.map((directive) => answer(runner, directive));
  return text.replace(/^----\n(?:.+\n)*/gm, () => `----\n${answers.shift()}\n`);
}

/** For people: the command, and around the first line that differs what stands there and what should. */
export function describeDifference({ line, command, expected, actual }: Difference): string {
  const at = expected.findIndex((text, i) => text !== actual[i]);
  const first = at < 0 ? expected.length : at;
  return [
    `line ${line}: ${command}`,
    ...expected.slice(Math.max(0, first - 3), first).map((text) => `    ${text}`),
    `  - ${expected[first] ?? "(nothing more)"}`,
    `  + ${actual[first] ?? "(nothing more)"}`,
  ].join("\n");
}

function parse(text: string): readonly Directive[] | Difference {
  try {
    const directives = parseScript(text);
    if (directives.length > 0) return directives;
    throw new Error("it holds no commands");
  } catch (error) {
    return { line: 1, command: "(the script)", expected: [], actual: [String(error)] };
  }
}

function runnerFor(directives: readonly Directive[]): { run(directive: Directive): string } {
  const commands = directives.map(({ command }) => command);
  if (commands.some((command) => QUORUM_COMMANDS.has(command))) return new QuorumScript();
  if (commands.some((command) => CHANGE_COMMANDS.has(command))) return new ChangeScript();
  return new Interaction();
}

function answer(runner: { run(directive: Directive): string }, directive: Directive): string {
  try {
    return runner.run(directive);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Without logs, and without the `ok` that stands where there is nothing else. */
function comparable(text: string): readonly string[] {
  const lines = text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => !LOG_LINE.test(line));
  while (lines.at(-1) === "") lines.pop();
  return lines.length === 1 && lines[0] === "ok" ? [] : lines;
}
