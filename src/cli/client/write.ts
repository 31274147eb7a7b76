import type { CommandInput, CommandSpec } from "../command.ts";
import { sendForText, serverOf } from "./connection.ts";
import { readInput } from "./input.ts";
import { DATABASE_OPTION, SERVER_OPTIONS } from "./options.ts";

const PRECISIONS = { ns: "nanosecond", us: "microsecond", ms: "millisecond", s: "second" } as const;
const PRECISION_NAMES = ["ns", "us", "ms", "s"] as const;

export const WRITE: CommandSpec = {
  path: "write",
  alias: "w",
  about: "Write lines to a database",
  operands: "[LINE_PROTOCOL...]",
  options: [
    ...SERVER_OPTIONS,
    DATABASE_OPTION,
    { name: "file", short: "f", value: "FILE", about: "Read the lines from this file" },
    {
      name: "precision",
      short: "p",
      value: "PRECISION",
      about: "Unit of the timestamps: ns, us, ms or s [default: by their magnitude]",
    },
    { name: "accept-partial", about: "Store good lines although others are bad" },
    { name: "no-sync", about: "Do not wait until the lines are durable" },
    { name: "quiet", short: "q", about: "Print nothing when it went well" },
  ],
  run: write,
};

async function write(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const database = settings.require("database");
  const precision =
    settings.find("precision") === undefined
      ? undefined
      : PRECISIONS[settings.choose("precision", PRECISION_NAMES)];
  const server = await serverOf(input);
  const body = await readInput(input, {
    several:
      "ensure that a single protocol line string is provided as the final argument, enclosed in quotes",
    empty: "no line protocol string provided",
    missing: "No input from stdin detected, no string was passed in, and no file path was given",
  });
  await sendForText(server, {
    method: "POST",
    path: "/api/v3/write_lp",
    parameters: {
      db: database,
      precision,
      accept_partial: settings.isOn("accept-partial") ? "true" : undefined,
      no_sync: settings.isOn("no-sync") ? "true" : undefined,
    },
    contentType: "text/plain; charset=utf-8",
    body,
  });
  if (!settings.isOn("quiet")) terminal.out("success");
  return 0;
}
