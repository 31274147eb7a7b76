import type { IntervalValue, LiteralValue } from "#model/query/expression.ts";
import type {
  CallExpression,
  OrderItem,
  SqlExpression,
  SqlFrameBound,
  WindowSpec,
} from "../../sql/ast.ts";
import { shownFunction } from "./aggregates/aggregates.ts";
import { columnText, type Scope } from "./scope.ts";

const NS_PER_DAY = 86_400_000_000_000n;
const INT64_MAX = 2n ** 63n - 1n;

/**
 * The name of a result column without an alias, as clients of InfluxDB 3 know it: `avg(home.temp)`,
 * `home.temp + Int64(1)`. Casts do not show, nor do parentheses.
 */
export function expressionText(expression: SqlExpression, scope: Scope): string {
  const text = (part: SqlExpression): string => expressionText(part, scope);
  switch (expression.kind) {
    case "column":
      return columnText(scope, expression.path);
    case "literal":
      return literalText(expression.value);
    case "parameter":
      return `$${expression.name}`;
    case "negate":
      return negationText(expression.operand, text);
    case "not":
      return `NOT ${text(expression.operand)}`;
    case "and":
    case "or":
      return expression.operands.map(text).join(` ${expression.kind.toUpperCase()} `);
    case "binary":
      return `${text(expression.left)} ${expression.operator} ${text(expression.right)}`;
    case "cast":
      return text(expression.operand);
    case "call":
      return callText(expression, text);
    case "in_query":
    case "exists":
    case "scalar_query":
    case "quantified":
      return subqueryText(expression, text);
    case "at_time_zone":
    case "index":
    case "slice":
    case "named":
      return partText(expression, text);
    default:
      return testText(expression, text);
  }
}

type Text = (part: SqlExpression) => string;

function testText(
  expression: Extract<SqlExpression, { kind: "is" | "between" | "in_list" | "like" | "case" }>,
  text: Text,
): string {
  const not = "negated" in expression && expression.negated ? "NOT " : "";
  switch (expression.kind) {
    case "is":
      return `${text(expression.operand)} IS ${not}${String(expression.value).toUpperCase()}`;
    case "between": {
      const { operand, low, high } = expression;
      return `${text(operand)} ${not}BETWEEN ${text(low)} AND ${text(high)}`;
    }
    case "in_list":
      return `${text(expression.operand)} ${not}IN ([${expression.list.map(text).join(", ")}])`;
    case "like": {
      return likeText(expression, not, text);
    }
    case "case":
      return caseText(expression, text);
  }
}

const LIKE_WORDS = { like: "LIKE", ilike: "ILIKE", similar: "SIMILAR TO" } as const;

function likeText(
  expression: Extract<SqlExpression, { kind: "like" }>,
  not: string,
  text: Text,
): string {
  const { operand, pattern, style, escape } = expression;
  const tail = escape === undefined ? "" : ` CHAR '${escape}'`;
  return `${text(operand)} ${not}${LIKE_WORDS[style]} ${text(pattern)}${tail}`;
}

function subqueryText(
  expression: Extract<
    SqlExpression,
    { kind: "in_query" | "exists" | "scalar_query" | "quantified" }
  >,
  text: Text,
): string {
  const not = "negated" in expression && expression.negated ? "NOT " : "";
  switch (expression.kind) {
    case "in_query":
      return `${text(expression.operand)} ${not}IN (<subquery>)`;
    case "exists":
      return `${not}EXISTS (<subquery>)`;
    case "scalar_query":
      return "(<subquery>)";
    case "quantified": {
      const { operator, quantifier } = expression;
      return `${text(expression.operand)} ${operator} ${quantifier.toUpperCase()} (<subquery>)`;
    }
  }
}

function partText(
  expression: Extract<SqlExpression, { kind: "at_time_zone" | "index" | "slice" | "named" }>,
  text: Text,
): string {
  switch (expression.kind) {
    case "at_time_zone":
      return `${text(expression.operand)} AT TIME ZONE ${text(expression.zone)}`;
    case "index":
      return `${text(expression.operand)}[${indexText(expression.index, text)}]`;
    case "slice": {
      const { from, to, step } = expression;
      const bounds = [from, to, ...(step === undefined ? [] : [step])];
      const shown = bounds.map((bound) => (bound === undefined ? "" : text(bound)));
      return `${text(expression.operand)}[${shown.join(":")}]`;
    }
    case "named":
      return `${text(expression.value)} AS ${expression.name}`;
  }
}

