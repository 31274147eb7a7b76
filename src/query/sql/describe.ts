import { isInterval } from "#model/query/expression.ts";
import { typeName } from "#model/query/type-text.ts";
import type { CallExpression, OrderItem, SelectItem, SqlExpression, Statement } from "./ast.ts";

/** A syntax tree as one line, operators in front of their operands; tests compare it. */
export function describeStatement(statement: Statement): string {
  if (statement.kind === "show_tables") return statement.kind;
  if (statement.kind === "show_columns") return `${statement.kind} ${statement.table.join(".")}`;
  const { body, orderBy, limit, offset } = statement;
  const { from, where, groupBy, having } = body;
  return [
    body.distinct ? "distinct " : "select ",
    body.items.map(describeItem).join(" | "),
    part("from", from && [from.name.join("."), ...(from.alias ? [from.alias] : [])].join(" ")),
    part("where", where && expressionText(where)),
    part("group", groupBy.map(expressionText).join(" | ")),
    part("having", having && expressionText(having)),
    part("order", orderBy.map(orderText).join(" | ")),
    part("limit", limit && expressionText(limit)),
    part("offset", offset && expressionText(offset)),
  ].join("");
}

/** A column of a SELECT in the words of `describeStatement`. */
export function describeItem(item: SelectItem): string {
  if (item.kind === "wildcard") return [...item.qualifier, "*"].join(".");
  return item.alias === undefined
    ? expressionText(item.expression)
    : `${expressionText(item.expression)} as ${item.alias}`;
}

function part(name: string, clause: string | undefined): string {
  return clause === undefined || clause === "" ? "" : ` ${name} ${clause}`;
}

function orderText({ expression, descending, nullsFirst }: OrderItem): string {
  return `${expressionText(expression)}${descending ? " desc" : ""}${nullsFirst ? " nulls first" : ""}`;
}

function expressionText(expression: SqlExpression): string {
  switch (expression.kind) {
    case "column":
      return expression.path.join(".");
    case "literal":
      return literalText(expression.value);
    case "parameter":
      return `$${expression.name}`;
    case "negate":
    case "not":
      return `(${expression.kind} ${expressionText(expression.operand)})`;
    case "and":
    case "or":
      return `(${expression.kind} ${expression.operands.map(expressionText).join(" ")})`;
    case "binary":
      return `(${expression.operator} ${expressionText(expression.left)} ${expressionText(expression.right)})`;
    case "case":
      return caseText(expression);
    case "call":
      return callText(expression);
    default:
      return testText(expression);
  }
}

function testText(
  test: Extract<SqlExpression, { kind: "is" | "between" | "in_list" | "like" | "cast" }>,
): string {
  const operand = expressionText(test.operand);
  const not = "negated" in test && test.negated ? "not " : "";
  switch (test.kind) {
    case "is":
      return `(is ${not}${operand} ${test.value})`;
    case "between":
      return `(${not}between ${operand} ${expressionText(test.low)} ${expressionText(test.high)})`;
    case "in_list":
      return `(${not}in ${[operand, ...test.list.map(expressionText)].join(" ")})`;
    case "cast":
      return `(${test.safe ? "try_cast" : "cast"} ${operand} ${typeName(test.type)})`;
    case "like":
      return `(${not}${test.ignoreCase ? "ilike" : "like"} ${operand} ${expressionText(test.pattern)})`;
  }
}

function caseText({
  operand,
  branches,
  otherwise,
}: Extract<SqlExpression, { kind: "case" }>): string {
  const parts = branches.map(
    ({ when, result }) => `(${expressionText(when)} ${expressionText(result)})`,
  );
  if (operand !== undefined) parts.unshift(expressionText(operand));
  if (otherwise !== undefined) parts.push(expressionText(otherwise));
  return `(case ${parts.join(" ")})`;
}

function callText(call: CallExpression): string {
  const distinct = call.distinct ? "distinct " : "";
  const list = call.star ? "*" : call.arguments.map(expressionText).join(" ");
  const order = part("order", call.orderBy.map(orderText).join(", "));
  const filter = part("filter", call.filter && expressionText(call.filter));
  return `${call.name}(${distinct}${list}${order})${filter}`;
}

function literalText(value: Extract<SqlExpression, { kind: "literal" }>["value"]): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return `'${value}'`;
  if (isInterval(value)) return `{${value.months} ${value.nanoseconds}}`;
  return String(value);
}
