/** SHOW MEASUREMENTS. */
import type { Expression, LiteralExpression, NameMatch, ShowStatement } from "../../ast.ts";
import { refused } from "../../check/errors.ts";
import { databaseAsked, type MetaContext, type MetaOptions } from "../context.ts";
import { type List, limited, texts } from "../rows.ts";
import { namesTime } from "./conditions.ts";
import { ALL_ROWS, type Measurement, MetaData, tagNames } from "./meta-data.ts";

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
  if (namesTime(where)) throw refused("SHOW MEASUREMENTS doesn't support time in WHERE clause");
  using data = await MetaData.open(options, context);
  const all = await data.measurements(data.policiesOf(database) ?? []);
  const named = await data.matching(all, measurement === undefined ? [] : [measurement]);
  const found = where && (await new MeasurementCondition(data, named).find(where));
  const shown = found === undefined ? named : named.filter(({ name }) => found.has(name));
  const rows = limited(shown, statement).map(({ name }) => [name]);
  if (rows.length > 0) yield { name: "measurements", columns: texts("name"), rows };
}

/**
 * WHERE of SHOW MEASUREMENTS, which is another than that of rows: `tag = 'x'` is true of a measurement in which the tag has this value
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
      case "boolean":
      case "variable":
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
    const match: NameMatch =
      value.kind === "regex"
        ? { kind: "regex", pattern: value.pattern }
        : { kind: "name", name: value.value };
    if (key === "_name") return this.#compareNames(match, isWanted);
    const found = new Set<string>();
    for (const measurement of this.#measurements) {
      const values = await this.#valuesOf(measurement, key);
      if (values.length === 0) continue;
      const matched = (await this.#data.namesOf(match, values)).size > 0;
      if (matched === isWanted) found.add(measurement.name);
    }
    return found;
  }

  async #compareNames(match: NameMatch, isWanted: boolean): Promise<Names> {
    const names = this.#measurements.map(({ name }) => name);
    const matched = await this.#data.namesOf(match, names);
    return new Set(names.filter((name) => matched.has(name) === isWanted));
  }

  /** The values that are not empty. */
  async #valuesOf({ tables }: Measurement, key: string): Promise<readonly string[]> {
    const values = new Set<string>();
    for (const table of tables) {
      if (!tagNames(table.table).includes(key)) continue;
      for await (const [value = ""] of this.#data.tagRows(table, [key], ALL_ROWS))
        if (value !== "") values.add(value);
    }
    return [...values];
  }
}
