import { utf8 } from "#base/bytes.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { usageError } from "../values/usage.ts";
import { confirm } from "./confirm.ts";
import { sendForText, serverOf } from "./connection.ts";
import { SERVER_OPTIONS } from "./options.ts";

const PATH = "/api/v3/configure/database";
const NAME_VARIABLE = "INFLUXDB3_DATABASE_NAME";

export const CREATE_DATABASE: CommandSpec = {
  path: "create database",
  about: `Make a database [env: ${NAME_VARIABLE}]`,
  operands: "[NAME]",
  options: [
    ...SERVER_OPTIONS,
    {
      name: "retention-period",
      value: "DURATION",
      about: "How long rows are kept, like 30d or 1y, or none: for ever",
      default: "none",
    },
  ],
  run: createDatabase,
};

export const DELETE_DATABASE: CommandSpec = {
  path: "delete database",
  about: "Delete a database",
  operands: "<NAME>",
  options: [
    ...SERVER_OPTIONS,
    {
      name: "hard-delete",
      value: "WHEN",
      about: "When its data is erased: never, now, default, or a time like 2030-01-01T00:00:00Z",
    },
    { name: "yes", short: "y", about: "Do not ask" },
  ],
  run: deleteDatabase,
};

async function createDatabase(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const name = input.operands[0] ?? terminal.env[NAME_VARIABLE];
  if (name === undefined || name === "") {
    throw usageError(`the name of the database (or the variable ${NAME_VARIABLE}) is required`);
  }
  const retention = settings.require("retention-period");
  await sendForText(await serverOf(input), {
    method: "POST",
    path: PATH,
    contentType: "application/json",
    body: utf8(
      JSON.stringify({
        db: name,
        ...(retention.toLowerCase() === "none" ? {} : { retention_period: retention }),
      }),
    ),
  });
  terminal.out(`Database "${name}" created successfully`);
  return 0;
}

async function deleteDatabase(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const name = input.operands[0] ?? "";
  if (name === "") throw usageError("the name of the database is required");
  const server = await serverOf(input);
  if (!settings.isOn("yes"))
    await confirm(terminal, `Are you sure you want to delete "${name}"?`, "--yes");
  await sendForText(server, {
    method: "DELETE",
    path: PATH,
    parameters: { db: name, hard_delete_at: settings.find("hard-delete") },
  });
  terminal.out(`Database "${name}" deleted successfully`);
  return 0;
}
