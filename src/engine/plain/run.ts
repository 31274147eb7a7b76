/** Plans as rows. Every node makes all of its rows before the next one begins. */

import { DbError } from "#base/errors.ts";
import type { TableId } from "#model/ids.ts";
import type { Plan } from "#model/query/plan.ts";
import { aggregateRows, compileOrder } from "./expression/aggregate.ts";
import { compile, compilePredicate } from "./expression/evaluate.ts";
import { keyOf, notHere, type Row } from "./expression/value.ts";
import { type LoadSource, scan } from "./scan.ts";

/** Gives what a source holds of a table, for scans of it. */
export type LoadTable = (tableId: TableId) => LoadSource;

/** The rows of `plan`, where those of `node` below it are `rows`, and it reads nothing else. */
export function runAbove(plan: Plan, node: Plan, rows: readonly Row[]): Promise<readonly Row[]> {
  return run(plan, nothingElse, { node, rows });
}

function nothingElse(): never {
  throw new DbError("internal", "assertion_failed", "a plan reads what it should not");
}

/** A node whose rows are there already. */
interface Known {
  readonly node: Plan;
  readonly rows: readonly Row[];
}

export async function run(plan: Plan, load: LoadTable, known?: Known): Promise<readonly Row[]> {
  if (plan === known?.node) return known.rows;
  switch (plan.kind) {
    case "scan":
      return scan(plan, load(plan.tableId));
    case "values":
      return plan.rows.map((row) => row.map((expression) => compile(expression)([])));
    case "filter":
      return (await run(plan.input, load, known)).filter(compilePredicate(plan.predicate));
    case "aggregate":
      if (plan.groupingSets !== undefined) throw notHere("a grouping");
      return aggregateRows(await run(plan.input, load, known), plan.groups, plan.aggregates);
    case "project": {
      const evaluators = plan.expressions.map(compile);
      const rows = await run(plan.input, load, known);
      return rows.map((row) => evaluators.map((evaluate) => evaluate(row)));
    }
    case "sort":
      return (await run(plan.input, load, known)).toSorted(compileOrder(plan.keys));
    case "distinct_on": {
      const keys = plan.keys.map(compile);
      const seen = new Set<string>();
      return (await run(plan.input, load, known)).filter((row) => {
        const key = keyOf(keys.map((evaluate) => evaluate(row)));
        return !seen.has(key) && seen.add(key) !== undefined;
      });
    }
    case "limit": {
      const { offset, countMax } = plan;
      const end = countMax === undefined ? undefined : Number(offset + countMax);
      return (await run(plan.input, load, known)).slice(Number(offset), end);
    }
    case "join":
    case "set":
    case "window":
    case "unnest":
    case "recursive":
    case "working":
    case "gapfill":
      throw notHere("a node");
  }
}
