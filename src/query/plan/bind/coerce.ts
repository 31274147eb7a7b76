import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import {
  INTEGER_RANGES,
  type IntegerType,
  isFloat,
  isInteger,
  sameType,
  type ValueType,
} from "#model/query/value-type.ts";
import { unsupported } from "../../sql/errors.ts";
import { planningError } from "./errors.ts";
import { castLiteral, literal } from "./fold.ts";
import { canCastParted, commonParted, isParted } from "./nested-types.ts";

const INTEGER_TYPES = Object.keys(INTEGER_RANGES) as readonly IntegerType[];

export function isNumeric(type: ValueType): boolean {
  return isInteger(type) || isFloat(type);
}

/** Whether a cast from `source` to `target` exists; NULL is accepted everywhere and text for an interval only as a literal. */
function canCast(source: ValueType, target: ValueType): boolean {
  if (sameType(source, target)) return true;
  const parted = isParted(source) || isParted(target);
  return parted ? canCastParted(source, target, canCast) : canCastPlain(source, target);
}

function canCastPlain(source: ValueType, target: ValueType): boolean {
  const plain = isNumeric(source) || source === "boolean" || source === "string";
  if (isNumeric(target) || target === "boolean")
    return plain || (source === "timestamp" && target === "int64");
  if (target === "string") return plain || source === "timestamp";
  return target === "timestamp" && (isInteger(source) || source === "string");
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
  const [first = "null"] = types;
  if ([...types].every((type) => sameType(type, first))) return first;
  if ([...types].some(isParted)) {
    return commonParted(expressions, (parts) => commonType(parts, mixedType));
  }
  if ([...types].every(isNumeric)) return commonNumber(expressions, types, mixedType);
  const has = (...allowed: readonly ValueType[]) =>
    [...types].every((type) => allowed.includes(type));
  if ([...types].every((type) => type === "string" || isNumeric(type))) return "string";
  if (has("string", "timestamp")) return "timestamp";
  return has("string", "interval") ? "interval" : undefined;
}

function commonNumber(
  expressions: readonly Expression[],
  types: ReadonlySet<ValueType>,
  mixedType: "int64" | "float64",
): ValueType {
  if (types.has("float64")) return "float64";
  if (types.has("float32")) return "float32";
  if (![...types].every((type) => type === "int64" || type === "uint64"))
    return commonWhole([...types].filter(isInteger), mixedType);
  // A number that was written without a sign is as good unsigned.
  const unsigned = expressions.every(
    (expression) => expression.type !== "int64" || castable(expression, "uint64"),
  );
  return unsigned ? "uint64" : mixedType;
}

/** The narrowest type that holds all of `types`, of which one is narrower than 64 bits. */
function commonWhole(
  types: readonly IntegerType[],
  mixedType: "int64" | "float64",
): "int64" | "float64" | IntegerType {
  const ranges = types.map((type) => INTEGER_RANGES[type]);
  const fitting = INTEGER_TYPES.find((type) => {
    const [least, greatest] = INTEGER_RANGES[type];
    return ranges.every(([low, high]) => low >= least && high <= greatest);
  });
  return fitting ?? mixedType;
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
