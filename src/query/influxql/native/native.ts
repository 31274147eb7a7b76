/** InfluxQL as InfluxDB 3 answers it: one statement, whose rows are one table. */
import { assert } from "#base/errors.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { QueryAnswer, QueryRequest } from "../../query.ts";
import type { StatementResult } from "../answer.ts";
import { bindParameters } from "../parse/tokens/parameters.ts";
import type { InfluxQlRequest } from "../request.ts";
import { FlatRows } from "../result/flat.ts";
import { nativeError, refuseOldNumbers } from "./errors.ts";

/** Runs statements, as `InfluxQl` does. */
export type RunInfluxQl = (
  request: InfluxQlRequest,
  signal: AbortSignal,
) => Promise<AsyncIterable<StatementResult>>;

/**
 * Answers `request`, whose database may be empty where its statement names one. Resolves when the columns are known, which needs a
 * first row of each.
 *
 * Rejects as the statement does.
 */
export async function runNative(
  run: RunInfluxQl,
  request: QueryRequest,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const { database, parameters, text, tokens } = request;
  refuseOldNumbers(text);
  const results = await run(
    {
      text,
      database: database === "" ? undefined : database,
      retentionPolicy: undefined,
      parameters: bindParameters(parameters),
      tokens,
      native: true,
      readOnly: true,
    },
    signal,
  ).catch((error: unknown) => {
    throw nativeError(error, text);
  });
  const statements = results[Symbol.asyncIterator]();
  try {
    const rows = await FlatRows.of(answerOf(await statements.next()));
    request.onFields?.(rows.fields);
    return { fields: rows.fields, batches: untilEnd(rows, statements) };
  } catch (error) {
    await statements.return?.();
    throw error;
  }
}

function answerOf(first: IteratorResult<StatementResult>) {
  assert(first.done !== true, "a native request has one statement");
  const result = first.value;
  if (result.kind === "error") throw result.error;
  return result.answer;
}

/** The batches of `rows`; both are let go of at their end, which nobody may wait for. */
function untilEnd(
  rows: FlatRows,
  statements: AsyncIterator<StatementResult>,
): AsyncIterableIterator<ResultBatch, undefined> {
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    await rows.return();
    await statements.return?.();
    return { done: true, value: undefined };
  };
  return {
    async next() {
      const next = await rows.next();
      return next.done === true ? end() : next;
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
