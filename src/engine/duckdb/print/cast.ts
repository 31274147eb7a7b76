/** Casts as engine SQL: what the engine's own would round, trim or guess is told apart first. */
import { isFloat, isInteger, sameType, type ValueType } from "#model/query/value-type.ts";
import { isParted, printPartedCast } from "./casts/nested.ts";
import {
  isNullable,
  isTime,
  printTextOfTime,
  printTimeCast,
  printTimeOfText,
} from "./casts/time.ts";
import { sqlType } from "./literal.ts";

const WHOLE = "[+-]?[0-9]+";
const FLOAT =
  "[+-]?(([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?|[nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)";
const TRUE_TEXTS = "'true', 'tru', 'tr', 't', 'yes', 'ye', 'y', 'on', '1'";
const FALSE_TEXTS = "'false', 'fals', 'fal', 'fa', 'f', 'no', 'n', 'off', 'of', '0'";

export interface CastRequest {
  /** The operand as SQL. */
  readonly operand: string;
  readonly source: ValueType;
  readonly target: ValueType;
  /** NULL, not an error, where the value does not fit. */
  readonly safe: boolean;
}

export function printCast(request: CastRequest): string {
  const { operand, source, target } = request;
  if (source === "null") return `CAST(NULL AS ${sqlType(target)})`;
  if (sameType(source, target)) return operand;
  if (isParted(source) || isParted(target)) return printPartedCast(request, printCast);
  if (target === "string") return printToText(operand, source);
  if (source === "string") return printStrict(request, printParse(operand, target));
  if (!isTime(source) && !isTime(target)) return printPlain(request);
  const value = printTimeCast(request);
  return isNullable(request) ? printStrict(request, value) : value;
}

/** A cast among numbers, booleans and bytes; to whole numbers toward zero. */
function printPlain({ operand, source, target, safe }: CastRequest): string {
  if (target === "binary") return `encode(CAST(${operand} AS VARCHAR))`;
  const fraction = isFloat(source) || isDecimal(source);
  const rounded = fraction && isInteger(target) ? `trunc(${operand})` : operand;
  return `${safe ? "TRY_CAST" : "CAST"}(${rounded} AS ${sqlType(target)})`;
}

/** The code an error text of ours carries; failures.ts finds it again. */
export function printError(code: string): string {
  return `error('tidelake:${code}')`;
}

/** `value`, and an error where that is NULL though the operand is none. */
function printStrict({ operand, safe, target }: CastRequest, value: string): string {
  if (safe) return value;
  const failure = `CASE WHEN ${operand} IS NOT NULL THEN ${printError("cast_failed")} END`;
  return `coalesce(${value}, CAST(${failure} AS ${sqlType(target)}))`;
}

function printParse(operand: string, target: ValueType): string {
  const parse = (pattern: string) =>
    `CASE WHEN regexp_full_match(${operand}, '${pattern}') THEN TRY_CAST(${operand} AS ${sqlType(target)}) END`;
  if (isTime(target)) return printTimeOfText(operand, target);
  if (isFloat(target) || isDecimal(target)) return parse(FLOAT);
  switch (target) {
    case "boolean":
      return `CASE WHEN lower(${operand}) IN (${TRUE_TEXTS}) THEN TRUE WHEN lower(${operand}) IN (${FALSE_TEXTS}) THEN FALSE END`;
    case "binary":
      return `encode(${operand})`;
    default:
      return parse(WHOLE);
  }
}

function printToText(operand: string, source: ValueType): string {
  if (isTime(source)) return printTextOfTime(operand, source);
  // Bytes that are no UTF-8 are an error of the engine.
  if (source === "binary") return `decode(${operand})`;
  if (!isFloat(source)) return `CAST(${operand} AS VARCHAR)`;
  return `CASE WHEN isinf(${operand}) THEN CASE WHEN ${operand} > 0 THEN 'Infinity' ELSE '-Infinity' END WHEN isnan(${operand}) THEN 'NaN' ELSE CAST(${operand} AS VARCHAR) END`;
}

function isDecimal(type: ValueType): boolean {
  return typeof type === "object" && type.kind === "decimal";
}
