/** InfluxQL of chance: statements of a grammar, and text that is nearly such. */
import { below, type Random } from "#ports/random.ts";

type Written = (random: Random) => string;

/**
 * Any statement that parses, and that prints as something which parses to the same: without passwords, which are not printed, and without
 * ORDER BY where it changes nothing.
 */
export function anyStatement(random: Random): string {
  return recased(random, pick(random, random.next() < 0.5 ? [select] : STATEMENTS)(random));
}

/** A statement, or several, with up to four pieces of text taken out, put in or put elsewhere. */
export function brokenStatement(random: Random): string {
  let text = anyStatement(random);
  if (random.next() < 0.2) text += `;${anyStatement(random)}`;
  for (let left = 1 + below(random, 4); left > 0; left--) {
    const at = below(random, text.length + 1);
    const removed = random.next() < 0.5 ? below(random, 6) : 0;
    const added = random.next() < 0.8 ? pick(random, PIECES) : text.slice(0, below(random, 9));
    text = text.slice(0, at) + added + text.slice(at + removed);
  }
  return random.next() < 0.1 ? text.slice(0, below(random, text.length)) : text;
}

const SYMBOLS =
  "' \" ( ) [ ] { } , ; . : * / \\ $ = ~ ! < > + - % & | ^ # @ é 😀 -- /* */ // :: =~ !~ <> ..";
const SCRAPS = `/x/ /( \\/ \\x '' "" $a $"a" 1h 1x 1. .5 1e9 99999999999999999999 99999w`;
const WORDS =
  "select from where group by time( fill( tz( order limit soffset into :MEASUREMENT distinct as and or with key in show";
const PIECES: readonly string[] = [
  " ",
  "\n",
  "\t",
  "\r",
  "\0",
  "\ud800",
  "\r\n",
  ...SYMBOLS.split(" "),
  ...SCRAPS.split(" "),
  ...WORDS.split(" ").map((word) => ` ${word} `),
];

function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

function maybe(random: Random, written: Written, chance = 0.3): string {
  return random.next() < chance ? ` ${written(random)}` : "";
}

function list(random: Random, written: Written, countMax = 3): string {
  return Array.from({ length: 1 + below(random, countMax) }, () => written(random)).join(
    pick(random, [",", ", ", " , "]),
  );
}

/** Keywords in any case, blanks and comments of other kinds; what stands in quotes stays. */
function recased(random: Random, text: string): string {
  if (random.next() < 0.7) return text;
  const blank = pick(random, ["\n", "\t", "  ", "\r\n", " "]);
  return text.replace(
    /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\/(?:\\.|[^/\\])*\/|\b[A-Z]+\b|(?<=[A-Z]) (?=[A-Z])/g,
    (part) => (part === " " ? blank : /^[A-Z]/.test(part) ? part.toLowerCase() : part),
  );
}

const NAMES = ["a", "b", "cpu", "host", "x_1", "_y", "Z"];
const ODD_NAMES = [
  '"a b"',
  '"select"',
  '"é😀"',
  '"q\\"t"',
  '"a.b"',
  '"back\\\\slash"',
  '"new\\nline"',
];

function name(random: Random): string {
  return pick(random, random.next() < 0.7 ? NAMES : ODD_NAMES);
}

function quoted(random: Random): string {
  return pick(random, [
    "'x'",
    "''",
    "'it\\'s'",
    "'a \"b\" \\n \\\\'",
    "'é😀'",
    "'2020-01-01T00:00:00Z'",
  ]);
}

function regex(random: Random): string {
  return pick(random, ["/x/", "/^a.*$/", "/a\\/b/", "/(?i)[a-z]+|\\d{2,3}/", "//", "/\\p{Greek}/"]);
}

function whole(random: Random): string {
  return String(below(random, 1_000));
}

function duration(random: Random): string {
  return durationPart(random) + (random.next() < 0.2 ? durationPart(random) : "");
}

function durationPart(random: Random): string {
  return `${below(random, 400)}${pick(random, ["ns", "u", "µ", "ms", "s", "m", "h", "d", "w"])}`;
}

const LITERALS: readonly Written[] = [
  quoted,
  whole,
  duration,
  (random) => (random.next() * 100).toFixed(1 + below(random, 12)),
  (random) => `-${(random.next() * 100).toFixed(1 + below(random, 3))}`,
  (random) => `-${whole(random)}`,
  (random) => `- ${duration(random)}`,
  (random) =>
    pick(random, [
      "true",
      "FALSE",
      "9223372036854775807",
      "-9223372036854775808",
      "18446744073709551615",
      ".5",
      "1.",
    ]),
];

function variable(random: Random): string {
  const path = random.next() < 0.1 ? `${name(random)}.${name(random)}` : name(random);
  const type = pick(random, ["float", "integer", "unsigned", "string", "boolean", "tag", "field"]);
  return random.next() < 0.1 ? `${path}::${type}` : path;
}

