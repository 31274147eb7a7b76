import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import { childrenOf } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { expressionsOf, inputsOf, subqueriesOf } from "#model/query/walk.ts";

/** How many nodes the expressions of a statement may have: parts that are used twice, as the operand of BETWEEN is, count twice. */
export const EXPRESSIONS_SIZE_MAX = 200_000;

/** `expression` with `change` applied to the expressions directly in it. */
export function mapChildren(
  expression: Expression,
  change: (child: Expression) => Expression,
): Expression {
  switch (expression.kind) {
    case "input":
    case "outer":
    case "literal":
      return expression;
    case "subquery":
      return expression.form === "compare"
        ? { ...expression, operand: change(expression.operand) }
        : expression;
    case "call":
      return { ...expression, arguments: expression.arguments.map(change) };
    case "cast":
      return { ...expression, operand: change(expression.operand) };
    case "case":
      return {
        ...expression,
        branches: expression.branches.map(({ when, result }) => ({
          when: change(when),
          result: change(result),
        })),
        otherwise: change(expression.otherwise),
      };
    case "in":
      return {
        ...expression,
        operand: change(expression.operand),
        list: expression.list.map(change),
      };
  }
}

const sizes = new WeakMap<Expression | Plan, number>();
const nodeCounts = new WeakMap<Plan, number>();

/** The nodes of `expression`, those of its subqueries included: shared parts in every place they stand in, without visiting them twice. */
export function sizeOf(expression: Expression): number {
  const known = sizes.get(expression);
  if (known !== undefined) return known;
  let size = expression.kind === "subquery" ? 1 + sizeOfPlan(expression.plan) : 1;
  for (const child of childrenOf(expression)) size += sizeOf(child);
  sizes.set(expression, size);
  return size;
}

/** The nodes of all expressions of `plan`, as `sizeOf` counts them. */
export function sizeOfPlan(plan: Plan): number {
  const known = sizes.get(plan);
  if (known !== undefined) return known;
  let size = 0;
  for (const expression of expressionsOf(plan)) {
    // Rows of literals are not copied, and system tables have many.
    if (plan.kind !== "values" || expression.kind !== "literal") size += sizeOf(expression);
  }
  for (const input of inputsOf(plan)) size += sizeOfPlan(input);
  sizes.set(plan, size);
  return size;
}

/** The plans that `plan` is made of, those of subqueries included. */
export function nodeCount(plan: Plan): number {
  const known = nodeCounts.get(plan);
  if (known !== undefined) return known;
  const below = [...inputsOf(plan), ...expressionsOf(plan).flatMap(subqueriesOf)];
  const count = below.reduce((sum, part) => sum + nodeCount(part), 1);
  nodeCounts.set(plan, count);
  return count;
}

/** Counts the expressions of a statement. */
export class ExpressionSizes {
  #total = 0;

  /** Throws DbError `exceeded` / `sql_too_complex` when all that were added have over EXPRESSIONS_SIZE_MAX nodes. */
  add(expression: Expression): void {
    this.#take(sizeOf(expression));
  }

  /** As `add`, of all expressions of `plan`. */
  addPlan(plan: Plan): void {
    this.#take(sizeOfPlan(plan));
  }

  #take(size: number): void {
    this.#total += size;
    if (this.#total <= EXPRESSIONS_SIZE_MAX) return;
    throw new DbError(
      "exceeded",
      "sql_too_complex",
      `The statement has more than ${EXPRESSIONS_SIZE_MAX} parts: split it or simplify it.`,
      { detail: { sizeMax: EXPRESSIONS_SIZE_MAX } },
    );
  }
}

/** Gives equal expressions one number, so that comparing large ones costs nothing. */
export class ExpressionNumbers {
  readonly #numbers = new WeakMap<Expression, number>();
  readonly #known = new Map<string, number>();

  numberOf(expression: Expression): number {
    const numbered = this.#numbers.get(expression);
    if (numbered !== undefined) return numbered;
    const children = childrenOf(expression).map((child) => this.numberOf(child));
    const key = `${ownText(expression)}(${children.join(",")})`;
    const number = this.#known.get(key) ?? this.#known.size;
    this.#known.set(key, number);
    this.#numbers.set(expression, number);
    return number;
  }
}

/** What an expression is without its children; two that differ in it are never equal. */
function ownText(expression: Expression): string {
  switch (expression.kind) {
    case "input":
      return `input ${expression.index}`;
    case "outer":
      return `outer ${expression.level} ${expression.index}`;
    case "subquery":
      return `subquery ${numberOfPlan(expression.plan)}`;
    case "literal":
      return `literal ${typeText(expression.type)} ${literalText(expression.value)}`;
    case "call":
      return `call ${expression.name} ${typeText(expression.type)}`;
    case "cast":
      return `cast ${typeText(expression.type)} ${expression.safe}`;
    case "case":
    case "in":
      return expression.kind;
  }
}

const planNumbers = new WeakMap<Plan, number>();
let planCount = 0;

/** Subqueries are equal where their plans are one. */
function numberOfPlan(plan: Plan): number {
  const known = planNumbers.get(plan);
  if (known !== undefined) return known;
  planCount += 1;
  planNumbers.set(plan, planCount);
  return planCount;
}

function literalText(value: Extract<Expression, { kind: "literal" }>["value"]): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return value.toHex();
  if (typeof value === "object" && value !== null) return `${value.months} ${value.nanoseconds}`;
  return Object.is(value, -0) ? "-0" : String(value);
}
