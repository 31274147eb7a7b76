import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { RowText } from "#ports/engine.ts";
import { encodeCsv } from "./csv.ts";
import { encodeJson, encodeJsonLines } from "./json.ts";
import { encodeParquet } from "./parquet.ts";
import { encodePretty } from "./pretty.ts";

/** The formats of a result, by the name that clients give them. */
export const RESULT_FORMATS = {
  json: { contentType: "application/json" },
  jsonl: { contentType: "application/jsonl" },
  csv: { contentType: "text/csv" },
  pretty: { contentType: "text/plain; charset=utf-8" },
  parquet: { contentType: "application/vnd.apache.parquet" },
} as const;

export type ResultFormat = keyof typeof RESULT_FORMATS;

/** How an engine may write the rows of `format`; undefined where it may not. */
export function rowTextOf(format: ResultFormat): RowText | undefined {
  return format === "pretty" || format === "parquet" ? undefined : format;
}

/**
 * The bytes of a result, whose rows may come as text of `rowTextOf(format)`, chunk by chunk; the next batch is asked for when the chunks of the last one are taken.
 *
 * Rejects as `batches` does, and then has not given the bytes that end a complete answer; nothing is given before the first
 * batch, so a query that fails at once can still be answered with an error. `pretty` rejects with `exceeded` / `pretty_too_large`,
 * `parquet` with `exceeded` / `parquet_too_large`.
 */
export function encodeResult(
  format: ResultFormat,
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
): AsyncGenerator<Uint8Array> {
  switch (format) {
    case "json":
      return encodeJson(fields, batches);
    case "jsonl":
      return encodeJsonLines(fields, batches);
    case "csv":
      return encodeCsv(fields, batches);
    case "pretty":
      return encodePretty(fields, batches);
    case "parquet":
      return encodeParquet(fields, batches);
  }
}
