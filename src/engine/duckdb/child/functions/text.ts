/** Digests, distances, patterns and rare floats: what print/functions/binary.ts, text.ts, regexp.ts and print/row-text.ts call. */
import {
  BLOB,
  DOUBLE,
  DuckDBBlobValue,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from "@duckdb/node-api";
import { formatFloat } from "#model/query/float-text.ts";
import type { Digest } from "#model/query/functions/binary.ts";
import { translatePattern, translateReplacement } from "../../print/rust-regexp.ts";
import { digestOf } from "./digest.ts";
import { editDistance } from "./edit-distance.ts";
import { fail, type OwnFunction } from "./own-function.ts";

/** How many characters a pattern or a replacement may have that is no constant. */
const PATTERN_LENGTH_MAX = 100_000;

export const TEXT_FUNCTIONS: readonly OwnFunction[] = [
  {
    name: "tl_digest",
    parameters: [VARCHAR, BLOB],
    result: BLOB,
    work: ([algorithm, value]) =>
      new DuckDBBlobValue(digestOf(algorithm as Digest, (value as DuckDBBlobValue).bytes)),
  },
  {
    name: "tl_levenshtein",
    parameters: [VARCHAR, VARCHAR],
    result: INTEGER,
    work: ([left, right]) => editDistance(String(left), String(right)) ?? fail("text_too_long"),
  },
  {
    name: "tl_regexp",
    parameters: [VARCHAR],
    result: VARCHAR,
    work: ([pattern]) => translatePattern(boundedText(pattern))?.text ?? fail("regexp_invalid"),
  },
  {
    name: "tl_group_count",
    parameters: [VARCHAR],
    result: INTEGER,
    work: ([pattern]) =>
      translatePattern(boundedText(pattern))?.groups.length ?? fail("regexp_invalid"),
  },
  {
    name: "tl_replacement",
    parameters: [VARCHAR],
    result: VARCHAR,
    work: ([replacement]) => translateReplacement(boundedText(replacement)),
  },
  {
    name: "tl_float_text",
    parameters: [DOUBLE],
    result: VARCHAR,
    work: ([value]) => formatFloat(value as number),
  },
];

function boundedText(value: DuckDBValue | undefined): string {
  const text = String(value);
  return text.length <= PATTERN_LENGTH_MAX ? text : fail("text_too_long");
}
