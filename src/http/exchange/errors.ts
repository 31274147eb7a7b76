import { DbError, type ErrorKind } from "#base/errors.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";

/** For nobody to read: whom it would tell has gone. */
export const CLIENT_LEFT = new DbError(
  "unavailable",
  "client_left",
  "the client left before its answer",
);

/** Seconds after which a refused client may come again. */
const RETRY_AFTER_SECONDS = "1";

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
  denied: 403,
  unsupported: 501,
  exceeded: 422,
  corrupt: 500,
  internal: 500,
};

/** Codes whose status is not their kind's. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  unauthenticated: 401,
  sql_unsupported: 405,
  subquery_place: 405,
  tokens_disabled: 405,
  token_operator: 405,
  influxql_read_only: 405,
  mode_missing: 405,
  request_stalled: 408,
  request_size: 413,
  content_type: 415,
  buffer_full: 429,
  write_queue_full: 429,
  queries_full: 429,
  passwords_full: 429,
  engine_busy: 429,
  request_memory: 429,
  // What a reader of the store misses is no resource of the client's: the same request, sent again, may find what replaced it.
  file_vanished: 503,
  checkpoint_vanished: 503,
};

/** Kinds whose text stands alone, as clients of InfluxDB 3 expect it; that of the others stands in JSON. */
const PLAIN_KINDS: ReadonlySet<ErrorKind> = new Set([
  "invalid",
  "conflict",
  "unsupported",
  "corrupt",
  "internal",
]);

/** Codes whose JSON is written as clients of InfluxDB 3 have always met it. */
const SPACED_CODES: ReadonlySet<string> = new Set(["unauthenticated", "authorization_malformed"]);

/** Which schemes would have been understood: a 401 has to say it (RFC 9110 §15.5.2). Not Basic, at which browsers ask people for a password. */
const CHALLENGE = { "www-authenticate": "Bearer" };

/** Codes whose text stands in JSON although those of their kind do not. */
const JSON_CODES: ReadonlySet<string> = new Set(["database_name"]);

/** Codes whose JSON has `"data":null`, whatever their kind. */
const DATA_CODES: ReadonlySet<string> = new Set(["write_parameters"]);

/** The names that InfluxDB 2 gives to failures. */
const CODE_OF_STATUS_V2: Readonly<Record<number, string>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  405: "method not allowed",
  408: "unavailable",
  409: "conflict",
  413: "request too large",
  415: "invalid",
  422: "unprocessable entity",
  429: "too many requests",
  501: "not implemented",
  503: "unavailable",
};

/** How the endpoints of one API write an error; `requestId` leads from an internal one to the log. */
export type ErrorStyle = (error: DbError, requestId: string) => Reply;

/** Anything thrown, as the class that says what the caller can do. */
export function asDbError(error: unknown): DbError {
  if (error instanceof DbError) return error;
  return new DbError("internal", "unexpected", "an unexpected error", { cause: error });
}

/** The status of `error`. */
export function errorStatus(error: DbError): number {
  return STATUS_OF_CODE[error.code] ?? STATUS_OF_KIND[error.kind];
}

/** The error as the native and the v1 endpoints answer it: plain text, or JSON with `error`. */
export function errorReply(error: DbError, requestId: string): Reply {
  const status = errorStatus(error);
  const message = errorMessage(error, requestId);
  if (SPACED_CODES.has(error.code)) {
    const body = `{"error": ${JSON.stringify(message)}}`;
    return challenging({ ...jsonReply(status, {}), body });
  }
  if (error.kind === "exceeded" || DATA_CODES.has(error.code)) {
    return retryable(jsonReply(status, { error: message, data: null }));
  }
  if (PLAIN_KINDS.has(error.kind) && !JSON_CODES.has(error.code)) return textReply(status, message);
  return retryable(jsonReply(status, { error: message }));
}

/** As `errorReply`, but what is not found is told in plain text. */
export function errorReplyPlain(error: DbError, requestId: string): Reply {
  if (error.kind !== "not_found") return errorReply(error, requestId);
  return textReply(errorStatus(error), error.message);
}

/** The error as `/query` of v1 answers it: always JSON, and in a header. */
export function errorReplyV1(error: DbError, requestId: string): Reply {
  const message = errorMessage(error, requestId);
  // Who is not let in is told as everywhere.
  if (SPACED_CODES.has(error.code)) return errorReply(error, requestId);
  return retryable(jsonReply(errorStatus(error), { error: message }, influxErrorHeader(message)));
}

/** Characters of an error that stand in a header. */
const HEADER_LENGTH_MAX = 1_000;

/** The header in which clients of v1 look for `message`. */
export function influxErrorHeader(message: string): Readonly<Record<string, string>> {
  const text = message.slice(0, HEADER_LENGTH_MAX).replaceAll(/[^\x20-\x7e]/g, "?");
  return { "x-influxdb-error": text };
}

/** The error as the v2 endpoints answer it. */
export function errorReplyV2(error: DbError, requestId: string): Reply {
  const status = errorStatus(error);
  return challenging(retryable(v2Reply(status, errorMessage(error, requestId))));
}

/** An answer in the shape of v2's errors. */
export function v2Reply(status: number, message: string): Reply {
  return jsonReply(status, { code: CODE_OF_STATUS_V2[status] ?? "internal error", message });
}

/** What a client may read. A bug's own words are for the log. */
function errorMessage(error: DbError, requestId: string): string {
  if (error.kind !== "internal") return error.message;
  return `internal error: the node's log says more under request ${requestId}`;
}

function challenging(reply: Reply): Reply {
  return reply.status === 401 ? { ...reply, headers: { ...reply.headers, ...CHALLENGE } } : reply;
}

function retryable(reply: Reply): Reply {
  if (reply.status !== 429 && reply.status !== 503) return reply;
  return { ...reply, headers: { ...reply.headers, "retry-after": RETRY_AFTER_SECONDS } };
}
