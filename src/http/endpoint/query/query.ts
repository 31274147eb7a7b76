import { DbError } from "#base/errors.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";
import { encodeResult, rowTextOf } from "#query/result/result.ts";
import { type Exchange, writeTokens } from "../../exchange/exchange.ts";
import { Parameters } from "../../exchange/parameters.ts";
import type { Reply } from "../../exchange/reply.ts";
import { compressedReply } from "../compression.ts";
import { chooseFormat, contentType } from "../format.ts";
import { boundParameters } from "./parameter-values.ts";

type Language = QueryRequest["language"];

/** GET /api/v3/query_sql. */
export async function querySqlGet(exchange: Exchange): Promise<Reply> {
  return queryGet(exchange, undefined);
}

/** POST /api/v3/query_sql: JSON, whatever the Content-Type says. */
export async function querySqlPost(exchange: Exchange): Promise<Reply> {
  return queryPost(exchange, undefined);
}

/** GET /api/v3/query_influxql. */
export async function queryInfluxQlGet(exchange: Exchange): Promise<Reply> {
  return queryGet(exchange, "influxql");
}

/** POST /api/v3/query_influxql. */
export async function queryInfluxQlPost(exchange: Exchange): Promise<Reply> {
  return queryPost(exchange, "influxql");
}

function queryGet(exchange: Exchange, language: Language): Promise<Reply> {
  if (!exchange.query) {
    throw new DbError("invalid", "parameters", "missing query parameters 'db' and 'q'");
  }
  return query(exchange, Parameters.fromQuery(exchange.query), language);
}

async function queryPost(exchange: Exchange, language: Language): Promise<Reply> {
  return query(exchange, Parameters.fromJson(await exchange.readBody()), language);
}

async function query(
  exchange: Exchange,
  parameters: Parameters,
  language: Language,
): Promise<Reply> {
  const request: QueryRequest = {
    language,
    // A statement of InfluxQL may name its database.
    database:
      language === "influxql" ? (parameters.text("db") ?? "") : parameters.requiredText("db"),
    text: parameters.requiredText("q"),
    parameters: boundParameters(parameters),
    tokens: writeTokens(exchange, minToken(exchange, parameters)),
  };
  const format = chooseFormat(parameters, exchange.headers.accept);
  const answer = await runQuery(exchange, { ...request, rowText: rowTextOf(format) });
  const reply = {
    status: 200,
    headers: { "content-type": contentType(format) },
    body: encodeResult(format, answer.fields, answer.batches),
  };
  // Parquet is compressed as it is.
  if (format === "parquet") return reply;
  return compressedReply(reply, exchange.headers["accept-encoding"]?.toString());
}

/** A POST may have it in the URL as well. */
function minToken(exchange: Exchange, parameters: Parameters): string | undefined {
  const inBody = parameters.text("min_token");
  return inBody ?? Parameters.fromQuery(exchange.query ?? "").text("min_token");
}

async function runQuery(exchange: Exchange, request: QueryRequest): Promise<QueryAnswer> {
  try {
    return await exchange.services.query(request, exchange.signal);
  } catch (error) {
    if (error instanceof DbError && error.code === "database_not_found") {
      throw new DbError(
        "not_found",
        "database_not_found",
        `query error: database not found: ${request.database}`,
        { cause: error },
      );
    }
    throw error;
  }
}
