/** Conditions on one field of a row that loops can test, and those on tags that bounds can rule out. */
import { utf8 } from "#base/bytes.ts";
import type { Comparison, Expression, LiteralValue } from "#model/query/expression.ts";
import type { ScanColumn, ScanPlan } from "#model/query/plan.ts";
import type { TextBounds } from "../duckdb/compaction/open-file.ts";
import type { Numbers } from "./chunk.ts";

export type FieldCondition = NumberCondition | PresenceCondition;

/** One of these fields, by their places in the scan, has a value. */
export interface PresenceCondition {
  readonly test: "any_present";
  readonly indexes: readonly number[];
}

/** A field, by its place in the scan, compared with a number; NULL passes none. */
export interface NumberCondition {
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
/** Longer lists are not looked through for each row group. */
const LIST_LENGTH_MAX = 100;

/** Undefined where `condition` is no such test. */
export function conditionOf(condition: Expression, scan: ScanPlan): FieldCondition | undefined {
  if (condition.kind !== "call") return undefined;
  const { name } = condition;
  if (name === "or") return anyPresent(condition.arguments, scan);
  const [left, right] = condition.arguments;
  if (name === "is_not_null") {
    const index = numberIndex(left, scan);
    return index === undefined ? undefined : { index, test: "present", value: 0 };
  }
  if (!isComparison(name)) return undefined;
  return comparisonOf(name, left, right, scan) ?? comparisonOf(FLIPPED[name], right, left, scan);
}

/** Undefined where one of `tests` asks for something else than a value. */
function anyPresent(tests: readonly Expression[], scan: ScanPlan): PresenceCondition | undefined {
  const indexes: number[] = [];
  for (const test of tests) {
    if (test.kind !== "call" || test.name !== "is_not_null") return undefined;
    const index = numberIndex(test.arguments[0], scan);
    if (index === undefined) return undefined;
    indexes.push(index);
  }
  return { test: "any_present", indexes };
}

/** Sets `mask` to 0 from `start` to before `end` where none of `fields` has a value; a field that is undefined has none. */
export function applyPresence(
  fields: readonly (Numbers | undefined)[],
  mask: Uint8Array,
  [start, end]: readonly [number, number],
): void {
  const known = fields.filter((field) => field !== undefined);
  if (known.some(({ present }) => present === undefined)) return;
  for (let row = start; row < end; row += 1)
    if (!known.some(({ present }) => present?.[row] === 1)) mask[row] = 0;
}

/** Sets `mask` to 0 from `start` to before `end` where a row does not pass; none does where no cell has a number. */
export function applyCondition(
  { test, value }: NumberCondition,
  numbers: Numbers | undefined,
  mask: Uint8Array,
  [start, end]: readonly [number, number],
): void {
  if (numbers === undefined) {
    mask.fill(0, start, end);
    return;
  }
  const { present, values } = numbers;
  const passes = TESTS[test];
  for (let row = start; row < end; row += 1)
    if (mask[row] === 1 && (present?.[row] === 0 || !passes(values[row] as number, value)))
      mask[row] = 0;
}

/** False only where `predicate` is true of no row, as the column at a place has no texts but those within `boundsOf` it. */
export function mayPass(
  predicate: Expression,
  boundsOf: (index: number) => TextBounds | undefined,
): boolean {
  if (predicate.kind === "in") {
    const { list, operand } = predicate;
    if (list.length > LIST_LENGTH_MAX) return true;
    return list.some((one) => mayEqual(operand, one, boundsOf));
  }
  if (predicate.kind !== "call") return true;
  const { arguments: parts, name } = predicate;
  if (name === "and") return parts.every((part) => mayPass(part, boundsOf));
  if (name === "or") return parts.some((part) => mayPass(part, boundsOf));
  if (name !== "equal") return true;
  const [left, right] = parts;
  return mayEqual(left, right, boundsOf) && mayEqual(right, left, boundsOf);
}

/** NaN is above all other numbers. */
const TESTS: Readonly<Record<NumberCondition["test"], (cell: number, value: number) => boolean>> = {
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
): NumberCondition | undefined {
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
  const column = columns[expression.index];
  return column !== undefined && isNumber(column) ? expression.index : undefined;
}

/** Whether its cells are decoded as numbers. */
export function isNumber({ kind }: ScanColumn): boolean {
  return kind === "float" || kind === "integer" || kind === "uinteger";
}

function isComparison(name: string): name is Comparison {
  return Object.hasOwn(FLIPPED, name);
}

function mayEqual(
  tag: Expression | undefined,
  literal: Expression | undefined,
  boundsOf: (index: number) => TextBounds | undefined,
): boolean {
  if (tag?.kind !== "input" || literal?.kind !== "literal") return true;
  const bounds = boundsOf(tag.index);
  if (bounds === undefined || typeof literal.value !== "string") return true;
  const text = utf8(literal.value);
  return Buffer.compare(text, bounds.least) >= 0 && Buffer.compare(text, bounds.greatest) <= 0;
}
