import { formatTimestamp } from "#model/time-text.ts";
import type {
  BinaryExpression,
  Expression,
  LiteralExpression,
  MeasurementSource,
  NameMatch,
} from "../ast.ts";
import { precedenceOf } from "../parse/expression.ts";
import { durationText } from "../parse/tokens/duration.ts";
import { quotedName, quotedText } from "./names.ts";
import { plainNumber } from "./numbers.ts";

/** An expression as 1.x writes it, which parses to the same. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "variable":
      return withCast(quotedName(expression.name), expression.cast);
    case "wildcard":
      return withCast("*", expression.type);
    case "call":
      return `${expression.name}(${expression.arguments.map(printExpression).join(", ")})`;
    case "distinct":
      return `DISTINCT ${quotedName(expression.name)}`;
    case "binary":
      return printBinary(expression);
    case "parenthesized":
      return `(${printExpression(expression.expression)})`;
    default:
      return printLiteral(expression);
  }
}

/** In parentheses where `a / -b` would else become `a / -1 * b`: what the parser made has no other operand that needs them. */
function printBinary({ operator, left, right }: BinaryExpression): string {
  const inner = printExpression(right);
  const tight = right.kind === "binary" && precedenceOf(right.operator) <= precedenceOf(operator);
  return `${printExpression(left)} ${operator} ${tight ? `(${inner})` : inner}`;
}

function withCast(text: string, cast: string | undefined): string {
  return cast === undefined ? text : `${text}::${cast}`;
}

function printLiteral(literal: LiteralExpression): string {
  switch (literal.kind) {
    case "integer":
    case "unsigned":
    case "boolean":
      return String(literal.value);
    case "number":
      return decimals(literal.value);
    case "string":
      return quotedText(literal.value);
    case "duration":
      return durationText(literal.value);
    case "time":
      return quotedText(timeText(literal.value));
    case "regex":
      return printPattern(literal.pattern);
    case "list":
      return `(${literal.items.map(quotedName).join(", ")})`;
  }
}

/** With three digits behind the point, as 1.x has it, or as many as it takes. */
function decimals(value: number): string {
  const [whole = "", fraction = ""] = plainNumber(value).split(".");
  return `${whole}.${fraction.padEnd(3, "0")}`;
}

/** RFC 3339, in UTC, with no more digits than needed. */
function timeText(timeNs: bigint): string {
  const text = formatTimestamp(timeNs);
  return `${text.includes(".") ? text.replace(/0+$/, "") : text}Z`;
}

/** A regular expression between slashes. */
export function printPattern(pattern: string): string {
  return `/${pattern.replace(/\\[^]|[/\n]/g, patternPiece)}/`;
}

/** A character, or an escaped one, as it stands between slashes on one line. */
function patternPiece(piece: string): string {
  if (piece.endsWith("\n")) return "\\n";
  return piece.endsWith("/") ? `${piece.slice(0, -1)}\\/` : piece;
}

/** The name of a source, with what it stands in. */
export function printMeasurement(source: MeasurementSource): string {
  const { database, retentionPolicy, name } = source;
  return printPath(database, retentionPolicy) + printNameMatch(name);
}

/** `database.policy.`, or what there is of it. */
export function printPath(
  database: string | undefined,
  retentionPolicy: string | undefined,
): string {
  const first = database ? `${quotedName(database)}.` : "";
  const second = retentionPolicy ? quotedName(retentionPolicy) : "";
  return first === "" && second === "" ? "" : `${first}${second}.`;
}

function printNameMatch(match: NameMatch): string {
  return match.kind === "name" ? quotedName(match.name) : printPattern(match.pattern);
}
