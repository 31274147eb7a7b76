import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { sameType, type ValueType } from "#model/query/value-type.ts";
import { unsupported } from "../../sql/errors.ts";
import { planningError } from "./errors.ts";
import { literal } from "./fold.ts";
import { commonParted, isParted } from "./nested-types.ts";
import { canCast } from "./types/castable.ts";
import { commonOf, isNumeric } from "./types/common-type.ts";
import { castLiteral } from "./types/literal-cast.ts";

export { isNumeric } from "./types/common-type.ts";

/**
 * The type that values of all these can have together; undefined when there is none. Text wins over numbers, a float over
 * whole numbers, times over text. `mixedType` is what int64 and uint64 columns give.
 */
export function commonType(
  expressions: readonly Expression[],
  mixedType: "int64" | "float64",
): ValueType | undefined {
  const types = expressions.map(({ type }) => type);
  if (types.some(isParted)) {
    return commonParted(expressions, (parts) => commonType(parts, mixedType));
  }
  if (types.includes("uint64") && unsignedAlone(expressions)) return "uint64";
  let common: ValueType | undefined = "null";
  for (const type of types) {
    if (common !== undefined) common = commonOf(common, type, mixedType);
  }
  return common;
}

/** As `commonType`, of values of which a list is made, or one is chosen: numbers win over text, which must then be one. */
export function chosenType(expressions: readonly Expression[]): ValueType | undefined {
  const numbers = expressions.filter(({ type }) => isNumeric(type));
  const rest = expressions.filter(({ type }) => type === "string" || type === "null");
  const mixed = numbers.length > 0 && numbers.length + rest.length === expressions.length;
  return commonType(mixed ? numbers : expressions, "int64");
}

/** Whether all are unsigned, but for numbers that were written without a sign, which are as good so. */
function unsignedAlone(expressions: readonly Expression[]): boolean {
  return expressions.every(
    (expression) =>
      expression.type === "null" ||
      expression.type === "uint64" ||
      (expression.type === "int64" && castable(expression, "uint64")),
  );
}

function castable(expression: Expression, type: ValueType): boolean {
  return expression.kind === "literal" && castLiteral(expression, type) !== undefined;
}

/** `expression` as `type`, which must be one that it can have: a literal where it is one, else with a cast. */
export function coerce(expression: Expression, type: ValueType): Expression {
  if (sameType(expression.type, type)) return expression;
  const folded = expression.kind === "literal" ? castLiteral(expression, type) : undefined;
  return folded ?? { kind: "cast", operand: expression, safe: false, type };
}

/** CAST, TRY_CAST and `::` as a user writes them. Throws DbError where no such cast exists. */
export function explicitCast(expression: Expression, type: ValueType, safe: boolean): Expression {
  if (expression.kind === "literal") {
    const folded = foldCast(expression, type, safe);
    if (folded !== undefined) return folded;
  }
  if (expression.type === "null") return { kind: "cast", operand: expression, safe, type };
  if (!canCast(expression.type, type)) {
    throw unsupported(`CAST from ${typeText(expression.type)} to ${typeText(type)}`);
  }
  return sameType(expression.type, type)
    ? expression
    : { kind: "cast", operand: expression, safe, type };
}

function foldCast(
  expression: Extract<Expression, { kind: "literal" }>,
  type: ValueType,
  safe: boolean,
): Expression | undefined {
  try {
    return castLiteral(expression, type);
  } catch (error) {
    if (safe) return literal(null, type);
    throw error;
  }
}

/** `expression` as the condition of `clause`. Throws DbError `invalid` / `sql_planning` when it is none. */
export function condition(expression: Expression, text: () => string): Expression {
  if (expression.type === "boolean" || expression.type === "null") {
    return coerce(expression, "boolean");
  }
  throw planningError(
    `Cannot create filter with non-boolean predicate '${text()}' returning ${typeText(expression.type)}`,
  );
}
