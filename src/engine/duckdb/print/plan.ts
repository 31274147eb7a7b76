/** Plans as engine SQL: nested SELECTs whose columns are `c0`, `c1` …, whatever the fields are called. */
import type { Field, Plan } from "#model/query/plan.ts";
import { sqlType } from "./literal.ts";
import { NodePrinter } from "./node.ts";
import { orPlaceholder, type PrintContext } from "./scan.ts";

const COUNT_MAX = 2n ** 63n - 1n;

/**
 * A SELECT of what `plan` gives, as columns of the engine types of its fields. A field of type null takes none.
 */
export function printPlan(plan: Plan, context: PrintContext): string {
  const rows = new NodePrinter(context).print(plan, []);
  return `SELECT ${orPlaceholder(plan.fields.flatMap(printResult))} FROM (${rows}) q`;
}

/** The rows of `sql`, a SELECT of `plan`'s fields, and at their end a row that says so: `e` is true in it alone. */
export function printWithEnd(plan: Plan, sql: string): string {
  const nulls = orPlaceholder(
    plan.fields.flatMap(({ type }) => printResult({ name: "", type }, 0).map(() => "NULL")),
  );
  return `SELECT *, FALSE AS e FROM (${sql}) r UNION ALL SELECT ${nulls}, TRUE`;
}

/** As printWithEnd, of one column: `text` over the columns of `sql`. */
export function printTextWithEnd(sql: string, text: string): string {
  return `SELECT ${text} AS c0, FALSE AS e FROM (${sql}) r UNION ALL SELECT NULL, TRUE`;
}

/** The most rows `plan` can give, as far as its shape tells. */
export function rowCountBound(plan: Plan): number {
  switch (plan.kind) {
    case "values":
      return plan.rows.length;
    case "aggregate":
      return plan.groups.length === 0 && plan.groupingSets === undefined
        ? 1
        : (plan.groupingSets?.length ?? 1) * rowCountBound(plan.input);
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
      return plan.join === "semi" || plan.join === "anti"
        ? rowCountBound(plan.left)
        : Number.POSITIVE_INFINITY;
    case "scan":
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
