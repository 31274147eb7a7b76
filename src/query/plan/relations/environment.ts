import { DbError } from "#base/errors.ts";
import type { TableId } from "#model/ids.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { TableSchema } from "#model/schema.ts";
import type { Query } from "../../sql/ast.ts";
import { Binder } from "../bind/bind.ts";
import type { WindowNames } from "../bind/calls/window.ts";
import type { Scope, ScopeColumn } from "../bind/scope.ts";
import type { PlanContext, SystemTable } from "../context.ts";
import { ExpressionSizes, nodeCount } from "../tree.ts";

/** Rows, and what names can mean in them: a column for each field. */
export interface Rows {
  readonly plan: Plan;
  readonly columns: readonly ScopeColumn[];
}

/** What stands around a query. */
export interface Environment {
  readonly context: PlanContext;
  readonly statement: StatementParts;
  /** Tables of WITH. */
  readonly commons: ReadonlyMap<string, CommonRows>;
  /** Columns of the queries around this one. */
  readonly parent: Scope | undefined;
  /** As `planQuery`, which FROM, expressions and WITH need, and which needs them. */
  readonly planQuery: (query: Query, environment: Environment) => Rows;
  /** The table `information_schema.<name>`; undefined when there is none. */
  readonly findInformationTable: (name: string) => SystemTable | undefined;
}

/** A table of WITH; `depth` is how many subqueries it stands in. */
export interface CommonRows extends Rows {
  readonly depth: number;
}

/** Nodes of plans that WITH gives a statement: a table that is named twice is there twice. */
const COMMON_NODES_MAX = 2_000;

/** What is known of a statement as a whole. */
export class StatementParts {
  /** The tables that it reads. */
  readonly tables = new Map<TableId, TableSchema>();
  /** All its expressions, as often as they are used. */
  readonly sizes = new ExpressionSizes();
  #recursions = 0;
  #commonNodes = 0;

  nextRecursion(): number {
    this.#recursions += 1;
    return this.#recursions;
  }

  /** Counts a table of WITH that is used. Throws DbError `exceeded` / `sql_too_complex`. */
  useCommon(plan: Plan): void {
    this.sizes.addPlan(plan);
    this.#commonNodes += nodeCount(plan);
    if (this.#commonNodes <= COMMON_NODES_MAX) return;
    throw new DbError(
      "exceeded",
      "sql_too_complex",
      `The tables of WITH are used so often that the plan has more than ${COMMON_NODES_MAX} nodes of theirs: name them less often.`,
      { detail: { sizeMax: COMMON_NODES_MAX } },
    );
  }
}

/** A field whose values may be missing, though it be a table's time, which never is there. */
export function nullable(field: Field): Field {
  const { column, ...rest } = field;
  return column === "time" ? rest : field;
}

/** How many subqueries a query stands in whose names are looked up in `parent` as well. */
export function depthOf(parent: Scope | undefined): number {
  return parent === undefined ? 0 : 1 + depthOf(parent.parent);
}

/** Binds expressions over the columns of `scope`; subqueries in them see `scope` and all that is around it. */
export function binderFor(scope: Scope, environment: Environment, windows?: WindowNames): Binder {
  return new Binder(scope, environment.context, {
    planSubquery: (query, parent) => environment.planQuery(query, { ...environment, parent }).plan,
    sizes: environment.statement.sizes,
    ...(windows === undefined ? {} : { windows }),
  });
}
