/** Plans as engine SQL: nested SELECTs whose columns are `c0`, `c1` …, whatever the fields are called. */
import { assert, DbError } from "#base/errors.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { printAggregate, printOrder } from "./aggregate.ts";
import { printExpression } from "./expression.ts";
import { sqlType } from "./literal.ts";
import { orPlaceholder, type PrintContext, printScan } from "./scan.ts";

const name = (index: number) => `c${index}`;
const COUNT_MAX = 2n ** 63n - 1n;

/**
 * A SELECT of what `plan` gives, as columns of the engine types of its fields. A field of type null takes none.
 */
export function printPlan(plan: Plan, context: PrintContext): string {
  return `SELECT ${orPlaceholder(plan.fields.flatMap(printResult))} FROM (${printNode(plan, context)}) q`;
}

/** The rows of `sql`, a SELECT of `plan`'s fields, and at their end a row that says so: `e` is true in it alone. */
export function printWithEnd(plan: Plan, sql: string): string {
  const nulls = orPlaceholder(
    plan.fields.flatMap(({ type }) => printResult({ name: "", type }, 0).map(() => "NULL")),
  );
  return `SELECT *, FALSE AS e FROM (${sql}) r UNION ALL SELECT ${nulls}, TRUE`;
}

/** The most rows `plan` can give, as far as its shape tells. */
export function rowCountBound(plan: Plan): number {
  switch (plan.kind) {
    case "scan":
      return Number.POSITIVE_INFINITY;
    case "values":
      return plan.rows.length;
    case "aggregate":
      return plan.groups.length === 0 ? 1 : rowCountBound(plan.input);
    case "limit":
      return Math.min(Number(plan.countMax ?? COUNT_MAX), rowCountBound(plan.input));
    case "filter":
    case "project":
    case "sort":
    case "window":
    case "distinct_on":
      return rowCountBound(plan.input);
    case "set":
      return plan.inputs.reduce((count, input) => count + rowCountBound(input), 0);
    case "join":
    case "unnest":
    case "recursive":
    case "working":
    case "gapfill":
      return Number.POSITIVE_INFINITY;
  }
}

function printResult({ type }: Field, index: number): string[] {
  return type === "null" ? [] : [`CAST(c${index} AS ${sqlType(type)}) AS c${index}`];
}

function printNode(plan: Plan, context: PrintContext): string {
  switch (plan.kind) {
    case "scan":
      return printScan(plan, context);
    case "values":
      return printValues(plan);
    case "filter":
      return `SELECT * FROM (${printNode(plan.input, context)}) q WHERE ${printExpression(plan.predicate, name)}`;
    case "aggregate":
      return printAggregation(plan, context);
    case "project": {
      const results = plan.expressions.map(
        (expression, index) => `${printExpression(expression, name)} AS c${index}`,
      );
      return `SELECT ${orPlaceholder(results)} FROM (${printNode(plan.input, context)}) q`;
    }
    case "sort":
      return `SELECT * FROM (${printNode(plan.input, context)}) q${printOrder(plan.keys, name)}`;
    case "limit":
      return printLimit(plan, context);
    default:
      throw new DbError("internal", "assertion_failed", `${plan.kind} has no printer`);
  }
}

function printValues({ fields, rows }: Extract<Plan, { kind: "values" }>): string {
  const lists = rows.map((row) => {
    assert(row.length === fields.length, "a row of values has a cell for each field");
    const cells = row.map((cell, index) => {
      const type = sqlType(fields[index]?.type ?? "null");
      return `CAST(${printExpression(cell, noInput)} AS ${type})`;
    });
    return `(${cells.length > 0 ? cells.join(", ") : "1"})`;
  });
  const names = fields.length > 0 ? fields.map((_, index) => name(index)) : ["z"];
  if (lists.length > 0) {
    return `SELECT * FROM (VALUES ${lists.join(", ")}) v(${names.join(", ")})`;
  }
  const nothing = fields.map(({ type }, index) => `CAST(NULL AS ${sqlType(type)}) AS c${index}`);
  return `SELECT ${orPlaceholder(nothing)} WHERE FALSE`;
}

function noInput(): never {
  throw new DbError("internal", "assertion_failed", "values have no input");
}

function printAggregation(
  plan: Extract<Plan, { kind: "aggregate" }>,
  context: PrintContext,
): string {
  const groups = plan.groups.map((group) => printExpression(group, name));
  const aggregates = plan.aggregates.map((call) => printAggregate(call, name));
  const results = [...groups, ...aggregates].map((text, index) => `${text} AS c${index}`);
  const input = `FROM (${printNode(plan.input, context)}) q`;
  // Without groups and aggregates there is still one row.
  if (results.length === 0) return `SELECT count(*) AS z ${input}`;
  const by = groups.length > 0 ? ` GROUP BY ${groups.map((_, index) => index + 1).join(", ")}` : "";
  return `SELECT ${results.join(", ")} ${input}${by}`;
}

function printLimit(plan: Extract<Plan, { kind: "limit" }>, context: PrintContext): string {
  const count = plan.countMax === undefined ? "" : ` LIMIT ${atMost(plan.countMax)}`;
  const offset = plan.offset > 0n ? ` OFFSET ${atMost(plan.offset)}` : "";
  return `SELECT * FROM (${printNode(plan.input, context)}) q${count}${offset}`;
}

function atMost(count: bigint): bigint {
  return count < COUNT_MAX ? count : COUNT_MAX;
}
