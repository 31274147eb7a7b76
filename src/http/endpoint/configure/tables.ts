import { DbError } from "#base/errors.ts";
import { INTERNAL_DATABASE } from "#model/database-name.ts";
import type { FieldKind } from "#model/schema.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import {
  isJsonObject,
  type JsonValue,
  jsonParameters,
  Parameters,
  typeText,
} from "../../exchange/parameters.ts";
import { emptyReply, type Reply } from "../../exchange/reply.ts";
import type { CreateTableRequest, TableTarget } from "../../services.ts";
import { hardDeleteTime } from "./hard-delete.ts";
import { requireFound } from "./not-found.ts";
import { queriedRetention, retentionOf } from "./retention.ts";

type NewColumns = CreateTableRequest["columns"];

/** Names of tables and columns, in bytes. */
const NAME_SIZE_MAX = 65_536;

const KIND_OF_TYPE: ReadonlyMap<string, FieldKind> = new Map([
  ["utf8", "string"],
  ["int64", "integer"],
  ["uint64", "uinteger"],
  ["float64", "float"],
  ["bool", "boolean"],
]);

/** POST /api/v3/configure/table. */
export async function createTable(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  const target = targetOf(parameters);
  requireName(parameters, target.table);
  if (!parameters.has("tags")) throw parameters.wrong("missing field `tags`");
  const columns = columnsOf(parameters);
  const retentionNs = retentionOf(parameters);
  const work = exchange.services.createTable({ ...target, columns, retentionNs });
  await requireFound(target, work);
  return emptyReply(200);
}

/** PATCH /api/v3/configure/table: adds columns. */
export async function extendTable(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  const target = targetOf(parameters);
  const columns = columnsOf(parameters);
  await requireFound(target, exchange.services.extendTable({ ...target, columns }));
  return emptyReply(200);
}

/** PUT /api/v3/configure/table: how long its rows are kept; null: as long as those of its database. */
export async function updateTable(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  const target = targetOf(parameters);
  if (!parameters.has("retention_period")) {
    throw parameters.wrong("missing field `retention_period`");
  }
  await keepRows(exchange, target, retentionOf(parameters));
  return emptyReply(200);
}

/** POST /api/v3/enterprise/configure/table/retention_period, with its values in the URL. */
export async function setTableRetention(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  await keepRows(exchange, targetOf(parameters), queriedRetention(parameters));
  return emptyReply(204);
}

/** DELETE /api/v3/enterprise/configure/table/retention_period. */
export async function clearTableRetention(exchange: Exchange): Promise<Reply> {
  await keepRows(exchange, targetOf(Parameters.fromQuery(exchange.query ?? "")), undefined);
  return emptyReply(204);
}

/** DELETE /api/v3/configure/table. */
export async function deleteTable(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  const target = targetOf(parameters);
  const scope = parameters.boolean("data_only", false) ? "rows" : "table";
  const hardDelete = hardDeleteTime(parameters, exchange.clock.nowNs());
  await requireFound(target, exchange.services.deleteTable({ ...target, hardDelete, scope }));
  return emptyReply(200);
}

async function keepRows(
  { services }: Exchange,
  target: TableTarget,
  retentionNs: bigint | undefined,
): Promise<void> {
  await requireFound(target, services.updateTable({ ...target, retentionNs }));
}

function targetOf(parameters: Parameters): TableTarget {
  const database = parameters.requiredText("db");
  const table = parameters.requiredText("table");
  if (database !== INTERNAL_DATABASE) return { database, table };
  throw new DbError("invalid", "database_internal", "cannot modify internal db");
}

/** The columns of a body: `tags`, then `fields`. */
function columnsOf(parameters: Parameters): NewColumns {
  const tags = listOf(parameters, "tags").map((name) => ({
    name: columnName(parameters, name),
    kind: "tag" as const,
  }));
  const fields = listOf(parameters, "fields").map((field) => fieldOf(parameters, field));
  const columns = [...tags, ...fields];
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) throw parameters.wrong(`column \`${name}\` stands twice`);
    names.add(name);
  }
  return columns;
}

function fieldOf(parameters: Parameters, field: JsonValue): NewColumns[number] {
  if (!isJsonObject(field)) {
    throw parameters.wrong(`invalid type: ${typeText(field)}, expected a field`);
  }
  const { name, type } = field;
  if (name === undefined) throw parameters.wrong("missing field `name`");
  if (type === undefined) throw parameters.wrong("missing field `type`");
  return { name: columnName(parameters, name), kind: kindOf(parameters, type) };
}

function kindOf(parameters: Parameters, type: JsonValue): FieldKind {
  if (typeof type !== "string") {
    throw parameters.wrong(`invalid type: ${typeText(type)}, expected a string`);
  }
  const kind = KIND_OF_TYPE.get(type);
  if (kind !== undefined) return kind;
  const types = [...KIND_OF_TYPE.keys()].map((known) => `\`${known}\``).join(", ");
  throw parameters.wrong(`unknown variant \`${type}\`, expected one of ${types}`);
}

function listOf(parameters: Parameters, name: string): readonly JsonValue[] {
  const value = parameters.value(name) ?? [];
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw parameters.wrong(`invalid type: ${typeText(value)}, expected a sequence`);
}

function columnName(parameters: Parameters, value: JsonValue): string {
  if (typeof value !== "string") {
    throw parameters.wrong(`invalid type: ${typeText(value)}, expected a string`);
  }
  requireName(parameters, value);
  if (value === "time") throw parameters.wrong("'time' is a reserved column");
  return value;
}

function requireName(parameters: Parameters, name: string): void {
  if (name === "" || name.includes("\0")) {
    throw parameters.wrong("names of tables and columns are not empty, and hold no NUL");
  }
  if (Buffer.byteLength(name) > NAME_SIZE_MAX)
    throw parameters.wrong("String is greater than 64KB");
}
