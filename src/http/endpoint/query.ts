import { DbError } from "#base/errors.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";
import { encodeResult, rowTextOf } from "#query/result/result.ts";
import { type Exchange, writeTokens } from "../exchange/exchange.ts";
import {
  isJsonObject,
  type JsonValue,
  Parameters,
  parseJson,
  typeText,
} from "../exchange/parameters.ts";
import type { Reply } from "../exchange/reply.ts";
import { compressedReply } from "./compression.ts";
import { chooseFormat, contentType } from "./format.ts";

/** GET /api/v3/query_sql. */
export async function querySqlGet(exchange: Exchange): Promise<Reply> {
  if (!exchange.query) {
    throw new DbError("invalid", "parameters", "missing query parameters 'db' and 'q'");
  }
  return querySql(exchange, Parameters.fromQuery(exchange.query));
}

/** POST /api/v3/query_sql: JSON, whatever the Content-Type says. */
export async function querySqlPost(exchange: Exchange): Promise<Reply> {
  return querySql(exchange, Parameters.fromJson(await exchange.readBody()));
}

async function querySql(exchange: Exchange, parameters: Parameters): Promise<Reply> {
  const request: QueryRequest = {
    database: parameters.requiredText("db"),
    text: parameters.requiredText("q"),
    parameters: queryParameters(parameters),
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

/** The values of `params`: an object in a JSON body, the text of one in a query string. */
function queryParameters(parameters: Parameters): Readonly<Record<string, LiteralValue>> {
  const given = parameters.value("params");
  if (given === undefined || given === "") return {};
  const value = typeof given === "string" ? parseJson(given) : given;
  if (!isJsonObject(value)) {
    throw parameters.wrong(`invalid type: ${typeText(value)}, expected a map of query parameters`);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, parameterValue(item)] as const),
  );
}

function parameterValue(value: JsonValue): LiteralValue {
  if (typeof value !== "object" || value === null) return value;
  throw new DbError(
    "invalid",
    "query_parameter",
    `JSON ${Array.isArray(value) ? "arrays" : "objects"} are not supported as query parameters. Expected null, boolean, number, or string.`,
  );
}
