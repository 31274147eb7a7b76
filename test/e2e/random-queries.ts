/** Queries of chance over one table, in the part of SQL that every engine knows. Each has an order that leaves no ties. */
import { below, type Random } from "#ports/random.ts";

/** When the rows of the table are: so many seconds from START_MS on. */
export const START_MS = Date.UTC(2024, 0, 1);
export const SECONDS = 4 * 3600;

const TAGS = ["host", "region"] as const;
const FIELDS = ["i", "u", "f", "s", "b"] as const;
const SERIES_ORDER = "time, host, region";

/** The rows of the table in bodies of line protocol: later ones correct some of the earlier ones, field by field. */
export function bodiesOf(random: Random, count: number): readonly string[] {
  return Array.from({ length: count }, () =>
    Array.from({ length: 150 }, () => lineOf(random)).join("\n"),
  );
}

/** A query of the table. */
export function queryOf(random: Random): string {
  const where = below(random, 5) === 0 ? "" : ` WHERE ${condition(random, 2)}`;
  const limit = below(random, 3) === 0 ? ` LIMIT ${below(random, 40)}` : "";
  const offset = limit !== "" && below(random, 3) === 0 ? ` OFFSET ${below(random, 10)}` : "";
  switch (below(random, 5)) {
    case 0:
      return `SELECT * FROM m${where} ORDER BY ${SERIES_ORDER}${limit}${offset}`;
    case 1:
      return `SELECT ${items(random)} FROM m${where} ORDER BY ${SERIES_ORDER}${limit}${offset}`;
    case 2:
      return `SELECT ${aggregates(random)} FROM m${where}`;
    case 3: {
      const tag = pick(random, TAGS);
      return `SELECT DISTINCT ${tag}, b FROM m${where} ORDER BY ${tag}, b${limit}${offset}`;
    }
    default:
      return grouped(random, where, limit + offset);
  }
}

function grouped(random: Random, where: string, rest: string): string {
  const groups = pick(random, [
    "host",
    "region",
    "host, region",
    `date_bin(INTERVAL '${pick(random, ["7 minutes", "1 hour", "90 seconds"])}', time)`,
    `date_trunc('hour', time), host`,
    "b, region",
  ]);
  const having = below(random, 4) === 0 ? ` HAVING count(*) > ${below(random, 30)}` : "";
  return `SELECT ${groups}, ${aggregates(random)} FROM m${where} GROUP BY ${groups}${having} ORDER BY ${groups}${rest}`;
}

function items(random: Random): string {
  return some(random, 3, (index) => `${expression(random)} AS x${index}`);
}

function expression(random: Random): string {
  switch (below(random, 4)) {
    case 0:
      return number(random, 2);
    case 1:
      return text(random);
    case 2:
      return `CASE WHEN ${condition(random, 1)} THEN ${number(random, 1)} END`;
    default:
      return pick(random, ["time", "b", "date_trunc('minute', time)", "date_part('minute', time)"]);
  }
}

function aggregates(random: Random): string {
  return some(random, 3, (index) => {
    const filter = below(random, 4) === 0 ? ` FILTER (WHERE ${condition(random, 1)})` : "";
    return `${aggregate(random)}${filter} AS a${index}`;
  });
}

function aggregate(random: Random): string {
  const name = pick(random, ["count", "min", "max", "sum", "avg", "median", "stddev"]);
  switch (name) {
    case "count":
      return pick(random, [
        "count(*)",
        `count(${pick(random, FIELDS)})`,
        `count(DISTINCT ${pick(random, [...TAGS, "s", "b"])})`,
      ]);
    case "min":
    case "max":
      return `${name}(${pick(random, [...FIELDS.filter((field) => field !== "b"), ...TAGS, "time"])})`;
    default:
      return `${name}(${number(random, 1)})`;
  }
}

function number(random: Random, depth: number): string {
  if (depth === 0 || below(random, 3) === 0)
    return pick(random, [
      "i",
      "f",
      `${below(random, 100)}`,
      `${below(random, 100)}.5`,
      "date_part('minute', time)",
    ]);
  const [left, right] = [number(random, depth - 1), number(random, depth - 1)];
  return pick(random, [
    `(${left} + ${right})`,
    `(${left} - ${right})`,
    `(${left} * ${right})`,
    `abs(${left})`,
    `coalesce(${left}, ${right})`,
    `round(${left}, 1)`,
  ]);
}

function text(random: Random): string {
  return pick(random, [
    "s",
    "host",
    "region",
    "upper(s)",
    "substr(s, 2, 3)",
    "host || '-' || s",
    "concat(region, s)",
    "replace(s, 'a', 'bb')",
  ]);
}

function condition(random: Random, depth: number): string {
  if (depth > 0 && below(random, 2) === 0) {
    const [left, right] = [condition(random, depth - 1), condition(random, depth - 1)];
    return pick(random, [`(${left} AND ${right})`, `(${left} OR ${right})`, `NOT (${left})`]);
  }
  switch (below(random, 6)) {
    case 0:
      return `time ${pick(random, [">=", "<", ">", "<="])} '${instant(random)}'`;
    case 1:
      return `time BETWEEN '${instant(random)}' AND '${instant(random)}'`;
    case 2:
      return `host ${pick(random, ["=", "!="])} '${host(random)}'`;
    case 3:
      return `${pick(random, [...TAGS, ...FIELDS])} IS ${pick(random, ["NULL", "NOT NULL"])}`;
    case 4:
      return pick(random, [
        "b",
        `s LIKE '%${below(random, 9)}%'`,
        `region IN ('eu', 'us')`,
        "s ~ 'a[0-4]'",
      ]);
    default:
      return `${number(random, 1)} ${pick(random, ["<", ">", "=", ">="])} ${number(random, 1)}`;
  }
}

function lineOf(random: Random): string {
  const region = below(random, 4) === 0 ? "" : `,region=${pick(random, ["eu", "us", "ap"])}`;
  const fields = FIELDS.filter(() => below(random, 3) > 0).map((field) => fieldText(random, field));
  if (fields.length === 0) fields.push(`i=${below(random, 1000)}i`);
  // Few enough instants that many rows are written more than once.
  const second = below(random, SECONDS / 60) * 60;
  const timeNs = BigInt(START_MS + second * 1000) * 1_000_000n + BigInt(below(random, 2));
  return `m,host=${host(random)}${region} ${fields.join(",")} ${timeNs}`;
}

function fieldText(random: Random, field: (typeof FIELDS)[number]): string {
  switch (field) {
    case "i":
      return `i=${below(random, 2000) - 1000}i`;
    case "u":
      return `u=${below(random, 1000)}u`;
    case "f":
      return `f=${(below(random, 100_000) - 50_000) / 100}`;
    case "s":
      return `s="a${below(random, 30)}"`;
    case "b":
      return `b=${below(random, 2) === 1}`;
  }
}

function host(random: Random): string {
  return `h${below(random, 4)}`;
}

function instant(random: Random): string {
  return new Date(START_MS + below(random, SECONDS) * 1000).toISOString();
}

function some(random: Random, countMax: number, make: (index: number) => string): string {
  return Array.from({ length: 1 + below(random, countMax) }, (_, index) => make(index)).join(", ");
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}
