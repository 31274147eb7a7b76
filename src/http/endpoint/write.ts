import { DbError } from "#base/errors.ts";
import type { WriteOutcome, WriteRequest } from "#ingest/write.ts";
import type { RejectedLine } from "#lineprotocol/parsed.ts";
import { precisionFromText, v2PrecisionFromText } from "#lineprotocol/precision.ts";
import { checkWrittenName } from "#model/database-name.ts";
import { v2Reply } from "../exchange/errors.ts";
import { type Exchange, WRITE_TOKEN_HEADER, writeTokens } from "../exchange/exchange.ts";
import { Parameters } from "../exchange/parameters.ts";
import { emptyReply, jsonReply, type Reply } from "../exchange/reply.ts";
import { requireUtf8 } from "../exchange/text.ts";

/** Lines named in an answer. */
const REJECTED_MAX = 100;
const LINE_TEXT_SIZE_MAX = 20;
const ENCODER = new TextEncoder();

type Target = Pick<WriteRequest, "database" | "precision" | "acceptPartial" | "sync">;

/** POST /api/v3/write_lp. */
export async function writeLineProtocol(exchange: Exchange): Promise<Reply> {
  if (!exchange.query) throw wrongParameters("parameters", "missing query parameter 'db'");
  const parameters = Parameters.fromQuery(exchange.query);
  const database = parameters.requiredText("db");
  checkWrittenName(database);
  const precisionText = parameters.text("precision") ?? "auto";
  const precision = precisionFromText(precisionText);
  if (precision === undefined) {
    throw parameters.wrong(
      `unknown variant \`${precisionText}\`, expected one of ${V3_PRECISIONS}`,
    );
  }
  const acceptPartial = parameters.boolean("accept_partial", true);
  const sync = !parameters.boolean("no_sync", false);
  const outcome = await write(exchange, parameters, { database, precision, acceptPartial, sync });
  return outcomeReply(outcome, acceptPartial);
}

/** POST /api/v2/write: all lines or none. */
export async function writeV2(exchange: Exchange): Promise<Reply> {
  if (!exchange.query) throw wrongParameters("parameters", "no org/bucket destination provided");
  const parameters = Parameters.fromQuery(exchange.query);
  const bucket = parameters.text("bucket") ?? "";
  if (bucket === "") throw wrongParameters("parameters", "missing bucket value");
  checkWrittenName(bucket);
  const outcome = await write(exchange, parameters, {
    database: bucket,
    precision: v2Precision(parameters),
    acceptPartial: false,
    sync: true,
  });
  const [first] = outcome.rejected;
  if (first === undefined) return outcomeReply(outcome, false);
  const more = outcome.rejectedCount > 1 ? ` (and ${outcome.rejectedCount - 1} more lines)` : "";
  return v2Reply(
    rejectedStatus(outcome),
    `line protocol parse failed: line ${first.lineNumber}: ${first.message}${more}`,
  );
}

/** As clients of InfluxDB 3 know the list. */
const V3_PRECISIONS =
  "`auto`, `s`, `second`, `millisecond`, `ms`, `microsecond`, `u`, `us`, `n`, `nanosecond`, `ns`";

function v2Precision(parameters: Parameters): WriteRequest["precision"] {
  const text = parameters.text("precision");
  if (text === undefined || text === "") return "nanosecond";
  const precision = v2PrecisionFromText(text);
  if (precision !== undefined) return precision;
  throw wrongParameters("parameters", wrongPrecision(text, ["s", "ms", "us", "ns"]));
}

/** As clients of InfluxDB 3 know it, of an endpoint of v1 or v2. */
export function wrongPrecision(text: string, known: readonly string[]): string {
  const list = known.map((word) => `\`${word}\``).join(", ");
  return `${OLD_PARAMETERS}: unknown variant \`${text}\`, expected one of ${list}`;
}

/** How errors of values begin there. */
export const OLD_PARAMETERS = "failed to deserialize db/rp/precision in request";

async function write(
  exchange: Exchange,
  parameters: Parameters,
  target: Target,
): Promise<WriteOutcome> {
  const tokens = writeTokens(exchange, parameters.text("min_token"));
  const body = await exchange.readBody();
  requireUtf8(body);
  if (body.length === 0) throw new DbError("invalid", "write_empty", "incoming write was empty");
  return exchange.services.write({ ...target, body, tokens }, exchange.signal);
}

function outcomeReply(outcome: WriteOutcome, acceptPartial: boolean): Reply {
  const headers = tokenHeader(outcome);
  const [first] = outcome.rejected;
  if (first === undefined) return emptyReply(204, headers);
  const value = acceptPartial
    ? {
        error: "partial write of line protocol occurred",
        data: outcome.rejected.slice(0, REJECTED_MAX).map(rejectedValue),
      }
    : { error: "line protocol parsing error", data: rejectedValue(first) };
  return jsonReply(rejectedStatus(outcome), value, headers);
}

/** By which the client can wait for its write. */
export function tokenHeader({ token }: Pick<WriteOutcome, "token">): Record<string, string> {
  return token === undefined ? {} : { [WRITE_TOKEN_HEADER]: token };
}

export function rejectedStatus(outcome: WriteOutcome): number {
  return outcome.limitMet ? 422 : 400;
}

function rejectedValue(line: RejectedLine): object {
  return {
    original_line: truncated(line.text.replace(/\r$/, "")),
    line_number: line.lineNumber,
    error_message: line.message,
  };
}

/** The characters of `text` that fit whole into LINE_TEXT_SIZE_MAX bytes of UTF-8. */
function truncated(text: string): string {
  const { read } = ENCODER.encodeInto(text, new Uint8Array(LINE_TEXT_SIZE_MAX));
  return text.slice(0, read);
}

function wrongParameters(code: string, message: string): DbError {
  return new DbError("invalid", code, message);
}
