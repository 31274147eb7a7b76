import { operatorExpiryWarning } from "#access/operator-expiry.ts";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { CommandInput, CommandSpec } from "../command.ts";
import { send, sendForText, serverOf } from "./connection.ts";
import { type Format, RESULT_OPTIONS, SERVER_OPTIONS } from "./options.ts";
import { runQuery } from "./query.ts";
import { formatOf, writeResult } from "./result.ts";

/** All but `cli_params`, which no terminal is wide enough for. */
const NODE_COLUMNS =
  "node_id, node_catalog_id, instance_id, mode, core_count, state, updated_at, last_seen, epoch";

export const SHOW_DATABASES: CommandSpec = {
  path: "show databases",
  about: "List the databases",
  options: [
    ...SERVER_OPTIONS,
    { name: "show-deleted", about: "Deleted ones, too" },
    ...RESULT_OPTIONS,
  ],
  run: showDatabases,
};

export const SHOW_NODES: CommandSpec = {
  path: "show nodes",
  about: "List the nodes of the cluster",
  options: [...SERVER_OPTIONS, ...RESULT_OPTIONS],
  run: (input) => showTable(input, "nodes", NODE_COLUMNS),
};

export const SHOW_TOKENS: CommandSpec = {
  path: "show tokens",
  about: "List the tokens, without their texts",
  options: [...SERVER_OPTIONS, ...RESULT_OPTIONS],
  run: showTokens,
};

const operatorSchema = v.array(v.object({ name: v.string(), expiry: v.string() }));

async function showDatabases(input: CommandInput): Promise<number> {
  const format = textFormat(input);
  const answer = await send(await serverOf(input), {
    method: "GET",
    path: "/api/v3/configure/database",
    parameters: { format, show_deleted: String(input.settings.isOn("show-deleted")) },
  });
  await writeResult(input, answer);
  return 0;
}

/** The table; and for people, what to do about an operator's token that ends. */
async function showTokens(input: CommandInput): Promise<number> {
  await showTable(input, "tokens");
  if (formatOf(input) !== "pretty") return 0;
  const text = await sendForText(await serverOf(input), {
    method: "POST",
    path: "/api/v3/query_sql",
    contentType: "application/json",
    body: utf8(
      JSON.stringify({
        db: "_internal",
        q: "SELECT name, expiry FROM system.tokens WHERE token_id = 0 AND expiry IS NOT NULL",
        format: "json",
      }),
    ),
  });
  for (const { name, expiry } of v.parse(operatorSchema, JSON.parse(text))) {
    const expiresAtNs = BigInt(Date.parse(`${expiry}Z`)) * 1_000_000n;
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    input.terminal.error(`warning: ${operatorExpiryWarning(name, expiresAtNs, nowNs)}`);
  }
  return 0;
}

/** Prints a table of the cluster's own; in a terminal `prettyColumns` of it. */
async function showTable(input: CommandInput, name: string, prettyColumns = "*"): Promise<number> {
  const format = textFormat(input);
  const columns = format === "pretty" ? prettyColumns : "*";
  await runQuery(input, await serverOf(input), {
    database: "_internal",
    text: `SELECT ${columns} FROM system.${name}`,
    format,
  });
  return 0;
}

/** Any format but parquet. */
function textFormat(input: CommandInput): Format {
  const format = formatOf(input);
  if (format !== "parquet") return format;
  throw new DbError(
    "invalid",
    "format_unsupported",
    "parquet format is not supported for this command",
  );
}
