import { DbError, isKind } from "#base/errors.ts";
import { checkDatabaseName, INTERNAL_DATABASE } from "#model/database-name.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { encodeResult } from "#query/result/result.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { jsonParameters, Parameters } from "../../exchange/parameters.ts";
import { emptyReply, type Reply } from "../../exchange/reply.ts";
import type {
  CreateDatabaseRequest,
  DatabaseListing,
  DeleteDatabaseRequest,
} from "../../services.ts";
import { contentType, requiredFormat } from "../format.ts";
import { hardDeleteTime } from "./hard-delete.ts";
import { requireFound } from "./not-found.ts";
import { queriedRetention, retentionOf } from "./retention.ts";

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
  checkDatabaseName(name);
  const schemaMode = schemaModeOf(parameters);
  const retentionNs = retentionOf(parameters);
  try {
    await exchange.services.createDatabase({ name, retentionNs, schemaMode });
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
  const retentionNs = retentionOf(parameters);
  await requireFound({ database: name }, exchange.services.updateDatabase({ name, retentionNs }));
  return emptyReply(200);
}

/** POST /api/v3/configure/database/retention_period, with its values in the URL. */
export function setDatabaseRetention(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  return keepRows(exchange, parameters, queriedRetention(parameters));
}

/** DELETE /api/v3/configure/database/retention_period: rows are kept for ever. */
export function clearDatabaseRetention(exchange: Exchange): Promise<Reply> {
  return keepRows(exchange, Parameters.fromQuery(exchange.query ?? ""), undefined);
}

async function keepRows(
  { services }: Exchange,
  parameters: Parameters,
  retentionNs: bigint | undefined,
): Promise<Reply> {
  const name = parameters.requiredText("db");
  await requireFound({ database: name }, services.updateDatabase({ name, retentionNs }));
  return emptyReply(204);
}

/** DELETE /api/v3/configure/database. */
export async function deleteDatabase(exchange: Exchange): Promise<Reply> {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  const name = parameters.requiredText("db");
  if (name === INTERNAL_DATABASE) {
    throw new DbError("invalid", "database_internal", "cannot delete internal db");
  }
  const scope = deletedScope(parameters);
  const hardDelete = hardDeleteTime(parameters, exchange.clock.nowNs());
  await requireFound(
    { database: name },
    exchange.services.deleteDatabase({ name, hardDelete, scope }),
  );
  return emptyReply(200);
}

/** `remove_tables` says more of `data_only`, and nothing without it. */
function deletedScope(parameters: Parameters): DeleteDatabaseRequest["scope"] {
  const dataOnly = parameters.boolean("data_only", false);
  const removeTables = parameters.boolean("remove_tables", false);
  if (!dataOnly) return "database";
  return removeTables ? "tables" : "rows";
}

function schemaModeOf(parameters: Parameters): CreateDatabaseRequest["schemaMode"] {
  const mode = parameters.text("schema_mode") ?? "implicit";
  if (mode === "implicit" || mode === "explicit") return mode;
  throw parameters.wrong(`unknown variant \`${mode}\`, expected \`implicit\` or \`explicit\``);
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
