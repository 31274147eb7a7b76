/** Functions of many rows: what they are given, in the order in which 1.x looks at it. */
import type { Expression } from "../ast.ts";
import { printExpression } from "../print/expression.ts";
import { refused } from "./errors.ts";
import { asCall, type CallExpression, expectCount, typeNameOf } from "./expressions.ts";

/** What the functions of a statement are, taken together; one for each SELECT. */
export class FieldFacts {
  /** Functions of many rows. */
  callCount = 0;
  /** `top` or `bottom`, where there is one. */
  topBottom: string | undefined;
  /** Whether `distinct` stands alone, not within `count`. */
  hasDistinct = false;
  onlySelectors = true;
  /** Whether values stand beside functions. */
  hasVariables = false;
}

/** Where a call stands. */
export interface CallPlace {
  readonly facts: FieldFacts;
  readonly hasWindow: boolean;
  /** Whether the window is that of the outer statement. */
  readonly windowInherited: boolean;
  readonly limit: number;
  /** False within an operation: `*` and regular expressions would become several columns. */
  readonly wildcards: boolean;
  /** Checks the expression of a field. */
  readonly visit: (expression: Expression, place: CallPlace) => void;
}

/** Throws `invalid` / `influxql_refused` where `call` is not one that 1.x answers. */
export function checkCall(call: CallExpression, place: CallPlace): void {
  place.facts.callCount += 1;
  const { name } = call;
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (check === undefined) throw refused(`undefined function ${name}()`);
  check(call, place);
}

type Check = (call: CallExpression, place: CallPlace) => void;

const CHECKS: Readonly<Record<string, Check>> = {
  bottom: checkTopBottom,
  count: checkCount,
  cumulative_sum: checkChange,
  derivative: checkDerivative,
  difference: checkChange,
  distinct: (call, place) => checkDistinct(call, place, false),
  elapsed: checkDerivative,
  first: checkSimple,
  holt_winters: checkHoltWinters,
  holt_winters_with_fit: checkHoltWinters,
  integral: checkIntegral,
  last: checkSimple,
  max: checkSimple,
  mean: checkAggregate,
  median: checkAggregate,
  min: checkSimple,
  mode: checkAggregate,
  moving_average: checkMovingAverage,
  non_negative_derivative: checkDerivative,
  non_negative_difference: checkChange,
  percentile: checkPercentile,
  sample: checkSample,
  spread: checkAggregate,
  stddev: checkAggregate,
  sum: checkAggregate,
  top: checkTopBottom,
};

function checkSimple(call: CallExpression, place: CallPlace): void {
  const [argument] = expectCount(call, 1);
  checkSymbol(call.name, argument, place);
}

function checkAggregate(call: CallExpression, place: CallPlace): void {
  place.facts.onlySelectors = false;
  checkSimple(call, place);
}

function checkCount(call: CallExpression, place: CallPlace): void {
  place.facts.onlySelectors = false;
  const [argument] = expectCount(call, 1);
  const inner = argument === undefined ? undefined : asCall(argument);
  if (inner?.name === "distinct") checkDistinct(inner, place, true);
  else checkSymbol(call.name, argument, place);
}

function checkPercentile(call: CallExpression, place: CallPlace): void {
  const [argument, rank] = expectCount(call, 2);
  if (rank?.kind !== "integer" && rank?.kind !== "number")
    throw refused("expected float argument in percentile()");
  checkSymbol("percentile", argument, place);
}

function checkSample(call: CallExpression, place: CallPlace): void {
  const [argument, size] = expectCount(call, 2);
  if (size?.kind !== "integer") throw refused("expected integer argument in sample()");
  if (size.value <= 0n) throw refused(`sample window must be greater than 1, got ${size.value}`);
  checkSymbol("sample", argument, place);
}

function checkDistinct({ arguments: given }: CallExpression, place: CallPlace, nested: boolean) {
  if (given.length === 0) throw refused("distinct function requires at least one argument");
  if (given.length > 1) throw refused("distinct function can only have one argument");
  if (given[0]?.kind !== "variable") throw refused("expected field argument in distinct()");
  if (!nested) place.facts.hasDistinct = true;
  place.facts.onlySelectors = false;
}

function checkTopBottom(call: CallExpression, place: CallPlace): void {
  const { arguments: given, name } = call;
  const { facts, limit } = place;
  if (facts.topBottom !== undefined) throw cannotBeCombined(facts.topBottom);
  if (given.length < 2)
    throw refused(
      `invalid number of arguments for ${name}, expected at least 2, got ${given.length}`,
    );
  const [field, ...keys] = given.slice(0, -1);
  const last = given.at(-1);
  if (last === undefined || field === undefined) return;
  if (last.kind !== "integer")
    throw refused(`expected integer as last argument in ${name}(), found ${printExpression(last)}`);
  if (last.value <= 0n)
    throw refused(`limit (${last.value}) in ${name} function must be at least 1`);
  if (limit > 0 && last.value > BigInt(limit))
    throw refused(
      `limit (${last.value}) in ${name} function can not be larger than the LIMIT (${limit}) in the select statement`,
    );
  if (field.kind !== "variable")
    throw refused(
      `expected first argument to be a field in ${name}(), found ${printExpression(field)}`,
    );
  for (const key of keys) {
    if (key.kind !== "variable")
      throw refused(`only fields or tags are allowed in ${name}(), found ${printExpression(key)}`);
    facts.hasVariables = true;
  }
  facts.topBottom = name;
}

