import type { OptionSpec, Settings } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** A command of the program; program.ts makes commander's commands of these. */
export interface CommandSpec {
  /** As typed: `create database`. */
  readonly path: string;
  readonly alias?: string;
  readonly about: string;
  /** What its help says below the options, in lines of at most 80 characters. */
  readonly notes?: string;
  /** Its operands as the help shows them, like `[NAME]`. */
  readonly operands?: string;
  readonly options: readonly OptionSpec[];
  /** Is given words that the help does not show, to say better what is wrong with them. */
  readonly takesAnyWord?: boolean;
  /** Not listed in the help. */
  readonly hidden?: boolean;
  /** Resolves with the exit code. What it throws is printed as `<Verb> command failed: …`. */
  run(input: CommandInput): Promise<number>;
}

export interface CommandInput {
  readonly settings: Settings;
  readonly operands: readonly string[];
  readonly terminal: Terminal;
}
