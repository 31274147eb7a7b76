import { isInterval } from "#model/query/expression.ts";
import { typeName } from "#model/query/type-text.ts";
import type {
  CallExpression,
  GroupBy,
  OrderBy,
  OrderItem,
  Query,
  QueryBody,
  Select,
  SelectItem,
  SqlExpression,
  SqlFrameBound,
  Statement,
  TableAlias,
  TableReference,
  WindowSpec,
} from "./ast.ts";

/** A syntax tree as one line, operators in front of their operands; tests compare it. */
export function describeStatement(statement: Statement): string {
  switch (statement.kind) {
    case "query":
      return describeQuery(statement);
    case "explain": {
      const { analyze, verbose, query } = statement;
      return `explain ${analyze ? "analyze " : ""}${verbose ? "verbose " : ""}${describeQuery(query)}`;
    }
    case "describe_query":
      return `describe ${describeQuery(statement.query)}`;
    case "describe":
    case "show_columns":
      return `${statement.kind} ${statement.table.join(".")}`;
    case "show_tables":
    case "show_all":
      return statement.kind;
  }
}

/** A column of a SELECT in the words of `describeStatement`. */
export function describeItem(item: SelectItem): string {
  if (item.kind === "expression") {
    const text = expressionText(item.expression);
    return item.alias === undefined ? text : `${text} as ${item.alias}`;
  }
  const replaced = item.replace.map(
    ({ expression, name }) => `${expressionText(expression)} as ${name}`,
  );
  return [
    [...item.qualifier, "*"].join("."),
    part("except", item.except.join(" ")),
    part("replace", replaced.join(", ")),
  ].join("");
}

function describeQuery(query: Query): string {
  const tables = query.with.map(
    ({ name, columns, query: inner }) =>
      `${[name, ...columns].join(" ")} as (${describeQuery(inner)})`,
  );
  return [
    tables.length === 0 ? "" : `with ${query.recursive ? "recursive " : ""}${tables.join(", ")} `,
    bodyText(query.body),
    part("order", orderByText(query.orderBy)),
    part("limit", query.limit && expressionText(query.limit)),
    part("offset", query.offset && expressionText(query.offset)),
  ].join("");
}

function bodyText(body: QueryBody): string {
  switch (body.kind) {
    case "select":
      return selectText(body);
    case "query":
      return `(${describeQuery(body)})`;
    case "values":
      return `values ${body.rows.map((row) => `(${texts(row)})`).join(" ")}`;
    case "set": {
      const words = [
        body.operation,
        ...(body.all ? ["all"] : []),
        ...(body.byName ? ["by name"] : []),
      ];
      return `(${words.join(" ")} ${bodyText(body.left)} | ${bodyText(body.right)})`;
    }
  }
}

function selectText(select: Select): string {
  const { distinct, items, from, where, groupBy, having, windows, qualify } = select;
  return [
    distinct === "none" ? "select " : "distinct ",
    typeof distinct === "string" ? "" : `on (${texts(distinct)}) `,
    items.map(describeItem).join(" | "),
    part("from", from.map(tableText).join(" , ")),
    part("where", where && expressionText(where)),
    part("group", groupByText(groupBy)),
    part("having", having && expressionText(having)),
    part("window", windows.map(({ name, window }) => `${name} ${windowText(window)}`).join(", ")),
    part("qualify", qualify && expressionText(qualify)),
  ].join("");
}

function tableText(table: TableReference): string {
  switch (table.kind) {
    case "table":
      return `${table.name.join(".")}${aliasText(table.alias)}`;
    case "subquery":
      return `${lateral(table)}(${describeQuery(table.query)})${aliasText(table.alias)}`;
    case "table_function":
      return `${lateral(table)}${table.name}(${texts(table.arguments)})${aliasText(table.alias)}`;
    case "unnest":
      return `unnest(${texts(table.lists)})${aliasText(table.alias)}`;
    case "join": {
      const { join, natural, left, right, using, on } = table;
      const condition = [part("using", using.join(" ")), part("on", on && expressionText(on))].join(
        "",
      );
      return `(${natural ? "natural " : ""}${join} ${tableText(left)} , ${tableText(right)}${condition})`;
    }
  }
}

function lateral(table: { readonly lateral: boolean }): string {
  return table.lateral ? "lateral " : "";
}

function aliasText(alias: TableAlias | undefined): string {
  if (alias === undefined) return "";
  return ` ${[alias.name, ...alias.columns].join(" ")}`;
}

function groupByText(groupBy: GroupBy): string {
  if (groupBy === "all") return "all";
  return groupBy
    .map((item) =>
      item.kind === "expression"
        ? expressionText(item.expression)
        : `${item.kind} ${item.sets.map((set) => `(${texts(set)})`).join(" ")}`,
    )
    .join(" | ");
}

