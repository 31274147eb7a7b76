import { DbError, isKind } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { parseTimestampText } from "#model/time-text.ts";
import { encodeResult } from "#query/result/result.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { jsonParameters, Parameters } from "../exchange/parameters.ts";
import { emptyReply, type Reply } from "../exchange/reply.ts";
import type { DatabaseListing, DeleteDatabaseRequest } from "../services.ts";
import { checkDatabaseName, INTERNAL_DATABASE } from "./database-name.ts";
import { parseDuration } from "./duration.ts";
import { contentType, requiredFormat } from "./format.ts";

const ZONE = /(?:[Zz]|[+-]\d\d:\d\d)$/;

/** GET /api/v3/configure/database. */
export async function listDatabases(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  const format = requiredFormat(parameters);
  const showDeleted = parameters.boolean("show_deleted", false);
  const listings = await exchange.services.listDatabases({ showDeleted });
  const { fields, batch } = listingResult(listings, showDeleted);
  return {
    status: 200,
    headers: { "content-type": contentType(format) },
    body: encodeResult(format, fields, only(batch)),
  };
}

/** POST /api/v3/configure/database. */
export async function createDatabase(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  const name = parameters.requiredText("db");
  checkDatabaseName(name, { policyAllowed: false });
  checkSchemaMode(parameters);
  const retention = parameters.text("retention_period");
  const retentionNs = retention === undefined ? undefined : parseDuration(retention);
  try {
    await exchange.services.createDatabase({ name, retentionNs });
  } catch (error) {
    if (isKind(error, "conflict") && error.code === "database_exists") {
      const message = "attempted to create a resource that already exists";
      throw new DbError("conflict", "database_exists", message, { cause: error });
    }
    throw error;
  }
  return emptyReply(200);
}

/** PUT /api/v3/configure/database: changes the retention period; null keeps rows for ever. */
export async function updateDatabase(exchange: Exchange): Promise<Reply> {
  const parameters = await jsonParameters(exchange);
  const name = parameters.requiredText("db");
  // Left out it could mean what it was, or for ever: nobody's rows are staked on a guess.
  if (!parameters.has("retention_period")) {
    throw parameters.wrong("missing field `retention_period`");
  }
  const retention = parameters.text("retention_period");
  const retentionNs = retention === undefined ? undefined : parseDuration(retention);
  await exchange.services.updateDatabase({ name, retentionNs });
  return emptyReply(200);
}

/** DELETE /api/v3/configure/database. */
export async function deleteDatabase(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  const name = parameters.requiredText("db");
  if (name === INTERNAL_DATABASE) {
    throw new DbError("invalid", "database_internal", "cannot delete internal db");
  }
  for (const option of ["data_only", "remove_tables"]) {
    if (parameters.boolean(option, false)) {
      throw new DbError("unsupported", "delete_option", `${option} is not supported yet`);
    }
  }
  const hardDelete = hardDeleteTime(parameters, exchange.clock.nowNs());
  await exchange.services.deleteDatabase({ name, hardDelete });
  return emptyReply(200);
}

function checkSchemaMode(parameters: Parameters): void {
  const mode = parameters.text("schema_mode") ?? "implicit";
  if (mode === "implicit") return;
  if (mode === "explicit") {
    throw new DbError("unsupported", "schema_mode", "schema_mode explicit is not supported yet");
  }
  throw parameters.wrong(`unknown variant \`${mode}\`, expected \`implicit\` or \`explicit\``);
}

function hardDeleteTime(
  parameters: Parameters,
  nowNs: bigint,
): DeleteDatabaseRequest["hardDelete"] {
  const text = parameters.text("hard_delete_at") ?? "default";
  if (text === "default" || text === "never" || text === "now") return text;
  const atNs = ZONE.test(text) ? parseTimestampText(text) : undefined;
  if (atNs === undefined) {
    throw parameters.wrong(
      `hard_delete_at is \`${text}\`, expected \`now\`, \`never\`, \`default\` or an RFC 3339 time`,
    );
  }
  return atNs <= nowNs ? "now" : { atNs };
}

function listingResult(
  listings: readonly DatabaseListing[],
  showDeleted: boolean,
): { fields: readonly Field[]; batch: ResultBatch } {
  const name: Field = { name: "iox::database", type: "string" };
  const deleted: Field = { name: "deleted", type: "boolean" };
  const names = listings.map((listing) => listing.name);
  const flags = Uint8Array.from(listings, (listing) => (listing.deleted ? 1 : 0));
  return {
    fields: showDeleted ? [name, deleted] : [name],
    batch: {
      rowCount: listings.length,
      columns: [
        { type: "string", values: names },
        ...(showDeleted ? [{ type: "boolean", values: flags } as const] : []),
      ],
    },
  };
}

async function* only(batch: ResultBatch): AsyncGenerator<ResultBatch> {
  if (batch.rowCount > 0) yield batch;
}
