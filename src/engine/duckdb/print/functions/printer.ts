/** How calls of functions are printed as engine SQL. */
import { assert } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";

export type Call = Extract<Expression, { kind: "call" }>;
/** `args` are the call's arguments as engine SQL, each of which can stand anywhere. */
export type CallPrinter = (args: readonly string[], call: Call) => string;
export type Printers<Name extends ScalarFunction> = Readonly<Record<Name, CallPrinter>>;

/** A function that the engine has under `name`. */
export function named(name: string): CallPrinter {
  return (args) => `${name}(${args.join(", ")})`;
}

/** An operator between the arguments. */
export function infix(operator: string): CallPrinter {
  return (args) => `(${args.join(` ${operator} `)})`;
}

/** Argument `index` of `call`, which has one. */
export function argument(call: Call, index: number): Expression {
  const found = call.arguments[index];
  assert(found !== undefined, `${call.name} lacks argument ${index}`);
  return found;
}

/** The value of argument `index`, a literal; NULL where there is none. */
export function literalOf(
  call: Call,
  index: number,
): Extract<Expression, { kind: "literal" }>["value"] {
  const found = call.arguments[index];
  if (found === undefined) return null;
  assert(found.kind === "literal", `argument ${index} of ${call.name} is a literal`);
  return found.value;
}
