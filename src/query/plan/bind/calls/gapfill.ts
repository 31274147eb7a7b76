import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import type { ValueType } from "#model/query/value-type.ts";
import type { CallExpression } from "../../../sql/ast.ts";
import type { Clause } from "../bind.ts";
import { planningError } from "../errors.ts";
import type { PartBinder } from "./aggregate.ts";
import { standInOf } from "./calls.ts";

/** Functions of bins, and those that they are where gaps are filled. */
const BINS: Readonly<Record<string, string>> = {
  date_bin_gapfill: "date_bin",
  date_bin_wallclock_gapfill: "date_bin_wallclock",
};
const FILLS = { locf: "previous", interpolate: "linear" } as const;

/** All names of functions that fill gaps. */
export function gapNames(): readonly string[] {
  return [...Object.keys(BINS), ...Object.keys(FILLS)];
}

/** The function that computes the bins of `name`; undefined where it fills no gaps. */
export function binFunctionOf(name: string): string | undefined {
  return Object.hasOwn(BINS, name) ? BINS[name] : undefined;
}

export function isFill(name: string): name is keyof typeof FILLS {
  return Object.hasOwn(FILLS, name);
}

/** A call of locf or interpolate. Throws DbError `invalid` / `sql_planning`. */
export function bindFill(
  { name, arguments: operands }: CallExpression & { readonly name: keyof typeof FILLS },
  clause: Clause,
  binder: PartBinder,
): Expression {
  // Where windows may stand, rows have been grouped.
  if (clause.windows !== true) {
    throw planningError(`${name} may only be used in the SELECT list of a gap-filling query`);
  }
  const [operand, ...more] = operands;
  if (operand === undefined || more.length > 0) {
    throw planningError(`Function '${name}' expects 1 arguments but received ${operands.length}`);
  }
  const value = binder.bind(operand, { ...clause, windows: false });
  const standIn = value.kind === "input" ? standInOf(value.index) : undefined;
  if (standIn?.kind !== "aggregate") {
    throw planningError(`${name} must be called on an aggregate column in a gap-filling query`);
  }
  const fill = FILLS[name];
  if (fill === "linear" && !hasLine(value.type)) {
    throw planningError(
      `Function '${name}' expects Int64, UInt64, Float64 or what a selector gives of these, but received ${typeText(value.type)}`,
    );
  }
  return binder.calls.addFill({ aggregate: standIn.place, fill }, value.type);
}

function hasLine(type: ValueType): boolean {
  if (typeof type === "object" && type.kind === "struct") {
    const [first, second] = type.members;
    return first?.name === "value" && second?.name === "time" && hasLine(first.type);
  }
  return type === "int64" || type === "uint64" || type === "float64";
}
