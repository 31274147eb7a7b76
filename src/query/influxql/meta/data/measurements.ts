/** SHOW MEASUREMENTS. */
import type { Expression, LiteralExpression, NameMatch, ShowStatement } from "../../ast.ts";
import { refused } from "../../check/errors.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, limited, texts } from "../rows.ts";
import { both, isPresent, namesTime } from "./conditions.ts";
import { ALL_ROWS, type Measurement, MetaData, type RowsAsked } from "./meta-data.ts";
import { rowsWhere } from "./where.ts";

type ShowMeasurements = Extract<ShowStatement, { what: "measurements" }>;

/** What a comparison finds: whole measurements, whose tags are looked at one by one. */
type Names = ReadonlySet<string>;

/** Of a database that is not there, nothing. Rejects with `database_missing`, `influxql_refused`. */
export async function* measurementLists(
  statement: ShowMeasurements,
  options: MetaOptions,
  context: MetaContext,
): AsyncGenerator<List> {
  const { measurement, where } = statement;
  const database = databaseAsked(statement.database, context);
  const { native = false } = context;
  if (!native && namesTime(where))
    throw refused("SHOW MEASUREMENTS doesn't support time in WHERE clause");
  using data = await MetaData.open(options, context);
  const all = await data.measurements(data.policiesOf(database) ?? []);
  const named = await data.matching(
    all,
    measurement === undefined ? [] : [measurement.source.name],
  );
  const shown = await whereTrue(where, { data, native, measurements: named });
  const rows = limited(shown, statement).map(({ name }) => [name]);
  if (rows.length > 0) yield { name: "measurements", columns: texts("name"), rows };
}

interface WhereOf {
  readonly data: MetaData;
  readonly native: boolean;
  readonly measurements: readonly Measurement[];
}

/** Those of the measurements that `where` is true of. */
async function whereTrue(
  where: Expression | undefined,
  { data, measurements, native }: WhereOf,
): Promise<readonly Measurement[]> {
  if (where === undefined) return measurements;
  if (!native) {
    const found = await new MeasurementCondition(data, measurements).find(where);
    return measurements.filter(({ name }) => found.has(name));
  }
  const asked = rowsWhere(where, data.nowNs);
  const found: Measurement[] = [];
  for (const measurement of measurements)
    if (await hasRows(data, measurement, asked)) found.push(measurement);
  return found;
}

async function hasRows(
  data: MetaData,
  { tables }: Measurement,
  asked: RowsAsked,
): Promise<boolean> {
  for (const table of tables) if (await data.hasRows(table, asked)) return true;
  return false;
}

/**
 * WHERE of SHOW MEASUREMENTS as InfluxDB 1 takes it, which is another than that of rows: `tag = 'x'` is true of a measurement in which the tag has this value
 * somewhere, `tag != 'x'` of one that has the tag, and this value nowhere.
 */
class MeasurementCondition {
  readonly #data: MetaData;
  readonly #measurements: readonly Measurement[];

  constructor(data: MetaData, measurements: readonly Measurement[]) {
    this.#data = data;
    this.#measurements = measurements;
  }

  async find(condition: Expression): Promise<Names> {
    switch (condition.kind) {
      case "parenthesized":
        return this.find(condition.expression);
      case "binary":
        break;
      default:
        throw refused(`invalid condition of SHOW MEASUREMENTS: a ${condition.kind} by itself`);
    }
    const { left, operator, right } = condition;
    if (operator === "AND" || operator === "OR") {
      const [one, other] = [await this.find(left), await this.find(right)];
      return operator === "AND" ? one.intersection(other) : one.union(other);
    }
    if (left.kind !== "variable") throw refused(`left side of '${operator}' must be a tag key`);
    switch (operator) {
      case "=":
      case "!=":
        if (right.kind !== "string")
          throw refused(`right side of '${operator}' must be a tag value string`);
        return this.#compare(left.name, right, operator === "=");
      case "=~":
      case "!~":
        if (right.kind !== "regex")
          throw refused(`right side of '${operator}' must be a tag regex`);
        return this.#compare(left.name, right, operator === "=~");
      default:
        throw refused("invalid tag comparison operator");
    }
  }

  async #compare(
    key: string,
    value: Extract<LiteralExpression, { kind: "string" | "regex" }>,
    isWanted: boolean,
  ): Promise<Names> {
    if (key === "_name") return this.#compareNames(matchOf(value), isWanted);
    const left = { kind: "variable", name: key, cast: "tag" } as const;
    const operator = value.kind === "regex" ? "=~" : "=";
    const matches = both(isPresent(key), { kind: "binary", operator, left, right: value });
    const found = new Set<string>();
    for (const measurement of this.#measurements) {
      const isTrue = (condition: Expression | undefined) =>
        hasRows(this.#data, measurement, { ...ALL_ROWS, condition });
      if (!(await isTrue(isPresent(key)))) continue;
      const isMatched = await isTrue(matches);
      if (isMatched === isWanted) found.add(measurement.name);
    }
    return found;
  }

  async #compareNames(match: NameMatch, isWanted: boolean): Promise<Names> {
    const names = this.#measurements.map(({ name }) => name);
    const matched = await this.#data.namesOf(match, names);
    return new Set(names.filter((name) => matched.has(name) === isWanted));
  }
}

function matchOf(value: Extract<LiteralExpression, { kind: "string" | "regex" }>): NameMatch {
  return value.kind === "regex"
    ? { kind: "regex", pattern: value.pattern }
    : { kind: "name", name: value.value };
}
