/** How the fields that an expression names are called in engine SQL. */
import { DbError } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";

/** What stands around an expression. */
export interface Names {
  /** Field `index` of the input. */
  input(index: number): string;
  /** Field `index` of the row `level` subqueries out; 1 is the nearest. */
  outer(level: number, index: number): string;
  /** A SELECT of the fields of a subquery's plan, as c0, c1 … */
  subquery(plan: Plan): string;
  /** Is given each piece of the plan's text once. Throws DbError `exceeded` / `expression_size` where all are too large. */
  count(text: string): void;
}

/** The names of a place where neither subqueries nor rows around them are. */
export function inputNames(input: (index: number) => string): Names {
  return { input, outer: misplaced, subquery: misplaced, count: () => undefined };
}

function misplaced(): never {
  throw new DbError("internal", "assertion_failed", "a subquery stands where none may");
}
