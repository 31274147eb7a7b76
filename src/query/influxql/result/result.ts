import type { StatementResult } from "../answer.ts";
import { csvError, encodeCsv } from "./csv.ts";
import { encodeJson } from "./json.ts";
import { jsonError } from "./json-pieces.ts";
import { encodeMessagePack, messagePackError } from "./message-pack.ts";

/** The formats of an answer of `/query`, with the Content-Type that InfluxDB 1 gives them. */
export const ANSWER_FORMATS = {
  json: { contentType: "application/json" },
  csv: { contentType: "text/csv" },
  msgpack: { contentType: "application/x-msgpack" },
} as const;

export type AnswerFormat = keyof typeof ANSWER_FORMATS;

export interface AnswerStyle {
  /** JSON with line breaks and four spaces a level. */
  readonly pretty: boolean;
  /** Times are numbers of so many nanoseconds; undefined: as each format shows them by itself. */
  readonly epochUnitNs: bigint | undefined;
  /** A document for each so many rows of one series; undefined: one document. */
  readonly chunkRows: number | undefined;
}

/**
 * The bytes of an answer as InfluxDB 1.6 writes them, made as they are taken. Nothing is given before the first statement is known.
 *
 * What a statement fails with stands in its place where it is the user's to know. Rejects with `internal`, `corrupt` and `unavailable`, and
 * then has not given the bytes that end an answer; with `exceeded` / `message_pack_too_large`.
 */
export function encodeAnswers(
  format: AnswerFormat,
  results: AsyncIterable<StatementResult>,
  style: AnswerStyle,
): AsyncGenerator<Uint8Array> {
  switch (format) {
    case "json":
      return encodeJson(results, style);
    case "csv":
      return encodeCsv(results, style);
    case "msgpack":
      return encodeMessagePack(results, style);
  }
}

/** What says in `format` why a whole request was refused. */
export function encodeError(
  format: AnswerFormat,
  message: string,
  { pretty }: Pick<AnswerStyle, "pretty">,
): string | Uint8Array {
  switch (format) {
    case "json":
      return jsonError(message, pretty);
    case "csv":
      return csvError(message);
    case "msgpack":
      return messagePackError(message);
  }
}