/** A member of a struct goes by its name, a place in a list by its expression. */
function indexText(index: SqlExpression, text: Text): string {
  return index.kind === "literal" && typeof index.value === "string" ? index.value : text(index);
}

function caseText(expression: Extract<SqlExpression, { kind: "case" }>, text: Text): string {
  const operand = expression.operand === undefined ? "" : `${text(expression.operand)} `;
  const branches = expression.branches.map(
    ({ when, result }) => `WHEN ${text(when)} THEN ${text(result)} `,
  );
  const otherwise = expression.otherwise === undefined ? "" : `ELSE ${text(expression.otherwise)} `;
  return `CASE ${operand}${branches.join("")}${otherwise}END`;
}

function callText(expression: CallExpression, text: Text): string {
  const { name, star, distinct, filter, withinGroup, nulls, over } = expression;
  const operands = star ? "*" : expression.arguments.map(text).join(",");
  const keys = keysText(expression.orderBy, text);
  const parts = [
    `${name === "unnest" ? "UNNEST" : shownFunction(name)}(${distinct ? "DISTINCT " : ""}${operands})`,
    nulls === undefined ? "" : `${nulls.toUpperCase()} NULLS`,
    filter === undefined ? "" : `FILTER (WHERE ${text(filter)})`,
    keys === "" ? "" : `${withinGroup ? "WITHIN GROUP" : "ORDER BY"} [${keys}]`,
    over === undefined ? "" : windowText(over, text),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** A window says which frame it has, also where nobody wrote that. */
function windowText(over: string | WindowSpec, text: Text): string {
  if (typeof over === "string") return over;
  const { base, partitionBy, orderBy, frame } = over;
  const bound = (side: SqlFrameBound) => {
    const offset = "offset" in side ? `${text(side.offset)} ` : "";
    return `${offset}${side.kind.replaceAll("_", " ").toUpperCase()}`;
  };
  const whole = orderBy.length === 0;
  const framed =
    frame === undefined
      ? `${whole ? "ROWS" : "RANGE"} BETWEEN UNBOUNDED PRECEDING AND ${whole ? "UNBOUNDED FOLLOWING" : "CURRENT ROW"}`
      : `${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${bound(frame.end)}`;
  const parts = [
    base ?? "",
    partitionBy.length === 0 ? "" : `PARTITION BY [${partitionBy.map(text).join(", ")}]`,
    whole ? "" : `ORDER BY [${keysText(orderBy, text)}]`,
    framed,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function keysText(keys: readonly OrderItem[], text: Text): string {
  return keys.map((item) => orderText(item, text)).join(", ");
}

function orderText(item: OrderItem, text: Text): string {
  const direction = item.descending ? "DESC" : "ASC";
  return `${text(item.expression)} ${direction} NULLS ${item.nullsFirst ? "FIRST" : "LAST"}`;
}

/** A number with its sign is one literal. */
function negationText(operand: SqlExpression, text: Text): string {
  if (operand.kind === "literal") {
    const { value } = operand;
    if (typeof value === "bigint" || typeof value === "number") return literalText(-value);
  }
  return `(- ${text(operand)})`;
}

function literalText(value: LiteralValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `Binary("${value.join(",")}")`;
  if (typeof value === "object") return intervalText(value);
  if (typeof value === "string") return `Utf8("${value}")`;
  if (typeof value === "boolean") return `Boolean(${value})`;
  if (typeof value === "number") return `Float64(${Object.is(value, -0) ? "-0" : value})`;
  return value > INT64_MAX ? `UInt64(${value})` : `Int64(${value})`;
}

function intervalText({ months, nanoseconds }: IntervalValue): string {
  const days = nanoseconds / NS_PER_DAY;
  const rest = nanoseconds - days * NS_PER_DAY;
  return `IntervalMonthDayNano("IntervalMonthDayNano { months: ${months}, days: ${days}, nanoseconds: ${rest} }")`;
}
