import { assert } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";
import type { Query, Statement } from "../sql/ast.ts";
import type { PlanContext } from "./context.ts";
import { firstByTime, withScan } from "./optimize/first-by-time.ts";
import { checkJoins } from "./optimize/joins.ts";
import { pruned } from "./optimize/prune.ts";
import { pushed } from "./optimize/push.ts";
import { withSources } from "./optimize/sources.ts";
import { type Environment, StatementParts } from "./relations/environment.ts";
import { planQuery } from "./relations/query.ts";
import { explained, type PlannedRead } from "./schema/explain.ts";
import { findInformationTable } from "./schema/information.ts";
import { planShow } from "./schema/show.ts";

/**
 * The plan of a statement over the tables of `context`, with types, casts, and only what must be read.
 *
 * Throws DbError `invalid` with `table_not_found`, `column_not_found`, `column_ambiguous`, `function_not_found`, `parameter_not_found`,
 * `cast_failed` or `sql_planning`; `unsupported` / `sql_unsupported`; `exceeded` / `sql_too_complex`; and what `context.sources` throws.
 */
export function planStatement(statement: Statement, context: PlanContext): Plan {
  switch (statement.kind) {
    case "query":
      return planRead(statement, context).plan;
    case "explain":
      return explained(planRead(statement.query, context), context);
    default:
      return planShow(statement, environmentOf(context));
  }
}

/** First the names, then less to read, and last what is read: files that no condition leaves out. */
function planRead(query: Query, context: PlanContext): PlannedRead {
  const { plan, tables } = planNames(query, context);
  return { plan: sourced(pruned(pushed(plan)), tables, context), tables };
}

/** A plan, and plans of a part of its rows that may give the whole answer and read less. */
export interface PlannedSteps {
  readonly plan: Plan;
  /** In order, each reads more; one that gives `rowCount` rows gives the answer. */
  readonly earlier: readonly Plan[];
  readonly rowCount: number;
}

/** As `planStatement`, with what may be tried first. */
export function planInSteps(statement: Statement, context: PlanContext): PlannedSteps {
  if (statement.kind !== "query")
    return { plan: planStatement(statement, context), earlier: [], rowCount: 0 };
  const { plan, tables } = planRead(statement, context);
  const first = firstByTime(plan);
  if (first === undefined) return { plan, earlier: [], rowCount: 0 };
  const { rowCount, scan, times } = first;
  const earlier = times.map((time) =>
    sourced(withScan(plan, { ...scan, time, groups: [] }), tables, context),
  );
  return { plan, earlier, rowCount };
}

/** The plan of a query as it was written, which reads all of each table: what the other one is held to. Throws as `planStatement`. */
export function planAsWritten(query: Query, context: PlanContext): Plan {
  const { plan, tables } = planNames(query, context);
  return sourced(plan, tables, context);
}

function planNames(query: Query, context: PlanContext): PlannedRead {
  const environment = environmentOf(context);
  const { plan } = planQuery(query, environment);
  checkJoins(plan);
  return { plan, tables: environment.statement.tables };
}

function sourced(plan: Plan, tables: PlannedRead["tables"], context: PlanContext): Plan {
  return withSources(plan, (scan) => {
    const table = tables.get(scan.tableId);
    assert(table !== undefined, "a plan scans the tables that its statement names");
    return context.sources(table, scan.time);
  });
}

function environmentOf(context: PlanContext): Environment {
  return {
    context,
    statement: new StatementParts(),
    commons: new Map(),
    parent: undefined,
    planQuery,
    findInformationTable: (name) => findInformationTable(name, context),
  };
}
