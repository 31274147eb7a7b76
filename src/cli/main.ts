import { messageOf } from "#base/errors.ts";
import { runProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";
import { loadDotenv } from "./values/dotenv.ts";

// Whoever reads our output may stop early, like `head`: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

loadDotenv(process.cwd(), process.env);
const terminal = processTerminal();
try {
  process.exitCode = await runProgram(process.argv.slice(2), terminal);
} catch (error) {
  terminal.error(`error: ${messageOf(error)}`);
  process.exitCode = 1;
}
// Whatever the command left open must not keep the process.
process.stdout.write("", () => process.exit());
