import type { AggregateCall, Expression, LiteralValue, SortKey } from "#model/query/expression.ts";
import { formatFloat } from "#model/query/float-text.ts";
import type { FrameBound, Plan, WidePlan, WindowCall, WindowFrame } from "#model/query/plan.ts";
import { typeName } from "#model/query/type-text.ts";
import { isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { expressionsOf, inputsOf, subqueriesOf } from "#model/query/walk.ts";
import { formatDay } from "#model/time/text.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { formatTimestamp } from "#model/time-text.ts";
import { formatInterval } from "../result/text.ts";

/**
 * A plan as text, a node a line, inputs below and further in. `#0` is the first field of the input;
 * `1u` is uint64, `1.0` float64, `@…` a timestamp; `x::type` a cast and `x?::type` a safe one.
 */
export function describePlan(plan: Plan): string {
  return planLines(plan).join("\n");
}

/** An expression in the words of `describePlan`. */
function describeExpression(expression: Expression): string {
  switch (expression.kind) {
    case "input":
      return `#${expression.index}`;
    case "outer":
      return `#${"^".repeat(expression.level)}${expression.index}`;
    case "subquery":
      return expression.form === "compare"
        ? `${describeExpression(expression.operand)} ${expression.operator} ${expression.quantifier} subquery`
        : `${expression.form} subquery`;
    case "literal":
      return literalText(expression.value, expression.type);
    case "call":
      return `${expression.name}(${expression.arguments.map(describeExpression).join(", ")})`;
    case "cast":
      return `${describeExpression(expression.operand)}${expression.safe ? "?" : ""}::${typeName(expression.type)}`;
    case "case": {
      const branches = expression.branches.map(
        ({ when, result }) =>
          `when ${describeExpression(when)} then ${describeExpression(result)} `,
      );
      return `case ${branches.join("")}else ${describeExpression(expression.otherwise)} end`;
    }
    case "in":
      return `${describeExpression(expression.operand)} in (${expression.list.map(describeExpression).join(", ")})`;
  }
}

function planLines(plan: Plan): string[] {
  const subqueries = expressionsOf(plan).flatMap(subqueriesOf);
  const below = [
    ...subqueries.flatMap((subquery) => ["subquery", ...planLines(subquery).map(indented)]),
    ...inputsOf(plan).flatMap(planLines),
  ];
  return [...nodeLines(plan), ...below.map(indented)];
}

function indented(line: string): string {
  return `  ${line}`;
}

function nodeLines(plan: Plan): string[] {
  switch (plan.kind) {
    case "scan":
      return [scanText(plan)];
    case "values":
      return [
        `values ${fieldNames(plan)}`,
        ...plan.rows.map((row) => `  (${row.map(describeExpression).join(", ")})`),
      ];
    case "filter":
      return [`filter ${describeExpression(plan.predicate)}`];
    case "aggregate": {
      const groups = plan.groups.map(describeExpression).join(", ");
      return [`aggregate by [${groups}] of [${plan.aggregates.map(aggregateText).join(", ")}]`];
    }
    case "project": {
      const columns = plan.expressions.map(
        (expression, index) => `${plan.fields[index]?.name}: ${describeExpression(expression)}`,
      );
      return [`project ${columns.join(", ")}`];
    }
    case "sort":
      return [`sort ${plan.keys.map(keyText).join(", ")}`];
    case "limit":
      return [`limit ${plan.countMax ?? "all"} offset ${plan.offset}`];
    default:
      return [wideNodeText(plan)];
  }
}

function wideNodeText(plan: WidePlan): string {
  switch (plan.kind) {
    case "join": {
      const lateral = plan.lateral ? " lateral" : "";
      const on = plan.condition === undefined ? "" : ` on ${describeExpression(plan.condition)}`;
      return `${plan.join} join${lateral}${on}`;
    }
    case "set":
      return `${plan.operation}${plan.all ? " all" : ""}`;
    case "window":
      return `window ${plan.calls.map(windowText).join(", ")}`;
    case "distinct_on":
      return `distinct on ${plan.keys.map(describeExpression).join(", ")}`;
    case "unnest":
      return `unnest ${plan.columns.map((index) => `#${index}`).join(", ")}${plan.keepEmpty ? " keep empty" : ""}`;
    case "recursive":
      return `recursive ${plan.id}${plan.all ? " all" : ""}`;
    case "working":
      return `working ${plan.id}`;
    case "gapfill": {
      const fills = plan.fills.map(({ field, fill }) => ` #${field} ${fill}`).join("");
      const series = plan.series.map((index) => `#${index}`).join(", ");
      return `gapfill #${plan.time} by [${series}] ${formatInterval(plan.stride)} ${instantText(plan.first)} to ${instantText(plan.last)}${fills}`;
    }
  }
}

function windowText(call: WindowCall): string {
  const operands = call.arguments.map(describeExpression).join(", ");
  const partition = call.partitionBy.map(describeExpression).join(", ");
  const filter = call.filter === undefined ? "" : ` filter ${describeExpression(call.filter)}`;
  const nulls = call.ignoreNulls ? " ignore nulls" : "";
  const frame = call.frame === undefined ? "" : ` ${frameText(call.frame)}`;
  return `${call.name}(${operands})${filter}${nulls} over ([${partition}] order ${call.orderBy.map(keyText).join(", ")}${frame})`;
}

function frameText({ unit, start, end }: WindowFrame): string {
  return `${unit} ${boundText(start)} to ${boundText(end)}`;
}

function boundText(bound: FrameBound): string {
  return "offset" in bound ? `${describeExpression(bound.offset)} ${bound.kind}` : bound.kind;
}

function scanText(plan: Extract<Plan, { kind: "scan" }>): string {
  const { time } = plan;
  const bounded = time.start !== ALL_TIME.start || time.end !== ALL_TIME.end;
  const range = bounded ? ` time ${instantText(time.start)} to ${instantText(time.end)}` : "";
  const predicate =
    plan.predicate === undefined ? "" : ` where ${describeExpression(plan.predicate)}`;
  return `scan ${plan.tableId} ${fieldNames(plan)}${range}${predicate} groups ${plan.groups.length}`;
}

function fieldNames(plan: Plan): string {
  return `[${plan.fields.map(({ name }) => name).join(", ")}]`;
}

function instantText(timeNs: bigint): string {
  if (timeNs === ALL_TIME.start) return "first";
  return timeNs === ALL_TIME.end ? "last" : formatTimestamp(timeNs);
}

function aggregateText(call: AggregateCall): string {
  const operands = call.arguments.map(describeExpression).join(", ");
  const order = call.orderBy === undefined ? "" : ` order ${call.orderBy.map(keyText).join(", ")}`;
  const filter = call.filter === undefined ? "" : ` filter ${describeExpression(call.filter)}`;
  return `${call.name}(${call.distinct ? "distinct " : ""}${operands}${order})${filter}`;
}

function keyText({ expression, descending, nullsFirst }: SortKey): string {
  const direction = descending ? " desc" : "";
  // What SQL means when it says nothing is not shown.
  const nulls = nullsFirst === descending ? "" : ` nulls ${nullsFirst ? "first" : "last"}`;
  return describeExpression(expression) + direction + nulls;
}

function literalText(value: LiteralValue, type: ValueType): string {
  if (value === null) return type === "null" ? "null" : `null::${typeName(type)}`;
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `x'${value.toHex()}'`;
  if (typeof value === "object") return formatInterval(value);
  if (typeof value === "number") return formatFloat(value);
  if (typeof value === "boolean") return String(value);
  if (isTimestamp(type)) return `@${formatTimestamp(value)}`;
  if (type === "date") return `@${formatDay(Number(value))}`;
  return type === "uint64" ? `${value}u` : String(value);
}