export function cannotBeCombined(name: string) {
  return refused(`selector function ${name}() cannot be combined with other functions`);
}

/** `derivative`, `non_negative_derivative` and `elapsed`: a field or a call, and a unit. */
function checkDerivative(call: CallExpression, place: CallPlace): void {
  const [argument, unit] = expectBetween(call, 1, 2);
  if (unit !== undefined) {
    if (unit.kind !== "duration")
      throw refused(`second argument to ${call.name} must be a duration, got ${typeNameOf(unit)}`);
    checkPositive(unit.value);
  }
  checkTransformed(call.name, argument, place);
}

/** `difference`, `non_negative_difference` and `cumulative_sum`. */
function checkChange(call: CallExpression, place: CallPlace): void {
  const [argument] = expectCount(call, 1);
  checkTransformed(call.name, argument, place);
}

function checkMovingAverage(call: CallExpression, place: CallPlace): void {
  const [argument, size] = expectCount(call, 2);
  if (size?.kind !== "integer")
    throw refused(
      `second argument for moving_average must be an integer, got ${size === undefined ? "" : typeNameOf(size)}`,
    );
  if (size.value <= 1n)
    throw refused(`moving_average window must be greater than 1, got ${size.value}`);
  checkTransformed(call.name, argument, place);
}

/** What a transformation reads: a field, or with a window a call. */
function checkTransformed(name: string, argument: Expression | undefined, place: CallPlace): void {
  place.facts.onlySelectors = false;
  if (argument?.kind === "call") {
    if (!place.hasWindow) throw refused(`${name} aggregate requires a GROUP BY interval`);
    checkNested(argument, place);
    return;
  }
  if (place.hasWindow && !place.windowInherited)
    throw refused(`aggregate function required inside the call to ${name}`);
  checkSymbol(name, argument, place);
}

function checkIntegral(call: CallExpression, place: CallPlace): void {
  const [argument, unit] = expectBetween(call, 1, 2);
  if (unit !== undefined) {
    if (unit.kind !== "duration") throw refused("second argument must be a duration");
    checkPositive(unit.value);
  }
  place.facts.onlySelectors = false;
  checkSymbol("integral", argument, place);
}

function checkHoltWinters(call: CallExpression, place: CallPlace): void {
  const { name } = call;
  const [argument, count, season] = expectCount(call, 3);
  if (count?.kind !== "integer")
    throw refused(`expected integer argument as second arg in ${name}`);
  if (count.value <= 0n)
    throw refused(`second arg to ${name} must be greater than 0, got ${count.value}`);
  if (season?.kind !== "integer")
    throw refused(`expected integer argument as third arg in ${name}`);
  if (season.value < 0n)
    throw refused(`third arg to ${name} cannot be negative, got ${season.value}`);
  place.facts.onlySelectors = false;
  if (argument?.kind !== "call") throw refused(`must use aggregate function with ${name}`);
  if (!place.hasWindow) throw refused(`${name} aggregate requires a GROUP BY interval`);
  checkNested(argument, place);
}

function checkNested(call: CallExpression, place: CallPlace): void {
  if (call.name === "distinct") checkDistinct(call, place, true);
  else place.visit(call, place);
}

/** A function reads one field, or `*` or a regular expression, which become several. */
function checkSymbol(name: string, argument: Expression | undefined, place: CallPlace): void {
  switch (argument?.kind) {
    case "variable":
      return;
    case "wildcard":
      if (!place.wildcards) throw refused(`unsupported expression with wildcard: ${name}()`);
      place.facts.onlySelectors = false;
      return;
    case "regex":
      if (!place.wildcards) throw refused(`unsupported expression with regex field: ${name}()`);
      place.facts.onlySelectors = false;
      return;
    default:
      throw refused(`expected field argument in ${name}()`);
  }
}

function expectBetween({ arguments: given, name }: CallExpression, min: number, max: number) {
  if (given.length < min || given.length > max)
    throw refused(
      `invalid number of arguments for ${name}, expected at least ${min} but no more than ${max}, got ${given.length}`,
    );
  return given;
}

function checkPositive(durationNs: bigint): void {
  if (durationNs <= 0n)
    throw refused(
      `duration argument must be positive, got ${printExpression({ kind: "duration", value: durationNs })}`,
    );
}