function call(random: Random, depth: number): string {
  const called = pick(random, ["mean", "count", "MAX", "top", "derivative", "now", "x"]);
  const argument: Written = (chance) =>
    chance.next() < 0.1 ? regex(chance) : value(chance, depth - 1);
  return `${called}(${random.next() < 0.1 ? "" : list(random, argument)})`;
}

/** What SELECT can compute. */
function value(random: Random, depth: number): string {
  const chance = random.next();
  if (depth <= 0 || chance < 0.4) return variable(random);
  if (chance < 0.55) return pick(random, LITERALS)(random);
  if (chance < 0.6) return pick(random, ["*", "*::tag", "*::field", "DISTINCT a", "distinct(b)"]);
  if (chance < 0.75) return call(random, depth);
  if (chance < 0.85) return `(${value(random, depth - 1)})`;
  const operator = pick(random, ["+", "-", "*", "/", "%", "&", "|", "^"]);
  return `${value(random, depth - 1)} ${operator} ${value(random, depth - 1)}`;
}

function condition(random: Random, depth = 3): string {
  const chance = random.next();
  if (depth <= 0 || chance < 0.5) {
    return chance < 0.15
      ? `${variable(random)} ${pick(random, ["=~", "!~"])} ${regex(random)}`
      : `${value(random, 1)} ${pick(random, ["=", "!=", "<>", "<", "<=", ">", ">="])} ${value(random, 2)}`;
  }
  if (chance < 0.7) return `(${condition(random, depth - 1)})`;
  return `${condition(random, depth - 1)} ${pick(random, ["AND", "OR"])} ${condition(random, depth - 1)}`;
}

function measurement(random: Random): string {
  const last = random.next() < 0.2 ? regex(random) : name(random);
  const path: Written = (chance) =>
    pick(chance, [`${name(chance)}.`, `${name(chance)}..`, `${name(chance)}.${name(chance)}.`]);
  return (random.next() < 0.3 ? path(random) : "") + last;
}

/** A regular expression right behind a name and its comma is an error. */
function sources(random: Random, written: Written): string {
  const first = written(random);
  return random.next() < 0.7 ? first : `${first}, ${written(random)}`;
}

function where(random: Random): string {
  return `WHERE ${condition(random)}`;
}

function dimension(random: Random): string {
  return pick(random, [variable, regex, time, () => "*"])(random);
}

function time(random: Random): string {
  return `time(${duration(random)}${random.next() < 0.3 ? `, ${duration(random)}` : ""})`;
}

function groupBy(random: Random): string {
  return `GROUP BY ${list(random, dimension).replaceAll(" ,", ",")}`;
}

function fill(random: Random): string {
  return `fill(${pick(random, ["null", "none", "previous", "linear", "0", "-1", "1.50", "2.0"])})`;
}

function limits(random: Random, series = false): string {
  const words = series ? ["LIMIT", "OFFSET", "SLIMIT", "SOFFSET"] : ["LIMIT", "OFFSET"];
  return words.map((word) => maybe(random, (chance) => `${word} ${whole(chance)}`, 0.15)).join("");
}

function target(random: Random): string {
  return pick(random, [
    "a",
    "a.b",
    "a..b",
    "a.b.c",
    "a.:MEASUREMENT",
    "a..:MEASUREMENT",
    '"a b"."c"',
  ]);
}

function into(random: Random): string {
  return `INTO ${target(random)}`;
}

function field(random: Random): string {
  const written = random.next() < 0.1 ? regex(random) : value(random, 3);
  return written + maybe(random, (chance) => `AS ${name(chance)}`, 0.2);
}

function select(random: Random): string {
  return selectWith(random, maybe(random, into, 0.1), 2);
}

function selectWith(random: Random, written: string, depth: number): string {
  const source: Written = (chance) =>
    depth > 0 && chance.next() < 0.2
      ? `(${selectWith(chance, "", depth - 1)})`
      : measurement(chance);
  return (
    `SELECT ${list(random, field)}${written} FROM ${sources(random, source)}` +
    maybe(random, where, 0.5) +
    maybe(random, groupBy) +
    maybe(random, fill) +
    maybe(random, () => "ORDER BY time DESC", 0.2) +
    limits(random, true) +
    maybe(
      random,
      () => `TZ('${pick(random, ["Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles"])}')`,
      0.1,
    )
  );
}

function on(random: Random): string {
  return `ON ${name(random)}`;
}

function from(random: Random): string {
  return `FROM ${sources(random, measurement)}`;
}

function keys(random: Random): string {
  return pick<Written>(random, [
    (chance) => `WITH KEY ${pick(chance, ["=", "!="])} ${name(chance)}`,
    (chance) => `WITH KEY ${pick(chance, ["=~", "!~"])} ${regex(chance)}`,
    (chance) => `WITH KEY IN (${list(chance, name)})`,
  ])(random);
}

