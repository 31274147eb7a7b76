import { utf8 } from "#base/bytes.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { usageError } from "../values/usage.ts";
import { confirm } from "./confirm.ts";
import { sendForText, serverOf } from "./connection.ts";
import {
  DATABASE_OPTION,
  DROP_OPTIONS,
  RETENTION_OPTION,
  retentionOf,
  SERVER_OPTIONS,
} from "./options.ts";

const PATH = "/api/v3/configure/database";
const NAME_VARIABLE = "INFLUXDB3_DATABASE_NAME";

export const CREATE_DATABASE: CommandSpec = {
  path: "create database",
  about: `Make a database [env: ${NAME_VARIABLE}]`,
  operands: "[NAME]",
  options: [
    ...SERVER_OPTIONS,
    { ...RETENTION_OPTION, default: "none" },
    {
      name: "schema-mode",
      value: "MODE",
      about: "implicit: writes make tables and columns; explicit: they do not",
    },
  ],
  run: createDatabase,
};

export const UPDATE_DATABASE: CommandSpec = {
  path: "update database",
  about: "Change how long a database's rows are kept; none: for ever",
  options: [...SERVER_OPTIONS, DATABASE_OPTION, RETENTION_OPTION],
  run: updateDatabase,
};

export const DELETE_DATABASE: CommandSpec = {
  path: "delete database",
  about: "Delete a database, or what is in it",
  operands: "<NAME>",
  options: [
    ...SERVER_OPTIONS,
    ...DROP_OPTIONS,
    { name: "remove-tables", about: "With --data-only: delete the tables as well" },
  ],
  run: deleteDatabase,
};

async function createDatabase(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const name = input.operands[0] ?? terminal.env[NAME_VARIABLE];
  if (name === undefined || name === "") {
    throw usageError(`the name of the database (or the variable ${NAME_VARIABLE}) is required`);
  }
  const period = retentionOf(settings.require("retention-period"));
  const mode = settings.find("schema-mode");
  await sendForText(await serverOf(input), {
    method: "POST",
    path: PATH,
    contentType: "application/json",
    body: utf8(
      JSON.stringify({
        db: name,
        ...(period !== null && { retention_period: period }),
        ...(mode !== undefined && { schema_mode: mode }),
      }),
    ),
  });
  terminal.out(`Database "${name}" created successfully`);
  return 0;
}

async function updateDatabase(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const name = settings.require("database");
  const retention = retentionOf(settings.require("retention-period"));
  await sendForText(await serverOf(input), {
    method: "PUT",
    path: PATH,
    contentType: "application/json",
    body: utf8(JSON.stringify({ db: name, retention_period: retention })),
  });
  terminal.out(`Database "${name}" updated successfully`);
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
    parameters: {
      db: name,
      hard_delete_at: settings.find("hard-delete"),
      data_only: settings.isOn("data-only") ? "true" : undefined,
      remove_tables: settings.isOn("remove-tables") ? "true" : undefined,
    },
  });
  terminal.out(`Database "${name}" deleted successfully`);
  return 0;
}
