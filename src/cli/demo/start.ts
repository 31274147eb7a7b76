/** `npm start`: a cluster of two nodes on this machine, fed with its own figures. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeError } from "#base/errors.ts";
import { runDemo } from "./demo.ts";

const HELP = `Usage: npm start -- [--data-dir FOLDER] [--once]

Starts two nodes of one cluster, feeds them with this machine's CPU, memory, disk and network figures,
and runs until Ctrl-C.

  --data-dir FOLDER  Keep the data there [default: a temporary folder, removed at the end]
  --once             End after both nodes have shown what was written to the other
`;

const stop = new AbortController();
// The terminal, npm and a shell may each send one; the first one counts.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop.abort());

process.exitCode = await start();

async function start(): Promise<number> {
  const options = readOptions();
  if (typeof options === "number") return options;
  try {
    await runDemo({
      ...options,
      program: fileURLToPath(new URL("../../../bin/tidelake", import.meta.url)),
      stop: stop.signal,
      print: (line) => void process.stdout.write(`${line}\n`),
    });
    return 0;
  } catch (error) {
    process.stderr.write(`error: ${describeError(error)}\n`);
    return 1;
  }
}

/** What the command line says; an exit code where that is all there is to do. */
function readOptions(): { directory: string | undefined; once: boolean } | number {
  try {
    const { values } = parseArgs({
      options: {
        "data-dir": { type: "string" },
        once: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (!values.help) return { directory: values["data-dir"], once: values.once };
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    process.stderr.write(`error: ${describeError(error)}\n`);
    return 2;
  }
}
