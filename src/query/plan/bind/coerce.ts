import type { Expression, ValueType } from "#model/expression.ts";
import { unsupported } from "../../sql/errors.ts";
import { planningError, typeText } from "./errors.ts";
import { castLiteral, literal } from "./fold.ts";

/** What a cast accepts; NULL is accepted everywhere and text for an interval only as a literal. */
const CASTS: Readonly<Record<ValueType, readonly ValueType[]>> = {
  null: [],
  boolean: ["boolean", "int64", "uint64", "float64", "string"],
  int64: ["boolean", "int64", "uint64", "float64", "string", "timestamp"],
  uint64: ["boolean", "int64", "uint64", "float64", "string"],
  float64: ["boolean", "int64", "uint64", "float64", "string"],
  string: ["boolean", "int64", "uint64", "float64", "string", "timestamp"],
  timestamp: ["int64", "uint64", "string", "timestamp"],
  interval: ["interval"],
};

export function isNumeric(type: ValueType): boolean {
  return type === "int64" || type === "uint64" || type === "float64";
}

/**
 * The type that values of all these can have together; undefined when there is none. Text wins over numbers, a float over
 * whole numbers, a time or an interval over text. `mixedType` is what int64 and uint64 columns give.
 */
export function commonType(
  expressions: readonly Expression[],
  mixedType: "int64" | "float64",
): ValueType | undefined {
  const types = new Set(expressions.map(({ type }) => type));
  types.delete("null");
  if (types.size === 0) return "null";
  if (types.size === 1) return expressions.find(({ type }) => type !== "null")?.type;
  if ([...types].every(isNumeric)) return commonNumber(expressions, types, mixedType);
  const has = (...allowed: readonly ValueType[]) =>
    [...types].every((type) => allowed.includes(type));
  if (has("string", "int64", "uint64", "float64")) return "string";
  if (has("string", "timestamp")) return "timestamp";
  return has("string", "interval") ? "interval" : undefined;
}

function commonNumber(
  expressions: readonly Expression[],
  types: ReadonlySet<ValueType>,
  mixedType: "int64" | "float64",
): ValueType {
  if (types.has("float64")) return "float64";
  // A number that was written without a sign is as good unsigned.
  const unsigned = expressions.every(
    (expression) => expression.type !== "int64" || castable(expression, "uint64"),
  );
  return unsigned ? "uint64" : mixedType;
}

function castable(expression: Expression, type: ValueType): boolean {
  return expression.kind === "literal" && castLiteral(expression, type) !== undefined;
}

/** `expression` as `type`, which must be one that it can have: a literal where it is one, else with a cast. */
export function coerce(expression: Expression, type: ValueType): Expression {
  if (expression.type === type) return expression;
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
  if (!CASTS[type].includes(expression.type)) {
    throw unsupported(`CAST from ${typeText(expression.type)} to ${typeText(type)}`);
  }
  return expression.type === type ? expression : { kind: "cast", operand: expression, safe, type };
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