function cardinality(random: Random): string {
  const what = pick(random, ["SERIES", "MEASUREMENT", "TAG KEY", "FIELD KEY", "TAG VALUES"]);
  return (
    `SHOW ${what}${maybe(random, () => "EXACT", 0.5)} CARDINALITY` +
    maybe(random, on) +
    maybe(random, from) +
    (what === "TAG VALUES" ? ` ${keys(random)}` : "") +
    maybe(random, where) +
    maybe(random, groupBy) +
    limits(random)
  );
}

function policy(random: Random): string {
  return (
    `DURATION ${pick<Written>(random, [duration, () => "INF"])(random)} REPLICATION ${1 + below(random, 3)}` +
    maybe(random, (chance) => `SHARD DURATION ${duration(chance)}`)
  );
}

function windowed(random: Random): string {
  const window = `${1 + below(random, 99)}m`;
  return `SELECT mean(${name(random)}) INTO ${target(random)} FROM ${measurement(random)} GROUP BY time(${window}), ${dimension(random)}`;
}

const STATEMENTS: readonly Written[] = [
  (random) => `EXPLAIN ${maybe(random, () => "ANALYZE ")}${select(random)}`,
  (random) =>
    `SHOW ${pick(random, ["DATABASES", "QUERIES", "USERS", "SHARDS", "SHARD GROUPS", "SUBSCRIPTIONS", "CONTINUOUS QUERIES"])}`,
  (random) =>
    `SHOW ${pick(random, ["STATS", "DIAGNOSTICS"])}${maybe(random, (chance) => `FOR ${quoted(chance)}`)}`,
  (random) => `SHOW GRANTS FOR ${name(random)}`,
  (random) => `SHOW RETENTION POLICIES${maybe(random, on)}`,
  (random) =>
    `SHOW MEASUREMENTS${maybe(random, on)}` +
    maybe(
      random,
      (chance) =>
        `WITH MEASUREMENT ${pick(chance, ["=", "=~"])} ${pick(chance, [name, regex])(chance)}`,
    ) +
    maybe(random, where) +
    limits(random),
  (random) =>
    `SHOW SERIES${maybe(random, on)}${maybe(random, from)}${maybe(random, where)}${limits(random)}`,
  (random) =>
    `SHOW TAG KEYS${maybe(random, on)}${maybe(random, from)}${maybe(random, where)}${limits(random, true)}`,
  (random) => `SHOW FIELD KEYS${maybe(random, on)}${maybe(random, from)}${limits(random)}`,
  (random) =>
    `SHOW TAG VALUES${maybe(random, on)}${maybe(random, from)} ${keys(random)}${maybe(random, where)}${limits(random)}`,
  cardinality,
  (random) =>
    `CREATE DATABASE ${name(random)}${maybe(random, (chance) => `WITH ${policy(chance)}${maybe(chance, (last) => `NAME ${name(last)}`)}`)}`,
  (random) =>
    `CREATE RETENTION POLICY ${name(random)} ON ${name(random)} ${policy(random)}${maybe(random, () => "DEFAULT")}`,
  (random) =>
    `ALTER RETENTION POLICY ${name(random)} ON ${name(random)} ${policy(random)}${maybe(random, () => "DEFAULT")}`,
  (random) => `DROP ${pick(random, ["DATABASE", "MEASUREMENT", "USER"])} ${name(random)}`,
  (random) =>
    `DROP ${pick(random, ["RETENTION POLICY", "CONTINUOUS QUERY"])} ${name(random)} ON ${name(random)}`,
  (random) =>
    `CREATE SUBSCRIPTION ${name(random)} ON ${name(random)}.${name(random)} DESTINATIONS ${pick(random, ["ALL", "ANY"])} ${list(random, quoted)}`,
  (random) => `DROP SUBSCRIPTION ${name(random)} ON ${name(random)}.${name(random)}`,
  (random) =>
    `GRANT ${pick(random, ["READ", "WRITE", "ALL"])} ON ${name(random)} TO ${name(random)}`,
  (random) => `REVOKE ALL PRIVILEGES${maybe(random, on)} FROM ${name(random)}`,
  (random) =>
    `CREATE CONTINUOUS QUERY ${name(random)} ON ${name(random)}${maybe(random, () => "RESAMPLE EVERY 5m FOR 2h")} BEGIN ${windowed(random)} END`,
  (random) =>
    `${pick(random, ["DELETE", "DROP SERIES"])} ${pick<Written>(random, [where, (chance) => `FROM ${sources(chance, pick(chance, [name, regex]))}${maybe(chance, where)}`])(random)}`,
  (random) => `DROP SHARD ${whole(random)}`,
  (random) => `KILL QUERY ${whole(random)}${maybe(random, on)}`,
];
