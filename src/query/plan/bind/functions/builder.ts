import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { typeText } from "#model/query/type-text.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { isInteger } from "#model/query/value-type.ts";
import { chosenType, coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { call } from "../fold.ts";
import { isNumeric } from "../types/common-type.ts";

/** Builds a call from its arguments as they were bound; throws DbError `invalid` / `sql_planning` where they do not fit. */
export type Builder = (operands: readonly Expression[], context: CallContext) => Expression;

export interface CallContext {
  /** As the user called it. */
  readonly name: string;
  readonly nowNs: bigint;
}

export type Parameter = "text" | "float" | "whole";

const PARAMETER_TEXT = { text: "String", float: "Numeric", whole: "Integer" } as const;
const PARAMETER_TYPE = { text: "string", float: "float64", whole: "int64" } as const;

/** Throws DbError `invalid` / `sql_planning` unless there are `countMin` to `countMax` operands. */
export function checkCount(
  operands: readonly Expression[],
  context: Pick<CallContext, "name">,
  countMin: number,
  countMax = countMin,
): void {
  if (operands.length >= countMin && operands.length <= countMax) return;
  const expected = countMin === countMax ? String(countMin) : `${countMin} to ${countMax}`;
  throw planningError(
    `Function '${context.name}' expects ${expected} arguments but received ${operands.length}`,
  );
}

/** The error that an argument of type `received` should be `expected`. */
export function argumentError(
  context: CallContext,
  expected: string,
  operands: readonly Expression[],
  received: ValueType,
): Error {
  const types = operands.map(({ type }) => typeText(type)).join(", ");
  return planningError(
    `Function '${context.name}' expects NativeType::${expected} but received NativeType::${nativeText(received)} ` +
      `No function matches the given name and argument types '${context.name}(${types})'. ` +
      "You might need to add explicit type casts.",
  );
}

export function named(names: string, builder: Builder): Record<string, Builder> {
  return Object.fromEntries(names.split(" ").map((name) => [name, builder]));
}

/** What `builder` builds, as `type`. */
export function resulting(type: ValueType, builder: Builder): Builder {
  return (operands, context) => coerce(builder(operands, context), type);
}

/** A function with fixed types; the last `optional` arguments may be missing. */
export function simple(
  name: ScalarFunction,
  parameters: readonly Parameter[],
  type: ValueType,
  optional = 0,
): Builder {
  return (operands, context) => {
    checkCount(operands, context, parameters.length - optional, parameters.length);
    const coerced = operands.map((operand, index) => {
      const parameter = parameters[index] ?? "text";
      if (!accepts(parameter, operand.type)) {
        throw argumentError(context, PARAMETER_TEXT[parameter], operands, operand.type);
      }
      return coerce(operand, PARAMETER_TYPE[parameter]);
    });
    return call(name, coerced, type);
  };
}

export function commonArgumentType(
  operands: readonly Expression[],
  context: CallContext,
  typeOf: (expressions: readonly Expression[]) => ValueType | undefined = chosenType,
): ValueType {
  const type = typeOf(operands);
  if (type !== undefined) return type;
  const types = operands.map((operand) => typeText(operand.type)).join(", ");
  throw planningError(`Function '${context.name}' has no common type for its arguments (${types})`);
}

function accepts(parameter: Parameter, type: ValueType): boolean {
  if (type === "null") return true;
  switch (parameter) {
    case "text":
      return type === "string";
    case "float":
      return isNumeric(type);
    case "whole":
      return isInteger(type);
  }
}

function nativeText(type: ValueType): string {
  return type === "string" ? "String" : typeText(type).replace(/\(.*/, "");
}
