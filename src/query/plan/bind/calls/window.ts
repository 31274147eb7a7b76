import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { WindowCall } from "#model/query/plan.ts";
import type { CallExpression, NamedWindow, WindowSpec } from "../../../sql/ast.ts";
import { shown } from "../../../sql/errors.ts";
import { isAggregate } from "../aggregates/aggregates.ts";
import type { Clause } from "../bind.ts";
import { planningError } from "../errors.ts";
import { aggregateOf, type PartBinder } from "./aggregate.ts";
import { frameOf } from "./frame.ts";
import { isRankFunction, rankParts } from "./rank.ts";

/** Windows by their names. */
export type WindowNames = ReadonlyMap<string, WindowSpec>;

export function namesOf(windows: readonly NamedWindow[]): WindowNames {
  return new Map(windows.map(({ name, window }) => [name, window]));
}

/** Whether a call with OVER of `name` is known. */
export function isWindowFunction(name: string): boolean {
  return isRankFunction(name) || isAggregate(name);
}

/** A call with OVER. Throws DbError `invalid` / `sql_planning`. */
export function bindWindow(
  expression: CallExpression,
  clause: Clause,
  names: WindowNames,
  binder: PartBinder,
): Expression {
  if (clause.windows !== true) {
    throw planningError(
      `Window functions are not allowed in ${clause.name}: ${shown(binder.text(expression))}`,
    );
  }
  const inner: Clause = { ...clause, name: "a window function", windows: false };
  const { partitionBy, orderBy, frame } = windowOf(expression.over, names);
  const keys = orderBy.map((item) => binder.bindOrder(item, inner));
  const framed = frameOf(frame, keys, (offset) => binder.bind(offset, inner));
  const call: WindowCall = {
    ...partsOf(expression, inner, binder),
    partitionBy: partitionBy.map((key) => binder.bind(key, inner)),
    ...framed,
  };
  return binder.calls.addWindow(call, () => binder.text(expression));
}

type CallParts = Omit<WindowCall, "partitionBy" | "orderBy" | "frame">;

function partsOf(expression: CallExpression, clause: Clause, binder: PartBinder): CallParts {
  const { name, nulls } = expression;
  if (!isRankFunction(name)) return partsOfAggregate(aggregateOf(expression, clause, binder));
  if (expression.star || expression.distinct || expression.filter !== undefined) {
    throw planningError(`Window function '${name}' takes no *, DISTINCT or FILTER`);
  }
  const operands = expression.arguments.map((argument) => binder.bind(argument, clause));
  return rankParts(name, operands, nulls === "ignore");
}

function partsOfAggregate(call: AggregateCall): CallParts {
  if (call.name === "grouping") throw planningError("grouping is no function of a window");
  const { name, distinct, filter, orderBy, ignoreNulls = false, type } = call;
  return {
    name,
    arguments: call.arguments,
    distinct,
    ...(filter === undefined ? {} : { filter }),
    ...(orderBy === undefined ? {} : { argumentOrder: orderBy }),
    ignoreNulls,
    type,
  };
}

/** What a window is once the windows that it builds on are in it. */
export function windowOf(over: CallExpression["over"], names: WindowNames): WindowSpec {
  const spec = typeof over === "string" ? namedWindow(over, names) : over;
  if (spec?.base === undefined) return spec ?? EMPTY;
  // Names are looked up among others, so that a window that builds on itself ends.
  const others = new Map([...names].filter(([name]) => name !== spec.base));
  const base = windowOf(namedWindow(spec.base, names), others);
  if (spec.partitionBy.length > 0) {
    throw planningError(`Cannot override PARTITION BY of window ${shown(spec.base)}`);
  }
  if (spec.orderBy.length > 0 && base.orderBy.length > 0) {
    throw planningError(`Cannot override ORDER BY of window ${shown(spec.base)}`);
  }
  return {
    base: undefined,
    partitionBy: base.partitionBy,
    orderBy: spec.orderBy.length > 0 ? spec.orderBy : base.orderBy,
    frame: spec.frame ?? base.frame,
  };
}

const EMPTY: WindowSpec = { base: undefined, partitionBy: [], orderBy: [], frame: undefined };

function namedWindow(name: string, names: WindowNames): WindowSpec {
  const spec = names.get(name);
  if (spec !== undefined) return spec;
  throw planningError(`The window ${shown(name)} is not defined!`);
}
