/** How much of a plan the engine is asked to order: the time it takes for that grows with a power of the joins. */
import { DbError } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";
import { expressionsOf, inputsOf, subqueriesOf } from "#model/query/walk.ts";

/** Joins, and subqueries in conditions, that are ordered together: a second of the engine's time. */
const JOINS_MAX = 32;

/** Throws DbError `exceeded` / `sql_too_complex` where more than JOINS_MAX joins are put in order at once. */
export function checkJoins(plan: Plan): void {
  if (joinsOf(plan) > JOINS_MAX) {
    throw new DbError(
      "exceeded",
      "sql_too_complex",
      `The statement joins more than ${JOINS_MAX} tables, or has as many subqueries in one SELECT: join some of them in a subquery with GROUP BY, or ask in parts.`,
      { detail: { joinsMax: JOINS_MAX } },
    );
  }
}

/** The joins that are ordered together with those at the top of `plan`; those further down are held to the bound here. */
function joinsOf(plan: Plan): number {
  const subqueries = expressionsOf(plan).flatMap(subqueriesOf);
  const within = subqueries.reduce((sum, subquery) => sum + 1 + joinsOf(subquery), 0);
  const below = inputsOf(plan);
  switch (plan.kind) {
    case "join":
    case "filter":
    case "project":
    case "sort":
      return below.reduce(
        (sum, input) => sum + joinsOf(input),
        within + Number(plan.kind === "join"),
      );
    default:
      for (const input of below) checkJoins(input);
      return within;
  }
}
