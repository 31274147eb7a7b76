import {
  type AggregateCall,
  childrenOf,
  type Expression,
  type LiteralValue,
  type SortKey,
} from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { coerce, isNumeric } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { constantOf, literal } from "../fold.ts";

/** A call of an aggregate as it was written, its parts bound. */
export interface AggregateRequest {
  /** As the user called it. */
  readonly name: string;
  readonly operands: readonly Expression[];
  readonly star: boolean;
  readonly distinct: boolean;
  /** Within the parentheses, or of WITHIN GROUP. */
  readonly orderBy: readonly SortKey[];
  readonly withinGroup: boolean;
  readonly ignoreNulls: boolean;
}

/** Throws DbError `invalid` / `sql_planning` where the parts do not fit. */
export type AggregateBuilder = (request: AggregateRequest) => AggregateCall;

export function checkOperands(
  { name, operands }: AggregateRequest,
  countMin: number,
  countMax = countMin,
): void {
  const count = operands.length;
  if (count >= countMin && count <= countMax) return;
  const exact = countMax === 1 ? "only 1" : `exactly ${countMin}`;
  const allowed = countMin === countMax ? exact : `${countMin} to ${countMax}`;
  throw planningError(`${name} was called with ${count} arguments. It requires ${allowed}.`);
}

/** Operand `index`; a bare NULL is a value of `missing` that is not there. */
export function operandOf(
  { operands }: AggregateRequest,
  index: number,
  missing: ValueType,
): Expression {
  const operand = operands[index];
  return operand === undefined || operand.type === "null" ? literal(null, missing) : operand;
}

export function isNumber(type: ValueType): boolean {
  return isNumeric(type) || isDecimal(type);
}

export function isDecimal(type: ValueType): type is Extract<ValueType, { kind: "decimal" }> {
  return typeof type === "object" && type.kind === "decimal";
}

/** Operand `index` as a number of its own type. */
export function numberOf(request: AggregateRequest, index: number): Expression {
  const operand = operandOf(request, index, "int64");
  if (isNumber(operand.type)) return operand;
  throw expected(request.name, "Numeric", operand.type);
}

export function floatOf(request: AggregateRequest, index: number): Expression {
  return coerce(numberOf(request, index), "float64");
}

export function expected(name: string, what: string, received: ValueType): Error {
  return planningError(
    `Function '${name}' expects NativeType::${what} but received ${typeText(received)}`,
  );
}

/** Operand `index` as a whole number that is the same for all rows. */
export function wholeOf(request: AggregateRequest, index: number, what: string): bigint {
  const operand = operandOf(request, index, "int64");
  const constant = constantValue(operand);
  if (typeof constant === "bigint") return constant;
  throw planningError(`${request.name} needs a constant whole number as its ${what}`);
}

/** The value of an expression without columns; undefined of others, and where there is none. */
export function constantValue(expression: Expression): LiteralValue | undefined {
  return isConstant(expression) ? constantOf(expression)?.value : undefined;
}

function isConstant(expression: Expression): boolean {
  if (expression.kind === "literal") return true;
  if (expression.kind !== "call" && expression.kind !== "cast") return false;
  return childrenOf(expression).every(isConstant);
}
