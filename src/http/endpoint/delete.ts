import { DbError } from "#base/errors.ts";
import { checkWrittenName, nameWithPolicy, POLICY_SEPARATOR } from "#model/database-name.ts";
import type { NamedTagCondition, RowDeletion } from "#model/row-delete.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { parseAnyTimestampText } from "#model/time-text.ts";
import { encodeWriteToken } from "#model/write-token.ts";
import { type Exchange, WRITE_TOKEN_HEADER } from "../exchange/exchange.ts";
import { Parameters } from "../exchange/parameters.ts";
import { emptyReply, type Reply } from "../exchange/reply.ts";
import { type PredicateTerm, parsePredicate } from "./delete-predicate.ts";

const MEASUREMENT = "_measurement";
const FIELD = "_field";
const DATE = /^\d{4}-\d{2}-\d{2}T/i;

/** POST /api/v2/delete: deletes rows of a range of time, both ends included; they may lie further out than any row can. */
export async function deleteV2(exchange: Exchange): Promise<Reply> {
  const database = databaseOf(Parameters.fromQuery(exchange.query ?? ""));
  const body = Parameters.fromJson(await exchange.readBody());
  const [start, stop] = [timeOf(body, "start"), timeOf(body, "stop")];
  const time = {
    start: start < TIME_MIN ? TIME_MIN : start,
    end: stop > TIME_MAX ? TIME_MAX : stop,
  };
  const terms = termsOf(body.text("predicate") ?? "");
  const deletion: RowDeletion = {
    database,
    tables: tablesOf(terms),
    time,
    condition: conditionOf(terms.filter(({ key }) => key !== MEASUREMENT)),
  };
  const token = await exchange.services.deleteRows(deletion, exchange.signal);
  return emptyReply(204, { [WRITE_TOKEN_HEADER]: encodeWriteToken(token) });
}

function databaseOf(parameters: Parameters): string {
  const bucket = parameters.text("bucket") ?? parameters.text("bucketID") ?? "";
  if (bucket === "") throw new DbError("invalid", "parameters", "missing bucket value");
  const [database = "", policy] = bucket.split(POLICY_SEPARATOR, 2);
  checkWrittenName(bucket);
  return nameWithPolicy(database, policy);
}

function timeOf(body: Parameters, name: "start" | "stop"): bigint {
  const text = body.text(name) ?? "";
  const timeNs = DATE.test(text) ? parseAnyTimestampText(text) : undefined;
  if (timeNs !== undefined) return timeNs;
  throw new DbError(
    "invalid",
    "parameters",
    `invalid RFC3339Nano for field ${name}, please format your time with RFC3339Nano format, example: 2009-01-02T23:00:00Z`,
  );
}

function termsOf(predicate: string): readonly PredicateTerm[] {
  const terms = predicate.trim() === "" ? [] : parsePredicate(predicate);
  if (terms.every(({ key }) => key !== FIELD)) return terms;
  throw new DbError(
    "invalid",
    "delete_predicate",
    "rows are deleted with all of their fields: _field is not supported in a predicate",
  );
}

/** Undefined: all. No table has two names. */
function tablesOf(terms: readonly PredicateTerm[]): readonly string[] | undefined {
  const names = new Set(terms.filter(({ key }) => key === MEASUREMENT).map(({ value }) => value));
  if (names.size === 0) return undefined;
  return names.size === 1 ? [...names] : [];
}

function conditionOf(terms: readonly PredicateTerm[]): NamedTagCondition | undefined {
  if (terms.length === 0) return undefined;
  const conditions = terms.map(({ key: tag, value }) => {
    return { kind: "equal" as const, tag, value, negated: false };
  });
  return { kind: "and", conditions };
}
