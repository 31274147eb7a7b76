import { DbError } from "#base/errors.ts";
import type { AggregateCall, Expression, LiteralValue, SortKey } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import type { CallExpression, OrderItem, SqlExpression } from "../../sql/ast.ts";
import { shown, unsupported } from "../../sql/errors.ts";
import type { ExpressionSizes } from "../tree.ts";
import { isAggregate } from "./aggregates/aggregates.ts";
import { bindAggregate } from "./calls/aggregate.ts";
import { SelectCalls } from "./calls/calls.ts";
import { bindFill, binFunctionOf, isFill } from "./calls/gapfill.ts";
import { bindWindow, isWindowFunction, type WindowNames } from "./calls/window.ts";
import { coerce, commonType, condition, explicitCast, isNumeric } from "./coerce.ts";
import { planningError } from "./errors.ts";
import { literal, literalOf } from "./fold.ts";
import { FUNCTIONS } from "./functions/functions.ts";
import {
  listOperator,
  slice,
  sliceOperands,
  subscript,
  withNames,
} from "./functions/nested/notation.ts";
import { atTimeZone } from "./functions/times/zones.ts";
import { isUnbuiltFunction } from "./functions/unbuilt.ts";
import { nearestNames } from "./nearest.ts";
import { binary, call, comparison, like, negation } from "./operators.ts";
import { columnNotFound, expressionOf, findColumn, type Scope } from "./scope.ts";
import { type SubqueryPlanner, subquery } from "./subqueries.ts";
import { expressionText } from "./text.ts";
import { itemOf, type UnnestedList, Unnests } from "./unnests.ts";

/** What a statement can ask for beside its tables. */
export interface BindContext {
  readonly parameters: Readonly<Record<string, LiteralValue>>;
  /** What `now()` is in the whole statement, nanoseconds since the Unix epoch. */
  readonly nowNs: bigint;
}

/** What a Binder shares with the others of its statement. */
export interface BinderParts {
  readonly planSubquery: SubqueryPlanner;
  readonly sizes: ExpressionSizes;
  /** None where it is left out. */
  readonly windows?: WindowNames;
}

/** A clause: which names and whether aggregates are allowed in it. */
export interface Clause {
  /** As errors name it. */
  readonly name: string;
  readonly aggregates: boolean;
  /** Whether window functions are. */
  readonly windows?: boolean;
  /** What a name means before the columns of the table are asked. */
  readonly first?: ReadonlyMap<string, Expression>;
  /** What a name means when no column has it. */
  readonly last?: ReadonlyMap<string, Expression>;
}

/** Where lists may become rows. */
const UNNEST_CLAUSES: ReadonlySet<string> = new Set(["SELECT", "GROUP BY", "ORDER BY"]);

/** Expressions that are known and not built. */
const UNBUILT = {
  named: "arguments with names",
} as const satisfies Partial<Record<SqlExpression["kind"], string>>;

/**
 * Gives the expressions of one SELECT their columns, types and casts.
 *
 * Columns are inputs by position in the scope. Inputs below zero stand for what is computed of many rows (`calls`): the planner
 * puts them where its nodes give it.
 */
export class Binder {
  readonly #scope: Scope;
  readonly #context: BindContext;
  readonly #planSubquery: SubqueryPlanner;
  readonly #windows: WindowNames;
  readonly #sizes: ExpressionSizes;
  readonly #unnests: Unnests;
  /** What inputs below zero stand for in the expressions that it gave. */
  readonly calls = new SelectCalls();

  constructor(
    scope: Scope,
    context: BindContext,
    { planSubquery, sizes, windows = new Map() }: BinderParts,
  ) {
    this.#scope = scope;
    this.#context = context;
    this.#planSubquery = planSubquery;
    this.#sizes = sizes;
    this.#unnests = new Unnests(scope.columns.length);
    this.#windows = windows;
  }

  get aggregates(): readonly AggregateCall[] {
    return this.calls.aggregates;
  }

  /** The lists that become rows; their items stand as inputs beyond those of the scope. */
  get unnests(): readonly UnnestedList[] {
    return this.#unnests.lists;
  }

  /** The text of each aggregate, as columns are named. */
  get aggregateTexts(): readonly string[] {
    return this.calls.aggregateTexts;
  }

