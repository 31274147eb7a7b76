/** Expressions as functions of one row: what model/query/expression.ts says, word for word. */
import type { Expression } from "#model/query/expression.ts";
import type { CoreFunction } from "#model/query/functions/core.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { ARITHMETIC, type StrictFunction } from "./arithmetic.ts";
import { CALENDAR } from "./calendar.ts";
import { cast, castFailed } from "./cast.ts";
import { TEXT } from "./text.ts";
import { compareValues, notHere, type Present, type Row, type Value } from "./value.ts";

export type Evaluator = (row: Row) => Value;

type Comparison = "equal" | "not_equal" | "less" | "less_equal" | "greater" | "greater_equal";
const COMPARISONS: Readonly<Record<Comparison, StrictFunction>> = {
  equal: comparison((order) => order === 0),
  not_equal: comparison((order) => order !== 0),
  less: comparison((order) => order < 0),
  less_equal: comparison((order) => order <= 0),
  greater: comparison((order) => order > 0),
  greater_equal: comparison((order) => order >= 0),
};

const STRICT = { ...ARITHMETIC, ...TEXT, ...CALENDAR, ...COMPARISONS };

/** Functions that have something to say about NULL. */
const LENIENT: Readonly<
  Record<Exclude<CoreFunction, keyof typeof STRICT>, (args: readonly Evaluator[]) => Evaluator>
> = {
  is_distinct: ofValues(([left, right]) => !same(left, right)),
  is_not_distinct: ofValues(([left, right]) => same(left, right)),
  is_null: ofValues(([value]) => value === null),
  is_not_null: ofValues(([value]) => value !== null),
  not: ofValues(([value]) => (value === null ? null : value !== true)),
  and: (args) => (row) => decided(args, row, false),
  or: (args) => (row) => decided(args, row, true),
  concat: ofValues((values) => (values as readonly (string | null)[]).join("")),
  coalesce: (args) => (row) => {
    for (const arg of args) {
      const value = arg(row);
      if (value !== null) return value;
    }
    return null;
  },
  greatest: ofValues((values) => extreme(values, 1)),
  least: ofValues((values) => extreme(values, -1)),
  nullif: ofValues(([left = null, right]) => (left !== null && same(left, right) ? null : left)),
};

/** A function that answers `expression` for a row of the input of its plan node. */
export function compile(expression: Expression): Evaluator {
  switch (expression.kind) {
    case "input": {
      const { index } = expression;
      return (row) => row[index] as Value;
    }
    case "literal": {
      const { value } = expression;
      if (value instanceof Uint8Array) throw notHere("binary values");
      return () => value;
    }
    case "outer":
    case "subquery":
      throw notHere("subqueries");
    case "call":
      return compileCall(expression);
    case "cast":
      return compileCast(expression);
    case "case":
      return compileCase(expression);
    case "in":
      return compileIn(expression);
  }
}

/** Whether `predicate` is true for a row; neither false nor NULL will do. */
export function compilePredicate(predicate: Expression | undefined): (row: Row) => boolean {
  if (predicate === undefined) return () => true;
  const evaluate = compile(predicate);
  return (row) => evaluate(row) === true;
}

function compileCall(call: Extract<Expression, { kind: "call" }>): Evaluator {
  const args = call.arguments.map(compile);
  const { name, type } = call;
  if (isLenient(name)) return LENIENT[name](args);
  if (!isStrict(name)) throw notHere(`function ${name}`);
  const work: StrictFunction = STRICT[name];
  return (row) => {
    const values: Present[] = [];
    for (const arg of args) {
      const value = arg(row);
      if (value === null) return null;
      values.push(value);
    }
    return work(values, type);
  };
}

function isLenient(name: ScalarFunction): name is keyof typeof LENIENT {
  return Object.hasOwn(LENIENT, name);
}

function isStrict(name: ScalarFunction): name is keyof typeof STRICT {
  return Object.hasOwn(STRICT, name);
}

function compileCast({ operand, safe, type }: Extract<Expression, { kind: "cast" }>): Evaluator {
  const evaluate = compile(operand);
  return (row) => {
    const value = evaluate(row);
    if (value === null) return null;
    const result = cast(value, operand.type, type);
    if (result !== undefined) return result;
    if (safe) return null;
    throw castFailed(value, type);
  };
}

function compileCase({ branches, otherwise }: Extract<Expression, { kind: "case" }>): Evaluator {
  const choices = branches.map(({ when, result }) => ({
    when: compile(when),
    result: compile(result),
  }));
  const last = compile(otherwise);
  return (row) => (choices.find(({ when }) => when(row) === true)?.result ?? last)(row);
}

function compileIn({ operand, list }: Extract<Expression, { kind: "in" }>): Evaluator {
  const evaluate = compile(operand);
  const members = list.map(compile);
  return (row) => {
    const value = evaluate(row);
    if (value === null) return null;
    const values = members.map((member) => member(row));
    if (values.some((member) => member !== null && same(value, member))) return true;
    return values.includes(null) ? null : false;
  };
}

function comparison(holds: (order: number) => boolean): StrictFunction {
  return ([left, right]) => holds(compareValues(left as Present, right as Present));
}

function ofValues(
  work: (values: readonly Value[]) => Value,
): (args: readonly Evaluator[]) => Evaluator {
  return (args) => (row) => work(args.map((arg) => arg(row)));
}

function same(left: Value | undefined, right: Value | undefined): boolean {
  if (left == null || right == null) return left === right;
  return compareValues(left, right) === 0;
}

/** `and` (`decisive` false) and `or` (`decisive` true): one decisive argument decides, else NULL wins over the rest. */
function decided(args: readonly Evaluator[], row: Row, decisive: boolean): Value {
  let result: Value = !decisive;
  for (const arg of args) {
    const value = arg(row);
    if (value === decisive) return decisive;
    if (value === null) result = null;
  }
  return result;
}

function extreme(values: readonly Value[], sign: 1 | -1): Value {
  let best: Value = null;
  for (const value of values) {
    if (value === null) continue;
    if (best === null || sign * compareValues(value, best) > 0) best = value;
  }
  return best;
}
