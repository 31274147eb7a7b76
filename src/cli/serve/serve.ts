import { availableParallelism, homedir, hostname, totalmem } from "node:os";
import { join } from "node:path";
import { DbError } from "#base/errors.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import type { Settings } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { nodeConfig } from "./config.ts";
import { SERVE_OPTIONS } from "./options.ts";
import { IGNORED_OPTIONS, REFUSED_OPTIONS } from "./other-options.ts";
import { quickStart } from "./quick-start.ts";

export const SERVE: CommandSpec = {
  path: "serve",
  about: "Start a node",
  options: SERVE_OPTIONS,
  run: (input) => serve(input.settings, input.terminal),
};

/** What runs without a command. */
export const QUICK_START: CommandSpec = {
  path: "quick-start",
  about: "Start a node on this machine alone, with a generated node-id and cluster-id",
  options: SERVE_OPTIONS,
  hidden: true,
  run: ({ settings, terminal }: CommandInput) => {
    const { defaults, notices } = quickStart(settings, {
      hostname: hostname(),
      directory: join(homedir(), ".tidelake"),
    });
    const completed = settings.withDefaults(defaults);
    return serve(completed, terminal, notices);
  },
};

/** Runs a node until it is stopped. */
async function serve(
  settings: Settings,
  terminal: Terminal,
  notices: readonly string[] = [],
): Promise<number> {
  refuse(settings);
  const config = nodeConfig(settings, terminal.env, {
    nowMs: Date.now(),
    memoryBytes: machineMemoryBytes(),
    coreCount: availableParallelism(),
    workingDirectory: process.cwd(),
  });
  for (const notice of notices) terminal.out(notice);
  for (const warning of warningsOf(settings)) terminal.error(`warning: ${warning}`);
  // Loaded here, so that the commands of a client do not wait for the database.
  const { runNode } = await import("#node/main.ts");
  return runNode(config, terminal);
}

function refuse(settings: Settings): void {
  const refused = REFUSED_OPTIONS.find(({ name }) => settings.find(name) !== undefined);
  if (refused === undefined) return;
  throw new DbError(
    "unsupported",
    "option_unsupported",
    `--${refused.name} is not supported in this version`,
    { detail: { option: refused.name } },
  );
}

function warningsOf(settings: Settings): readonly string[] {
  const warnings = [...settings.warnings];
  const ignored = IGNORED_OPTIONS.filter(({ name }) => settings.find(name) !== undefined);
  if (ignored.length > 0) {
    const names = ignored.map(({ name }) => `--${name}`).join(", ");
    warnings.push(`without effect in this version: ${names}`);
  }
  return warnings;
}

/** The memory this process may use: the machine's, or less in a container. */
function machineMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
