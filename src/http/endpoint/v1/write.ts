import { concatBytes, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { WriteOutcome } from "#ingest/write.ts";
import { type FixedPrecision, unitNs, v1PrecisionFromText } from "#lineprotocol/precision.ts";
import { checkWrittenName, nameWithPolicy } from "#model/database-name.ts";
import { influxErrorHeader } from "../../exchange/errors.ts";
import { type Exchange, writeTokens } from "../../exchange/exchange.ts";
import { Parameters } from "../../exchange/parameters.ts";
import { emptyReply, jsonReply, type Reply } from "../../exchange/reply.ts";
import { requireUtf8 } from "../../exchange/text.ts";
import { productHeaders } from "../product-headers.ts";
import { OLD_PARAMETERS, rejectedStatus, tokenHeader, wrongPrecision } from "../write.ts";
import { Refusals } from "./refusals.ts";

const CONSISTENCIES: ReadonlySet<string> = new Set(["", "any", "one", "quorum", "all"]);

/** POST /write: good lines are stored although others are bad, as in InfluxDB 1. */
export async function writeV1(exchange: Exchange): Promise<Reply> {
  const { parameters, ...target } = targetOf(exchange);
  const tokens = writeTokens(exchange, parameters.text("min_token"));
  const body = await exchange.readBody();
  requireUtf8(body);
  const request = { ...target, acceptPartial: true, sync: true, tokens };
  const write: Write = (some, escapedTabs) =>
    exchange.services.write({ ...request, escapedTabs, body: some }, exchange.signal);
  const outcome = await writeAsV1(body, unitNs(target.precision), write);
  const headers = { ...productHeaders(exchange), ...tokenHeader(outcome) };
  if (outcome.message === undefined) return emptyReply(204, headers);
  return jsonReply(
    rejectedStatus(outcome),
    { error: outcome.message },
    { ...headers, ...influxErrorHeader(outcome.message) },
  );
}

function targetOf(exchange: Exchange) {
  const parameters = Parameters.fromQuery(exchange.query ?? "");
  const database = parameters.text("db");
  if (!exchange.query || database === "") throw wrong("no db destination provided");
  if (database === undefined) throw wrong(`${OLD_PARAMETERS}: missing field \`db\``);
  // All copies there are have a row when it is acknowledged.
  const consistency = parameters.text("consistency")?.toLowerCase() ?? "";
  if (!CONSISTENCIES.has(consistency)) throw wrong("invalid consistency level");
  const policy = parameters.text("rp");
  checkWrittenName(nameWithPolicy(database, policy));
  return { database, policy: { name: policy }, precision: precisionOf(parameters), parameters };
}

function precisionOf(parameters: Parameters): FixedPrecision {
  const text = parameters.text("precision") ?? "";
  if (text === "") return "nanosecond";
  const precision = v1PrecisionFromText(text);
  if (precision !== undefined) return precision;
  throw wrong(wrongPrecision(text, ["s", "ms", "us", "ns", "m", "h"]));
}

interface V1Outcome extends WriteOutcome {
  /** What is to be told; undefined where all is well. */
  readonly message: string | undefined;
}

type Write = (body: Uint8Array, escapedTabs: boolean) => Promise<WriteOutcome>;

/** Writes `body`; then again, as both read them, the lines that InfluxDB 1 takes although our grammar does not. */
async function writeAsV1(body: Uint8Array, timeUnitNs: bigint, write: Write): Promise<V1Outcome> {
  const refusals = new Refusals(timeUnitNs);
  const kept = refusals.takeOut(body);
  const takenOutCount = refusals.count;
  // The write takes the body over, of which a part may be needed again.
  const first = await write(Uint8Array.from(kept), false).catch(nothingWritten);
  const again = refusals.add(first, kept);
  const { expiredCount = 0 } = first;
  let outcome = { ...first, rejectedCount: first.rejectedCount + takenOutCount - again.length };
  if (again.length > 0) {
    const second = await write(concatBytes(again.map((line) => utf8(`${line}\n`))), true);
    refusals.addStrict(second);
    outcome = {
      token: second.token ?? first.token,
      rejected: second.rejected,
      rejectedCount: outcome.rejectedCount + second.rejectedCount,
      expiredCount: expiredCount + (second.expiredCount ?? 0),
      limitMet: first.limitMet || second.limitMet,
    };
  }
  const isWhole = outcome.rejectedCount === 0 && (outcome.expiredCount ?? 0) === 0;
  const message = isWhole ? undefined : refusals.message(outcome);
  return { ...outcome, message };
}

/** A body without lines is no error in InfluxDB 1. */
function nothingWritten(error: unknown): WriteOutcome {
  if (!(error instanceof DbError) || error.code !== "write_empty") throw error;
  return { token: undefined, rejected: [], rejectedCount: 0, limitMet: false };
}

function wrong(message: string): DbError {
  return new DbError("invalid", "write_parameters", message);
}
