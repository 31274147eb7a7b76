import { basename } from "node:path";
import { Command, CommanderError } from "commander";
import { messageOf } from "#base/errors.ts";
import { VERSION } from "#node/version.ts";
import { CREATE_DATABASE, DELETE_DATABASE, UPDATE_DATABASE } from "./client/database.ts";
import { REMOVE_NODE, STOP_NODE } from "./client/nodes.ts";
import { QUERY } from "./client/query.ts";
import { SHOW_DATABASES, SHOW_NODES, SHOW_TOKENS } from "./client/show.ts";
import { CREATE_TABLE, DELETE_TABLE, UPDATE_TABLE } from "./client/table.ts";
import { CREATE_TOKEN, DELETE_TOKEN } from "./client/token.ts";
import type { CommandSpec } from "./command.ts";
import { OBJECT_STORE_CHECK } from "./debug/object-store-check.ts";
import { SWEEP_LIST, SWEEP_REPORT } from "./debug/sweep.ts";
import { VERIFY_REFERENCES } from "./debug/verify-references.ts";
import { addOptions, Settings } from "./options.ts";
import { QUICK_START, SERVE } from "./serve/serve.ts";
import type { Terminal } from "./terminal.ts";
import { isUsageError } from "./values/usage.ts";
import { WRITE } from "./write/write.ts";

const COMMANDS: readonly CommandSpec[] = [
  SERVE,
  QUICK_START,
  WRITE,
  QUERY,
  CREATE_DATABASE,
  CREATE_TABLE,
  CREATE_TOKEN,
  UPDATE_DATABASE,
  UPDATE_TABLE,
  DELETE_DATABASE,
  DELETE_TABLE,
  DELETE_TOKEN,
  SHOW_DATABASES,
  SHOW_NODES,
  OBJECT_STORE_CHECK,
  VERIFY_REFERENCES,
  SWEEP_LIST,
  SWEEP_REPORT,
  SHOW_TOKENS,
  STOP_NODE,
  REMOVE_NODE,
];
const GROUPS: Readonly<Record<string, string>> = {
  create: "Make a thing",
  debug: "Look into the object store, without a node",
  delete: "Delete a thing",
  update: "Change a thing",
  show: "List things",
  stop: "Stop a thing",
  remove: "Remove a thing",
  sweep: "See what compactors have deleted, and why",
};
const TRY_HELP = "for more information, try '--help'";

/** How a command ended. */
interface Outcome {
  exitCode: number;
}

/**
 * Runs the command that `words` (the command line after the program's name) ask for. Resolves with the exit code:
 * 0, 1 for a failure, 2 for a command line that cannot be understood; both have been printed.
 */
export async function runProgram(words: readonly string[], terminal: Terminal): Promise<number> {
  const end = words.indexOf("--");
  const wantsAll = words.slice(0, end < 0 ? undefined : end).includes("--help-all");
  const outcome: Outcome = { exitCode: 0 };
  const program = buildProgram(terminal, wantsAll, outcome);
  const [first, ...rest] = words;
  // `help query` asks for what `query --help` does.
  const plain = first === "help" ? [...rest, "--help"] : words;
  const asked = plain.map((word) => (wantsAll && word === "--help-all" ? "--help" : word));
  try {
    await program.parseAsync(asked, { from: "user" });
    return outcome.exitCode;
  } catch (error) {
    // Commander has printed the help, the version or the complaint.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function buildProgram(terminal: Terminal, showAdvanced: boolean, outcome: Outcome): Command {
  const program = new Command(basename(terminal.programName));
  prepare(program, terminal);
  program
    .description("Tidelake, a time-series database cluster.")
    .version(`${program.name()} ${VERSION}`, "-V, --version", "Print the version")
    .enablePositionalOptions()
    .helpCommand(false);
  addOptions(
    program,
    [{ name: "num-io-threads", value: "COUNT", about: "No effect", advanced: true }],
    showAdvanced,
  );
  program.addHelpText(
    "after",
    `\nWithout a command it starts a node on this machine alone; it takes the options of 'serve'.`,
  );
  for (const spec of COMMANDS) addCommand(program, spec, { terminal, showAdvanced, outcome });
  return program;
}

interface Setting {
  readonly terminal: Terminal;
  readonly showAdvanced: boolean;
  readonly outcome: Outcome;
}

function addCommand(
  program: Command,
  spec: CommandSpec,
  { terminal, showAdvanced, outcome }: Setting,
): void {
  const words = spec.path.split(" ");
  const name = words.at(-1) ?? "";
  const groups = words.slice(0, -1);
  const parent = groups.reduce((group, word) => groupOf(group, word, terminal), program);
  const operands = spec.operands === undefined ? "" : ` ${spec.operands}`;
  const command = parent.command(`${name}${operands}`, {
    hidden: spec.hidden === true,
    isDefault: spec === QUICK_START,
  });
  prepare(command, terminal);
  command.description(spec.about);
  if (spec.alias !== undefined) command.alias(spec.alias);
  addOptions(command, spec.options, showAdvanced);
  if (spec.notes !== undefined) command.addHelpText("after", `\n${spec.notes}`);
  const takesNone = spec.operands === undefined && spec.takesAnyWord !== true;
  command.allowExcessArguments(takesNone || spec.takesAnyWord === true);
  command.action(async () => {
    // Quick start is what any word leads to that is no command.
    const [word] = command.args;
    if (spec === QUICK_START && word !== undefined)
      command.error(`error: unknown command '${word}'`);
    if (takesNone && word !== undefined) command.error(`error: ${strayWord(word)}`);
    outcome.exitCode = await runCommand(spec, command, terminal);
  });
}

/** What to say of a word of a command that takes options alone. */
function strayWord(word: string): string {
  return `no option stands before '${word}': give --option value`;
}

async function runCommand(
  spec: CommandSpec,
  command: Command,
  terminal: Terminal,
): Promise<number> {
  try {
    const settings = new Settings(spec.options, command.opts(), terminal.env);
    return await spec.run({ settings, operands: command.args, terminal });
  } catch (error) {
    if (isUsageError(error)) {
      terminal.error(`error: ${error.message}; ${TRY_HELP}`);
      return 2;
    }
    terminal.error(`${verbOf(spec)} command failed: ${messageOf(error)}`);
    return 1;
  }
}

/** The command `word` below `parent` that has several commands below itself. */
function groupOf(parent: Command, word: string, terminal: Terminal): Command {
  const found = parent.commands.find((command) => command.name() === word);
  if (found !== undefined) return found;
  const group = parent
    .command(word)
    .description(GROUPS[word] ?? "")
    .helpCommand(false);
  prepare(group, terminal);
  return group;
}

/** What all commands have in common: where they print, and that they never end the process. */
function prepare(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .helpOption("-h, --help", "Print this help; --help-all prints rarely used options, too")
    .configureHelp({ showGlobalOptions: false, sortOptions: false })
    .configureOutput({
      writeOut: (text) => void terminal.output.write(text),
      writeErr: (text) => terminal.error(text.trimEnd()),
      outputError: (text, write) =>
        write(`${text.trim().replaceAll(/\s*\n\s*/g, " ")}; ${TRY_HELP}`),
    });
}

function verbOf(spec: CommandSpec): string {
  const verb = spec === QUICK_START ? SERVE.path : (spec.path.split(" ")[0] ?? "");
  return `${verb.slice(0, 1).toUpperCase()}${verb.slice(1)}`;
}
