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

const PATH = "/api/v3/configure/table";
const TYPES = ["int64", "uint64", "float64", "utf8", "bool"];

export const CREATE_TABLE: CommandSpec = {
  path: "create table",
  about:
    "Make a table; writes make theirs by themselves, unless the database has an explicit schema",
  operands: "<NAME>",
  options: [
    ...SERVER_OPTIONS,
    DATABASE_OPTION,
    { name: "tags", value: "NAMES", about: "Its tags, joined by commas", repeats: true },
    {
      name: "fields",
      short: "f",
      value: "FIELDS",
      about: `Its fields, each name:type, joined by commas; types are ${TYPES.join(", ")}`,
      repeats: true,
    },
    RETENTION_OPTION,
  ],
  run: createTable,
};

export const UPDATE_TABLE: CommandSpec = {
  path: "update table",
  about: "Change how long a table's rows are kept; none: as long as those of its database",
  operands: "<NAME>",
  options: [...SERVER_OPTIONS, DATABASE_OPTION, RETENTION_OPTION],
  run: updateTable,
};

export const DELETE_TABLE: CommandSpec = {
  path: "delete table",
  about: "Delete a table, or its rows",
  operands: "<NAME>",
  options: [...SERVER_OPTIONS, DATABASE_OPTION, ...DROP_OPTIONS],
  run: deleteTable,
};

async function createTable(input: CommandInput): Promise<number> {
  const target = targetOf(input);
  const { settings } = input;
  const tags = listOf(settings.find("tags"));
  const fields = listOf(settings.find("fields")).map(fieldOf);
  const retention = settings.find("retention-period");
  const body = {
    ...target,
    tags,
    fields,
    ...(retention && { retention_period: retentionOf(retention) }),
  };
  return send(input, "POST", body, "created");
}

function updateTable(input: CommandInput): Promise<number> {
  const retention = input.settings.require("retention-period");
  const body = { ...targetOf(input), retention_period: retentionOf(retention) };
  return send(input, "PUT", body, "updated");
}

async function deleteTable(input: CommandInput): Promise<number> {
  const { settings, terminal } = input;
  const target = targetOf(input);
  const name = shown(target);
  if (!settings.isOn("yes"))
    await confirm(terminal, `Are you sure you want to delete ${name}?`, "--yes");
  await sendForText(await serverOf(input), {
    method: "DELETE",
    path: PATH,
    parameters: {
      ...target,
      hard_delete_at: settings.find("hard-delete"),
      data_only: settings.isOn("data-only") ? "true" : undefined,
    },
  });
  terminal.out(`Table ${name} deleted successfully`);
  return 0;
}

interface Target {
  readonly db: string;
  readonly table: string;
}

async function send(
  input: CommandInput,
  method: "POST" | "PUT",
  body: Target,
  done: string,
): Promise<number> {
  await sendForText(await serverOf(input), {
    method,
    path: PATH,
    contentType: "application/json",
    body: utf8(JSON.stringify(body)),
  });
  input.terminal.out(`Table ${shown(body)} ${done} successfully`);
  return 0;
}

function targetOf({ operands, settings }: CommandInput): Target {
  const [table = ""] = operands;
  if (table === "") throw usageError("the name of the table is required");
  return { db: settings.require("database"), table };
}

function shown({ db, table }: Target): string {
  return `"${db}"."${table}"`;
}

function listOf(text = ""): readonly string[] {
  return text.split(",").filter((part) => part !== "");
}

function fieldOf(text: string): { readonly name: string; readonly type: string } {
  const separator = text.lastIndexOf(":");
  const type = text.slice(separator + 1);
  if (separator > 0 && TYPES.includes(type)) return { name: text.slice(0, separator), type };
  throw usageError(`'${text}' is no field: give name:type, with a type of ${TYPES.join(", ")}`);
}
