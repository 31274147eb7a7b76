import { availableParallelism, homedir, hostname, totalmem } from "node:os";
import { join } from "node:path";
import type { CommandInput, CommandSpec } from "../command.ts";
import { SERVE_OPTIONS } from "./options.ts";
import { prepareNode } from "./prepare.ts";
import { quickStart } from "./quick-start.ts";

export const SERVE: CommandSpec = {
  path: "serve",
  about: "Start a node",
  options: SERVE_OPTIONS,
  takesAnyWord: true,
  run: (input) => serve(input),
};

/** What runs without a command. */
export const QUICK_START: CommandSpec = {
  path: "quick-start",
  about: "Start a node on this machine alone, with a generated node-id and cluster-id",
  options: SERVE_OPTIONS,
  hidden: true,
  run: ({ settings, operands, terminal }: CommandInput) => {
    const { defaults, notices } = quickStart(settings, {
      hostname: hostname(),
      directory: join(homedir(), ".tidelake"),
    });
    return serve({ settings: settings.withDefaults(defaults), operands, terminal }, notices);
  },
};

/** Runs a node until it is stopped. */
async function serve(
  input: Pick<CommandInput, "settings" | "operands" | "terminal">,
  notices: readonly string[] = [],
): Promise<number> {
  const { terminal } = input;
  const { config, warnings } = prepareNode(input.settings, input.operands, terminal.env, {
    nowMs: Date.now(),
    memoryBytes: machineMemoryBytes(),
    coreCount: availableParallelism(),
    workingDirectory: process.cwd(),
  });
  for (const notice of notices) terminal.out(notice);
  for (const warning of warnings) terminal.error(`warning: ${warning}`);
  // Loaded here, so that the commands of a client do not wait for the database.
  const { runNode } = await import("#node/main.ts");
  return runNode(config, terminal);
}

/** The memory this process may use: the machine's, or less in a container. */
function machineMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
