/** What the engine's errors mean to a caller. The engine tells them apart by their first words alone. */
import { DbError, type ErrorKind, errorParts } from "#base/errors.ts";
import { LIST_LENGTH_MAX } from "#model/query/functions/nested.ts";
import { TEXT_LENGTH_MAX } from "#model/query/functions/text.ts";
import type { Failure } from "../messages.ts";

/** Of error texts that printed SQL raises. */
const OWN = /^[\w ]+ Error: tidelake:([a-z_]+)/;
/** RE2's text for each mistake in a pattern. It goes on with a part of the pattern, which may read like any other failure. */
const PATTERN_MISTAKE =
  /^Invalid Input Error: (missing [\])]|unexpected \)|trailing \\|no argument for repetition|bad repetition|pattern too large|invalid (escape|character class|repetition|perl operator|UTF-8|named capture|regular expression))/;
const REGEXP_INVALID = {
  kind: "invalid",
  code: "regexp_invalid",
  message: "the pattern is no regular expression",
} as const;
/** What the codes mean that printed SQL raises. */
const OWN_MEANINGS: readonly OwnMeaning[] = [
  {
    kind: "invalid",
    code: "number_overflow",
    message: "a number is out of the range of its type",
  },
  { kind: "invalid", code: "divide_by_zero", message: "a whole number was divided by zero" },
  {
    kind: "invalid",
    code: "cast_failed",
    message: "a value does not fit into the type it is cast to",
  },
  REGEXP_INVALID,
  {
    kind: "invalid",
    code: "argument_invalid",
    message: "an argument of a function is none that it takes",
  },
  {
    kind: "exceeded",
    code: "function_time",
    message: "a function works too long on texts of such a length: make them shorter",
  },
  {
    kind: "exceeded",
    code: "text_too_long",
    message: `a function would make a text of more than ${TEXT_LENGTH_MAX} characters, or compare such: make them shorter`,
  },
  {
    kind: "invalid",
    code: "time_pattern",
    message:
      "a time cannot be shown by this pattern: it has a specifier that is none, or asks for what is not there",
  },
  {
    kind: "invalid",
    code: "list_argument",
    message:
      "a function of lists got a step of 0, a place or a length outside, or lists of two lengths",
  },
  {
    kind: "exceeded",
    code: "list_too_long",
    message: `a function would make a list of more than ${LIST_LENGTH_MAX} items: ask for fewer`,
  },
];

type OwnMeaning = Pick<Failure, "kind" | "code" | "message">;

interface Meaning {
  readonly pattern: RegExp;
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
}

/** In order: the first that fits. */
const MEANINGS: readonly Meaning[] = [
  {
    // Appends and commits say what failed in place of the first words.
    pattern:
      /^Out of Memory Error|^Fatal Error: Failed to allocate|^std::bad_alloc|^(TransactionContext Error: )?Failed to (append|commit): .*could not allocate/,
    kind: "exceeded",
    code: "query_memory",
    message: "the engine has no more memory for this: ask for less",
  },
  {
    // A table that is made anew after an insertion failed.
    pattern: /^Catalog Error: Table with name b\d+_\d+(r\d+)?(_d\d+)? does not exist/,
    kind: "exceeded",
    code: "buffer_memory",
    message: "the engine has no memory for more buffered rows",
  },
  {
    pattern: /expression depth limit|memory exhausted|stack overflow/i,
    kind: "exceeded",
    code: "query_depth",
    message: "the query is nested too deeply",
  },
  {
    pattern: /^IO Error: (No files found|Cannot open file)/,
    kind: "not_found",
    code: "file_vanished",
    message: "a data file is gone",
  },
  {
    pattern: /^Invalid Input Error: More than one row returned by a subquery/,
    kind: "invalid",
    code: "subquery_rows",
    message: "a subquery in place of a value gave more than one row",
  },
  {
    pattern: /^Not implemented Error: (Cannot perform|Non-inner)/,
    kind: "unsupported",
    code: "subquery_place",
    message: "an outer join cannot be paired by a subquery",
  },
  {
    pattern:
      /^Out of Range Error|out of range in timestamp|^Conversion Error: (Date|Timestamp|Overflow|Type INT128)/,
    kind: "invalid",
    code: "number_overflow",
    message: "a number is out of the range of its type",
  },
  {
    pattern: /^Invalid Input Error: (Map keys|The map key list)/,
    kind: "invalid",
    code: "map_keys",
    message: "the keys of a map are NULL or there twice, or not as many as its values",
  },
  {
    pattern: /^Conversion Error/,
    kind: "invalid",
    code: "cast_failed",
    message: "a value does not fit into the type it is cast to",
  },
];

const FILE_CODES: ReadonlySet<string> = new Set(["file_vanished", "file_damaged"]);

/** What the engine says of a file that it cannot make sense of; its texts have many beginnings, and none of them quotes the query. */
const FILE_DAMAGED: Meaning = {
  pattern: /magic bytes|thrift|TProtocol|[Pp]arquet|ZSTD|zstd|[Dd]ecompress/,
  kind: "corrupt",
  code: "file_damaged",
  message: "a data file cannot be read",
};

/**
 * As a message: a DbError as it is, an error of the engine as what it means. `sql` is what it was asked, if anything; `paths`
 * are its files by key, so that one it complains of can be named.
 */
export function failureOf(
  error: unknown,
  sql = "",
  paths: ReadonlyMap<string, string> = new Map(),
): Failure {
  if (error instanceof DbError) return errorParts(error);
  const text = error instanceof Error ? error.message : String(error);
  const meaning = meaningOf(text, sql);
  const cause = sql === "" ? text : `${text}\n${sql}`;
  const key = FILE_CODES.has(meaning.code) ? findKey(text, paths) : undefined;
  if (key === undefined) return { ...meaning, detail: {}, cause };
  return { ...meaning, message: `${meaning.message}: ${key}`, detail: { key }, cause };
}

/** The file that `text` is about. */
function findKey(text: string, paths: ReadonlyMap<string, string>): string | undefined {
  return [...paths].find(([, path]) => text.includes(path))?.[0];
}

/** The same for a change of the buffer. */
export function changeFailureOf(error: unknown): Failure {
  const failure = failureOf(error);
  if (failure.code !== "query_memory") return failure;
  const message = "the engine has no memory for more buffered rows";
  return { ...failure, code: "buffer_memory", message };
}

function ownMeaning(code: string): OwnMeaning {
  const known = OWN_MEANINGS.find((meaning) => meaning.code === code);
  return known ?? { kind: "invalid", code, message: "the query failed" };
}

function meaningOf(text: string, sql: string): OwnMeaning {
  const hasPattern = /regexp_(?:matches|replace|extract)/.test(sql);
  if (hasPattern && PATTERN_MISTAKE.test(text)) return REGEXP_INVALID;
  const own = OWN.exec(text)?.[1];
  if (own !== undefined) {
    return ownMeaning(own);
  }
  for (const { pattern, kind, code, message } of MEANINGS) {
    if (pattern.test(text)) return { kind, code, message };
  }
  if (sql.includes("read_parquet(") && FILE_DAMAGED.pattern.test(text)) {
    const { kind, code, message } = FILE_DAMAGED;
    return { kind, code, message };
  }
  // Should RE2 learn another text.
  if (hasPattern && text.startsWith("Invalid Input Error")) return REGEXP_INVALID;
  return { kind: "internal", code: "engine_error", message: "the engine failed" };
}
