/** Conditions on one field of a row that loops can test. */
import type { Comparison, Expression, LiteralValue } from "#model/query/expression.ts";
import type { ScanPlan } from "#model/query/plan.ts";
import type { Numbers } from "./chunk.ts";

/** A field, by its place in the scan, compared with a number; NULL passes none. */
export interface FieldCondition {
  readonly index: number;
  readonly test: Comparison | "present";
  readonly value: number;
}

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  equal: "equal",
  not_equal: "not_equal",
  less: "greater",
  less_equal: "greater_equal",
  greater: "less",
  greater_equal: "less_equal",
};
const NUMBERS: ReadonlySet<string> = new Set(["float", "integer", "uinteger"]);

/** Undefined where `condition` is no such test. */
export function conditionOf(condition: Expression, scan: ScanPlan): FieldCondition | undefined {
  if (condition.kind !== "call") return undefined;
  const { name } = condition;
  const [left, right] = condition.arguments;
  if (name === "is_not_null") {
    const index = numberIndex(left, scan);
    return index === undefined ? undefined : { index, test: "present", value: 0 };
  }
  if (!isComparison(name)) return undefined;
  return comparisonOf(name, left, right, scan) ?? comparisonOf(FLIPPED[name], right, left, scan);
}

/** Sets `mask` to 0 from `start` to before `end` where a row does not pass. */
export function applyCondition(
  { test, value }: FieldCondition,
  { present, values }: Numbers,
  mask: Uint8Array,
  [start, end]: readonly [number, number],
): void {
  const passes = TESTS[test];
  for (let row = start; row < end; row += 1)
    if (mask[row] === 1 && (present?.[row] === 0 || !passes(values[row] as number, value)))
      mask[row] = 0;
}

/** NaN is above all other numbers. */
const TESTS: Readonly<Record<FieldCondition["test"], (cell: number, value: number) => boolean>> = {
  present: () => true,
  equal: (cell, value) => cell === value,
  not_equal: (cell, value) => cell !== value,
  less: (cell, value) => cell < value,
  less_equal: (cell, value) => cell <= value,
  greater: (cell, value) => cell > value || Number.isNaN(cell),
  greater_equal: (cell, value) => cell >= value || Number.isNaN(cell),
};

/** `field test literal`; undefined where the two sides are something else. */
function comparisonOf(
  test: Comparison,
  field: Expression | undefined,
  literal: Expression | undefined,
  scan: ScanPlan,
): FieldCondition | undefined {
  const index = numberIndex(field, scan);
  const value = literal?.kind === "literal" ? exactNumber(literal.value) : undefined;
  return index === undefined || value === undefined ? undefined : { index, test, value };
}

/** As a float, where it is one exactly. */
function exactNumber(value: LiteralValue): number | undefined {
  if (typeof value === "number") return Number.isNaN(value) ? undefined : value;
  const number = typeof value === "bigint" ? Number(value) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The place in the scan of the field of numbers that `expression` is. */
export function numberIndex(
  expression: Expression | undefined,
  { columns }: ScanPlan,
): number | undefined {
  if (expression?.kind !== "input") return undefined;
  return NUMBERS.has(columns[expression.index]?.kind ?? "") ? expression.index : undefined;
}

function isComparison(name: string): name is Comparison {
  return Object.hasOwn(FLIPPED, name);
}
