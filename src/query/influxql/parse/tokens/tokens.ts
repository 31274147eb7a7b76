/**
 * A piece of text. Keywords are of the kind that bears their name in capitals, symbols of the kind that is written as they are.
 *
 * `text` is what a name, a literal or an illegal character says, empty for all else.
 */
export interface Token {
  readonly kind: string;
  readonly text: string;
  /** Where errors say that it stands: at strings and regular expressions one character early, as 1.x says. */
  readonly at: number;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "ALL ALTER ANALYZE AND ANY AS ASC BEGIN BY CARDINALITY CONTINUOUS CREATE DATABASE DATABASES DEFAULT DELETE DESC DESTINATIONS " +
    "DIAGNOSTICS DISTINCT DROP DURATION END EVERY EXACT EXPLAIN FALSE FIELD FOR FROM GRANT GRANTS GROUP GROUPS IN INF INSERT INTO " +
    "KEY KEYS KILL LIMIT MEASUREMENT MEASUREMENTS NAME OFFSET ON OR ORDER PASSWORD POLICIES POLICY PRIVILEGES QUERIES QUERY READ " +
    "REPLICATION RESAMPLE RETENTION REVOKE SELECT SERIES SET SHARD SHARDS SHOW SLIMIT SOFFSET STATS SUBSCRIPTION SUBSCRIPTIONS TAG " +
    "TO TRUE USER USERS VALUES WHERE WITH WRITE"
  ).split(" "),
);

/** What errors call the kinds whose tokens may be empty. */
const SHOWN_KINDS: Readonly<Record<string, string>> = {
  name: "IDENT",
  string: "STRING",
  badstring: "BADSTRING",
  badescape: "BADESCAPE",
  illegal: "ILLEGAL",
  badregex: "BADREGEX",
  regex: "REGEX",
  comment: "",
  end: "EOF",
};

/** The keyword that `word` is, in capitals. */
export function findKeyword(word: string): string | undefined {
  const capitals = word.toUpperCase();
  return KEYWORDS.has(capitals) ? capitals : undefined;
}

/** A token as errors show it. */
export function shownToken({ kind, text }: Token): string {
  return text === "" ? (SHOWN_KINDS[kind] ?? kind) : text;
}
