import { findZone } from "#model/time/zone.ts";
import type { Dimension, Expression, Fill, SelectField, SelectStatement, Source } from "../ast.ts";
import { findCondition, isWord, parseExpression } from "./expression.ts";
import { measurementSource, parseNamedMeasurement, parseTarget } from "./names.ts";
import type { Cursor } from "./tokens/cursor.ts";
import { syntaxError } from "./tokens/errors.ts";
import { parseLimit } from "./values.ts";

/** Behind SELECT. `into` says whether INTO must be there. */
export function parseSelect(cursor: Cursor, into: "optional" | "required"): SelectStatement {
  const fields = parseFields(cursor);
  const target = parseInto(cursor, into);
  cursor.expect("FROM");
  const from = parseSources(cursor);
  const where = parseWhere(cursor);
  const groupBy = parseGroupBy(cursor);
  const fill = parseFill(cursor);
  const descending = parseOrderBy(cursor);
  const limit = parseLimit(cursor, "LIMIT");
  const offset = parseLimit(cursor, "OFFSET");
  const seriesLimit = parseLimit(cursor, "SLIMIT");
  const seriesOffset = parseLimit(cursor, "SOFFSET");
  const zone = parseZone(cursor);
  const limits = { limit, offset, seriesLimit, seriesOffset };
  return {
    kind: "select",
    fields,
    into: target,
    from,
    where,
    groupBy,
    fill,
    descending,
    ...limits,
    zone,
  };
}

function parseFields(cursor: Cursor): readonly SelectField[] {
  const fields: SelectField[] = [];
  do fields.push(parseField(cursor));
  while (cursor.scan().kind === ",");
  cursor.back();
  return fields;
}

function parseField(cursor: Cursor): SelectField {
  const pattern = cursor.findRegex();
  const expression: Expression =
    pattern === undefined ? parseValue(cursor) : { kind: "regex", pattern };
  cursor.countPart();
  const alias = cursor.accept("AS") ? cursor.expectName() : undefined;
  cursor.skipSpace();
  return { expression, alias };
}

/** An expression without conditions. */
function parseValue(cursor: Cursor): Expression {
  const first = cursor.next();
  cursor.back();
  const expression = parseExpression(cursor);
  const operator = findCondition(expression);
  if (operator === undefined) return expression;
  const what = `invalid operator ${operator} in SELECT clause`;
  throw cursor.errorAt(what, first, "; operator is intended for WHERE clause");
}

function parseInto(
  cursor: Cursor,
  into: "optional" | "required",
): SelectStatement["into"] | undefined {
  const token = cursor.next();
  if (token.kind === "INTO") return parseTarget(cursor);
  if (into === "required") throw cursor.unexpected(token, "INTO");
  cursor.back();
  return undefined;
}

function parseSources(cursor: Cursor): readonly Source[] {
  const sources: Source[] = [];
  do {
    cursor.countPart();
    sources.push(parseSource(cursor));
  } while (cursor.accept(","));
  return sources;
}

function parseSource(cursor: Cursor): Source {
  const pattern = cursor.findRegex();
  if (pattern !== undefined) return measurementSource([], { kind: "regex", pattern });
  if (!cursor.accept("(")) return parseNamedMeasurement(cursor);
  cursor.expect("SELECT");
  cursor.enter();
  const select = parseSelect(cursor, "optional");
  cursor.leave();
  cursor.expect(")");
  return { kind: "subquery", select };
}

export function parseWhere(cursor: Cursor): Expression | undefined {
  return cursor.accept("WHERE") ? parseExpression(cursor) : undefined;
}

export function parseGroupBy(cursor: Cursor): readonly Dimension[] {
  if (!cursor.accept("GROUP")) return [];
  cursor.expect("BY");
  const dimensions: Dimension[] = [];
  do {
    cursor.countPart();
    const pattern = cursor.findRegex();
    const expression: Expression =
      pattern === undefined ? parseExpression(cursor) : { kind: "regex", pattern };
    dimensions.push({ expression });
    if (pattern === undefined) cursor.skipSpace();
  } while (cursor.scan().kind === ",");
  cursor.back();
  return dimensions;
}

const NO_FILL: Fill = { kind: "null" };

function parseFill(cursor: Cursor): Fill {
  const call = findCall(cursor, "fill");
  if (call === undefined) return NO_FILL;
  const [argument, ...others] = call;
  if (argument === undefined || others.length > 0) {
    throw syntaxError("fill requires an argument, e.g.: 0, null, none, previous, linear");
  }
  if (argument.kind === "variable" && argument.cast === undefined) {
    const { name } = argument;
    if (name === "null" || name === "none" || name === "previous" || name === "linear")
      return { kind: name };
  }
  if (argument.kind === "integer")
    return { kind: "number", value: Number(argument.value), integer: true };
  if (argument.kind === "number") return { kind: "number", value: argument.value, integer: false };
  throw syntaxError("expected number argument in fill()");
}

/** The arguments of the call of `name`, if it comes next. */
function findCall(cursor: Cursor, name: string): readonly Expression[] | undefined {
  const called = isWord(cursor.next(), name);
  cursor.back();
  if (!called) return undefined;
  const expression = parseExpression(cursor);
  if (expression.kind !== "call") throw syntaxError(`${name} must be a function call`);
  return expression.arguments;
}

/** Whether ORDER BY says that rows come the latest first. */
export function parseOrderBy(cursor: Cursor): boolean {
  if (!cursor.accept("ORDER")) return false;
  cursor.expect("BY");
  const token = cursor.next();
  let descending = token.kind === "DESC";
  if (token.kind === "name") {
    descending = parseDirection(cursor);
    if (token.text !== "time") throw onlyTime();
  } else if (token.kind !== "ASC" && token.kind !== "DESC") {
    throw cursor.unexpected(token, "identifier", "ASC", "DESC");
  }
  if (!cursor.accept(",")) return descending;
  do {
    cursor.expectName();
    parseDirection(cursor);
  } while (cursor.accept(","));
  throw onlyTime();
}

function parseDirection(cursor: Cursor): boolean {
  return cursor.accept("DESC") || (cursor.accept("ASC") && false);
}

function onlyTime(): Error {
  return syntaxError("only ORDER BY time supported at this time");
}

function parseZone(cursor: Cursor): string | undefined {
  const call = findCall(cursor, "tz");
  if (call === undefined) return undefined;
  const [argument, ...others] = call;
  if (argument === undefined || others.length > 0) {
    throw syntaxError("tz requires exactly one argument");
  }
  if (argument.kind !== "string") throw syntaxError("expected string argument in tz()");
  const { value } = argument;
  if (!isZone(value)) throw syntaxError(`unable to find time zone ${value}`);
  return value === "" || value === "UTC" || value === "Local" ? undefined : value;
}

/** Whether `name` is an IANA name, in its letters. */
function isZone(name: string): boolean {
  return name === "" || name === "Local" || (/^[A-Z]/.test(name) && findZone(name)?.id === name);
}