function orderByText(orderBy: OrderBy): string {
  if (!("kind" in orderBy)) return orderBy.map(orderText).join(" | ");
  return `all${directionText(orderBy)}`;
}

function orderText(item: OrderItem): string {
  return `${expressionText(item.expression)}${directionText(item)}`;
}

function directionText({ descending, nullsFirst }: Omit<OrderItem, "expression">): string {
  return `${descending ? " desc" : ""}${nullsFirst ? " nulls first" : ""}`;
}

function part(name: string, clause: string | undefined): string {
  return clause === undefined || clause === "" ? "" : ` ${name} ${clause}`;
}

function texts(expressions: readonly SqlExpression[]): string {
  return expressions.map(expressionText).join(" ");
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
      return `(${expression.kind} ${texts(expression.operands)})`;
    case "binary":
      return `(${expression.operator} ${texts([expression.left, expression.right])})`;
    case "case":
      return caseText(expression);
    case "call":
      return callText(expression);
    case "exists":
      return `(${expression.negated ? "not " : ""}exists (${describeQuery(expression.query)}))`;
    case "scalar_query":
      return `(${describeQuery(expression.query)})`;
    case "named":
      return `(named ${expression.name} ${expressionText(expression.value)})`;
    default:
      return testText(expression);
  }
}

function testText(
  test: Exclude<
    Extract<SqlExpression, { readonly operand: unknown }>,
    { kind: "negate" | "not" | "case" }
  >,
): string {
  const operand = expressionText(test.operand);
  const not = "negated" in test && test.negated ? "not " : "";
  switch (test.kind) {
    case "is":
      return `(is ${not}${operand} ${test.value})`;
    case "between":
      return `(${not}between ${operand} ${texts([test.low, test.high])})`;
    case "in_list":
      return `(${not}in ${[operand, ...test.list.map(expressionText)].join(" ")})`;
    case "in_query":
      return `(${not}in ${operand} (${describeQuery(test.query)}))`;
    case "quantified":
      return `(${test.operator} ${operand} ${test.quantifier} (${describeQuery(test.query)}))`;
    case "cast":
      return `(${test.safe ? "try_cast" : "cast"} ${operand} ${typeName(test.type)})`;
    case "like":
      return `(${not}${test.style} ${operand} ${expressionText(test.pattern)}${part("escape", test.escape)})`;
    case "at_time_zone":
      return `(at_time_zone ${operand} ${expressionText(test.zone)})`;
    case "index":
      return `(index ${operand} ${expressionText(test.index)})`;
    case "slice": {
      const bounds = [test.from, test.to, test.step];
      return `(slice ${operand} ${bounds.map((bound) => (bound === undefined ? "_" : expressionText(bound))).join(" ")})`;
    }
  }
}

function caseText({
  operand,
  branches,
  otherwise,
}: Extract<SqlExpression, { kind: "case" }>): string {
  const parts = branches.map(({ when, result }) => `(${texts([when, result])})`);
  if (operand !== undefined) parts.unshift(expressionText(operand));
  if (otherwise !== undefined) parts.push(expressionText(otherwise));
  return `(case ${parts.join(" ")})`;
}

function callText(call: CallExpression): string {
  const distinct = call.distinct ? "distinct " : "";
  const list = call.star ? "*" : texts(call.arguments);
  const order = part("order", call.orderBy.map(orderText).join(", "));
  const sorted = call.withinGroup ? `)${part("within", order.trim())}` : `${order})`;
  const tail = [
    part("filter", call.filter && expressionText(call.filter)),
    part("nulls", call.nulls),
    part("over", typeof call.over === "object" ? windowText(call.over) : call.over),
  ];
  return `${call.name}(${distinct}${list}${sorted}${tail.join("")}`;
}

function windowText({ base, partitionBy, orderBy, frame }: WindowSpec): string {
  const parts = [
    part("base", base),
    part("partition", texts(partitionBy)),
    part("order", orderBy.map(orderText).join(", ")),
    frame === undefined
      ? ""
      : ` ${frame.unit} ${boundText(frame.start)} to ${boundText(frame.end)}`,
  ];
  return `(${parts.join("").trim()})`;
}

function boundText(bound: SqlFrameBound): string {
  return "offset" in bound ? `${expressionText(bound.offset)} ${bound.kind}` : bound.kind;
}

function literalText(value: Extract<SqlExpression, { kind: "literal" }>["value"]): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return `'${value}'`;
  if (isInterval(value)) return `{${value.months} ${value.nanoseconds}}`;
  if (value instanceof Uint8Array) return `x'${value.toHex()}'`;
  return String(value);
}
