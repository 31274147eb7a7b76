import { DbError } from "#base/errors.ts";
import { DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS } from "#model/time-units.ts";
import { parseParameters } from "#query/influxql/parse/tokens/parameters.ts";
import type { InfluxQlRequest } from "#query/influxql/request.ts";
import {
  ANSWER_FORMATS,
  type AnswerFormat,
  type AnswerStyle,
  encodeAnswers,
  encodeError,
} from "#query/influxql/result/result.ts";
import { asDbError, errorStatus, influxErrorHeader } from "../../exchange/errors.ts";
import { type Exchange, writeTokens } from "../../exchange/exchange.ts";
import type { Reply } from "../../exchange/reply.ts";
import { compressedReply } from "../compression.ts";
import { productHeaders } from "../product-headers.ts";
import { bodyValues, type FormValues, urlValues } from "./form.ts";

/** Rows of a document where `chunked` says no number. */
const CHUNK_ROWS = 10_000;

const QUERY_MISSING = 'missing required parameter "q"';
/** As InfluxDB 3 says it: clients that post a form know this one. */
const QUERY_MISSING_POSTED = "expected a query to be provided in the query string or body";

/** Nanoseconds in the units of `epoch`. */
const EPOCH_UNITS: Readonly<Record<string, bigint>> = {
  u: 1_000n,
  µ: 1_000n,
  us: 1_000n,
  ms: 1_000_000n,
  s: SECOND_NS,
  m: MINUTE_NS,
  h: HOUR_NS,
  d: DAY_NS,
  w: 7n * DAY_NS,
};

/** GET /query: values from the URL. */
export function queryV1Get(exchange: Exchange): Promise<Reply> {
  return answerV1(exchange, () => Promise.resolve(urlValues(exchange)), true);
}

/** POST /query: values from a form as well, or a body that is the query. */
export function queryV1Post(exchange: Exchange): Promise<Reply> {
  return answerV1(exchange, () => bodyValues(exchange), false);
}

/** Answers as InfluxDB 1.6 does: what is wrong with a request in the format that it wants, what is wrong with a statement in its place. */
async function answerV1(
  exchange: Exchange,
  readValues: () => Promise<FormValues>,
  readOnly: boolean,
): Promise<Reply> {
  const format = acceptedFormat(exchange.headers.accept);
  let style: AnswerStyle = {
    pretty: urlValues(exchange).text("pretty") === "true",
    epochUnitNs: undefined,
    chunkRows: undefined,
  };
  const headers = {
    "content-type": ANSWER_FORMATS[format].contentType,
    ...productHeaders(exchange),
  };
  try {
    const values = await readValues();
    style = styleOf(values);
    const request = requestOf(exchange, values, readOnly);
    const results = await exchange.services.influxQl(request, exchange.signal);
    const reply = { status: 200, headers, body: encodeAnswers(format, results, style) };
    return compressedReply(reply, exchange.headers["accept-encoding"]?.toString());
  } catch (thrown) {
    const error = asDbError(thrown);
    if (error.kind !== "invalid") throw thrown;
    return {
      status: errorStatus(error),
      headers: { ...headers, ...influxErrorHeader(error.message) },
      body: encodeError(format, error.message, style),
    };
  }
}

/** Only what `Accept` names first counts, as in InfluxDB 1. */
function acceptedFormat(accept: string | undefined): AnswerFormat {
  switch (accept) {
    case "application/csv":
    case "text/csv":
      return "csv";
    case "application/x-msgpack":
      return "msgpack";
    default:
      return "json";
  }
}

function styleOf(values: FormValues): AnswerStyle {
  const epoch = values.text("epoch")?.trim() ?? "";
  const chunkRows = Number.parseInt(values.text("chunk_size") ?? "", 10);
  return {
    pretty: values.text("pretty") === "true",
    // A unit that is none counts nanoseconds.
    epochUnitNs: epoch === "" ? undefined : (EPOCH_UNITS[epoch] ?? 1n),
    chunkRows:
      values.text("chunked") !== "true" ? undefined : chunkRows > 0 ? chunkRows : CHUNK_ROWS,
  };
}

function requestOf(exchange: Exchange, values: FormValues, readOnly: boolean): InfluxQlRequest {
  const text = values.text("q")?.trim() ?? "";
  if (text === "")
    throw new DbError("invalid", "query_missing", readOnly ? QUERY_MISSING : QUERY_MISSING_POSTED);
  return {
    text,
    database: values.text("db"),
    retentionPolicy: values.text("rp"),
    parameters: parseParameters(values.text("params") || "{}"),
    tokens: writeTokens(exchange, values.text("min_token")),
    native: false,
    readOnly,
  };
}
