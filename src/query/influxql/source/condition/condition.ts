/**
 * WHERE as InfluxDB 1 understands it, as a condition of an engine.
 *
 * Tags are compared with text first, series by series: one that is missing is ''. All else is computed row by row, where what is
 * missing compares with nothing, as do types that do not go together: also `!=` is false then.
 */
import type { Expression } from "#model/query/expression.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import type {
  BinaryExpression,
  Expression as InfluxExpression,
  VariableExpression,
} from "../../ast.ts";
import type { ScanColumns } from "../columns.ts";
import { operandOf } from "./operand.ts";
import { finds, findsNot } from "./pattern.ts";

type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~";

const COMPARISONS: ReadonlySet<string> = new Set(["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]);
const TRUE = literal(true, "boolean");
const FALSE = literal(false, "boolean");

export interface ConditionScope {
  readonly columns: ScanColumns;
  /** The name of the measurement, which is `_name`. */
  readonly measurement: string;
}

/** Of rows that `condition` lets pass the answer is true; of others it is false or NULL. */
export function conditionOf(condition: InfluxExpression, scope: ConditionScope): Expression {
  switch (condition.kind) {
    case "parenthesized":
      return conditionOf(condition.expression, scope);
    case "boolean":
      return condition.value ? TRUE : FALSE;
    case "binary":
      return ofBinary(condition, scope);
    default:
      return FALSE;
  }
}

function ofBinary(condition: BinaryExpression, scope: ConditionScope): Expression {
  const { left, operator, right } = condition;
  if (operator === "AND" || operator === "OR") {
    const sides = [conditionOf(left, scope), conditionOf(right, scope)];
    return operator === "AND" ? both(sides) : either(sides);
  }
  // 1.x asks such an operator for series alone, and it names all.
  if (!isComparison(operator)) return TRUE;
  return ofTag(condition, operator, scope) ?? ofRow(condition, scope);
}

function both(sides: readonly Expression[]): Expression {
  const open = sides.filter((side) => side !== TRUE);
  if (open.includes(FALSE)) return FALSE;
  return open.length > 1 ? call("and", open, "boolean") : (open[0] ?? TRUE);
}

function either(sides: readonly Expression[]): Expression {
  const open = sides.filter((side) => side !== FALSE);
  if (open.includes(TRUE)) return TRUE;
  return open.length > 1 ? call("or", open, "boolean") : (open[0] ?? FALSE);
}

/** A comparison that is computed row by row. */
function ofRow(condition: BinaryExpression, scope: ConditionScope): Expression {
  const { expression, test = expression, type } = operandOf(condition, scope.columns);
  return type === "boolean" ? test : FALSE;
}

/** A comparison of a tag, or of a name that is none of a field; undefined where it is something else. */
function ofTag(
  { left, right }: BinaryExpression,
  operator: Comparison,
  scope: ConditionScope,
): Expression | undefined {
  if (left.kind === "binary" || right.kind === "binary") return undefined;
  const key = left.kind === "variable" ? left : right;
  const value = left.kind === "variable" ? right : left;
  if (key.kind !== "variable" || isField(key, scope)) return undefined;
  if (value.kind === "variable")
    return isField(value, scope) ? undefined : ofTwoTags(key, value, operator, scope);
  if (key.name === "_name") return ofName(value, operator, scope);
  const tag = tagOf(key, scope);
  if (value.kind === "string") return ofText(tag, operator, value.value);
  if (value.kind === "regex") return ofPattern(tag, operator, value.pattern);
  return FALSE;
}

/** Whether a name is, or is said to be, of a field. */
function isField({ cast, name }: VariableExpression, { columns }: ConditionScope): boolean {
  if (name === "_name" || cast === "tag") return false;
  const kind = columns.find(name)?.kind;
  return cast !== undefined || (kind !== undefined && kind !== "tag");
}

/** Undefined where no series has it. */
function tagOf({ name }: VariableExpression, { columns }: ConditionScope): Expression | undefined {
  const column = columns.find(name);
  return column?.kind === "tag" ? columns.input(column) : undefined;
}

function ofName(
  value: InfluxExpression,
  operator: Comparison,
  { measurement }: ConditionScope,
): Expression {
  const text = literal(measurement, "string");
  if (value.kind === "regex") return ofPattern(text, operator, value.pattern);
  if (value.kind !== "string") return FALSE;
  const same = value.value === measurement;
  return (operator === "=" && same) || (operator === "!=" && !same) ? TRUE : FALSE;
}

function ofText(tag: Expression | undefined, operator: Comparison, text: string): Expression {
  if (operator !== "=" && operator !== "!=") return FALSE;
  const equal = operator === "=";
  if (tag === undefined) return equal === (text === "") ? TRUE : FALSE;
  if (text === "") return call(equal ? "is_null" : "is_not_null", [tag], "boolean");
  const value = literal(text, "string");
  return call(equal ? "equal" : "is_distinct", [tag, value], "boolean");
}

function ofPattern(tag: Expression | undefined, operator: Comparison, pattern: string): Expression {
  if (operator !== "=~" && operator !== "!~") return FALSE;
  const text = tag ?? literal("", "string");
  return operator === "=~" ? finds(pattern, text, true) : findsNot(pattern, text, true);
}

function ofTwoTags(
  left: VariableExpression,
  right: VariableExpression,
  operator: Comparison,
  scope: ConditionScope,
): Expression {
  if (operator !== "=" && operator !== "!=") return FALSE;
  const one = tagOf(left, scope);
  const other = tagOf(right, scope);
  if (one === undefined || other === undefined) return operator === "=" ? FALSE : TRUE;
  const equal = call("equal", [one, other], "boolean");
  if (operator === "=") return equal;
  const known = call("coalesce", [equal, FALSE], "boolean");
  return call("not", [known], "boolean");
}

function isComparison(operator: string): operator is Comparison {
  return COMPARISONS.has(operator);
}