  /**
   * Throws DbError `invalid` with `column_not_found`, `function_not_found`, `parameter_not_found`, `cast_failed` or `sql_planning`,
   * `unsupported` / `sql_unsupported`, `exceeded` / `sql_too_complex`.
   */
  bind(expression: SqlExpression, clause: Clause): Expression {
    return this.use(this.#bind(expression, clause));
  }

  /** Counts an expression that is used once more. Throws DbError `exceeded` / `sql_too_complex`. */
  use(bound: Expression): Expression {
    this.#sizes.add(bound);
    return bound;
  }

  /** As `bind`, of a condition. */
  bindCondition(expression: SqlExpression, clause: Clause): Expression {
    return condition(this.bind(expression, clause), () => this.text(expression));
  }

  bindOrder(item: OrderItem, clause: Clause): SortKey {
    const { descending, nullsFirst } = item;
    return { expression: this.bind(item.expression, clause), descending, nullsFirst };
  }

  /** An expression as columns are named. */
  text(expression: SqlExpression): string {
    return expressionText(expression, this.#scope);
  }

  #bind(expression: SqlExpression, clause: Clause): Expression {
    switch (expression.kind) {
      case "column":
        return this.#column(expression.path, clause);
      case "literal":
        return literalOf(expression.value);
      case "parameter":
        return this.#parameter(expression.name);
      case "negate":
        return negation(this.#bind(expression.operand, clause));
      case "not":
        return call("not", [this.#condition(expression.operand, clause)], "boolean");
      case "and":
      case "or":
        return this.#logic(expression, clause);
      case "binary": {
        const { operator, left, right } = expression;
        const sides = [this.#bind(left, clause), this.#bind(right, clause)] as const;
        return listOperator(operator, sides, this.#context.nowNs) ?? binary(operator, ...sides);
      }
      case "cast": {
        const { type, safe } = expression;
        return explicitCast(this.#bind(expression.operand, clause), type, safe);
      }
      case "at_time_zone":
        return atTimeZone(
          this.#bind(expression.operand, clause),
          this.#bind(expression.zone, clause),
        );
      case "index":
        return subscript(
          [expression.operand, expression.index].map((part) => this.#bind(part, clause)),
          this.#context.nowNs,
        );
      case "slice":
        return slice(
          sliceOperands(expression).map((part) => this.#bind(part, clause)),
          this.#context.nowNs,
        );
      case "is":
      case "between":
      case "in_list":
      case "like":
      case "case":
      case "call":
        return this.#bindTest(expression, clause);
      case "in_query":
      case "exists":
      case "scalar_query":
      case "quantified": {
        const plan = this.#planSubquery(expression.query, this.#scope);
        return subquery(expression, plan, (operand) => this.#bind(operand, clause));
      }
      default:
        throw unsupported(UNBUILT[expression.kind]);
    }
  }

  #bindTest(
    expression: Extract<
      SqlExpression,
      { kind: "is" | "between" | "in_list" | "like" | "case" | "call" }
    >,
    clause: Clause,
  ): Expression {
    switch (expression.kind) {
      case "is":
        return this.#is(expression, clause);
      case "between":
        return this.#between(expression, clause);
      case "in_list":
        return this.#inList(expression, clause);
      case "like": {
        const operand = this.#bind(expression.operand, clause);
        const pattern = this.#bind(expression.pattern, clause);
        return negated(expression, like(operand, pattern, expression));
      }
      case "case":
        return this.#case(expression, clause);
      case "call":
        return this.#anyCall(expression, clause);
    }
  }

  #column(path: readonly string[], clause: Clause): Expression {
    const first = aliasIn(clause.first, path);
    if (first !== undefined) return first;
    const found = findColumn(this.#scope, path);
    // What a clause says itself comes before the columns around a subquery.
    const last = found?.level === 0 ? undefined : aliasIn(clause.last, path);
    if (last !== undefined) return last;
    if (found === undefined) throw columnNotFound(this.#scope, path);
    return expressionOf(found);
  }

  #parameter(name: string): Expression {
    const { parameters } = this.#context;
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value !== undefined) return literalOf(value);
    throw new DbError(
      "invalid",
      "parameter_not_found",
      `Error during planning: No value found for placeholder with name $${shown(name)}`,
      { detail: { parameter: shown(name) } },
    );
  }

  #condition(expression: SqlExpression, clause: Clause): Expression {
    return condition(this.#bind(expression, clause), () => this.text(expression));
  }

  #logic(
    { kind, operands }: Extract<SqlExpression, { kind: "and" | "or" }>,
    clause: Clause,
  ): Expression {
    const conditions = operands.map((operand) => this.#condition(operand, clause));
    return call(kind, conditions, "boolean");
  }

  #is(expression: Extract<SqlExpression, { kind: "is" }>, clause: Clause): Expression {
    const { value, negated: not } = expression;
    const operand = this.#bind(expression.operand, clause);
    if (value === null || value === "unknown")
      return call(not ? "is_not_null" : "is_null", [operand], "boolean");
    const tested = condition(operand, () => this.text(expression.operand));
    return comparison(
      not ? "IS DISTINCT FROM" : "IS NOT DISTINCT FROM",
      tested,
      literal(value, "boolean"),
    );
  }

  #between(expression: Extract<SqlExpression, { kind: "between" }>, clause: Clause): Expression {
    const operand = this.#bind(expression.operand, clause);
    const low = this.#bind(expression.low, clause);
    const high = this.#bind(expression.high, clause);
    const sides = expression.negated
      ? [comparison("<", operand, low), comparison(">", operand, high)]
      : [comparison(">=", operand, low), comparison("<=", operand, high)];
    return call(expression.negated ? "or" : "and", sides, "boolean");
  }

  #inList(expression: Extract<SqlExpression, { kind: "in_list" }>, clause: Clause): Expression {
    const operand = this.#bind(expression.operand, clause);
    const list = expression.list.map((item) => this.#bind(item, clause));
    const type = commonType([operand, ...list], "float64");
    if (type === undefined) {
      const types = [...new Set(list.map((item) => typeText(item.type)))].join(", ");
      throw planningError(
        `Can not find compatible types to compare ${typeText(operand.type)} with [${types}]`,
      );
    }
    if (type === "null") return literal(null, "boolean");
    return negated(expression, {
      kind: "in",
      operand: coerce(operand, type),
      list: list.map((item) => coerce(item, type)),
      type: "boolean",
    });
  }

  /** What WHEN says: a number other than 0 is true. */
  #when(expression: SqlExpression, clause: Clause): Expression {
    const bound = this.#bind(expression, clause);
    if (isNumeric(bound.type)) return explicitCast(bound, "boolean", false);
    return condition(bound, () => this.text(expression));
  }

  #case(expression: Extract<SqlExpression, { kind: "case" }>, clause: Clause): Expression {
    const operand =
      expression.operand === undefined ? undefined : this.#bind(expression.operand, clause);
    const branches = expression.branches.map((branch) => ({
      when:
        operand === undefined
          ? this.#when(branch.when, clause)
          : comparison("=", operand, this.#bind(branch.when, clause)),
      result: this.#bind(branch.result, clause),
    }));
    const otherwise =
      expression.otherwise === undefined
        ? literal(null, "null")
        : this.#bind(expression.otherwise, clause);
    const type = commonType([...branches.map(({ result }) => result), otherwise], "int64");
    if (type === undefined)
      throw planningError("Failed to coerce then and else of CASE to one type");
    return {
      kind: "case",
      branches: branches.map(({ when, result }) => ({ when, result: coerce(result, type) })),
      otherwise: coerce(otherwise, type),
      type,
    };
  }

  #anyCall(expression: CallExpression, clause: Clause): Expression {
    const { name, over } = expression;
    if (over !== undefined && isWindowFunction(name)) {
      return bindWindow(expression, clause, this.#windows, this);
    }
    if (isAggregate(name)) return bindAggregate(expression, clause, this);
    if (isWindowFunction(name)) throw planningError(`Window function '${name}' needs OVER`);
    if (isFill(name)) return bindFill({ ...expression, name }, clause, this);
    const bins = binFunctionOf(name);
    if (bins === undefined) return this.#call(withNames(expression), clause);
    const bin = this.#call({ ...expression, name: bins }, clause);
    this.calls.bins.push({ name, bin });
    return bin;
  }

  #call(expression: CallExpression, clause: Clause): Expression {
    const { name } = expression;
    if (name === "unnest") return this.#unnest(expression, clause);
    const builder = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (builder === undefined) throw functionNotFound(name);
    if (expression.star || expression.distinct || expression.orderBy.length > 0) {
      throw planningError(`Function '${name}' takes no *, DISTINCT or ORDER BY`);
    }
    if (expression.filter !== undefined || expression.over !== undefined) {
      throw planningError(`Function '${name}' takes no FILTER or OVER`);
    }
    const operands = expression.arguments.map((argument) => this.#bind(argument, clause));
    return builder(operands, { name, nowNs: this.#context.nowNs });
  }

  #unnest({ arguments: operands }: CallExpression, clause: Clause): Expression {
    const [list] = operands;
    if (list === undefined || operands.length > 1) {
      throw planningError("unnest() requires exactly one argument");
    }
    if (!UNNEST_CLAUSES.has(clause.name)) {
      throw planningError(`unnest() is not allowed in ${clause.name}: use a subquery`);
    }
    return itemOf(this.#bind(list, clause), this.#unnests, this.calls);
  }
}

/** What a name alone means in `names`. */
function aliasIn(
  names: ReadonlyMap<string, Expression> | undefined,
  [name = "", ...more]: readonly string[],
): Expression | undefined {
  return more.length === 0 ? names?.get(name) : undefined;
}

function negated(test: { readonly negated: boolean }, expression: Expression): Expression {
  return test.negated ? call("not", [expression], "boolean") : expression;
}

function functionNotFound(name: string): DbError {
  const text = shown(name);
  if (isUnbuiltFunction(name)) return unsupported(`function ${text}`);
  const [nearest] = nearestNames(name, Object.keys(FUNCTIONS));
  const hint = nearest === undefined ? "" : `.\nDid you mean '${nearest}'?`;
  return new DbError(
    "invalid",
    "function_not_found",
    `Error during planning: Invalid function '${text}'${hint}`,
    { detail: { function: text, nearest } },
  );
}
