/** The rows of a table that a SELECT reads, as they are, as a plan. */
import type { Expression, SortKey } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ColumnSchema } from "#model/schema.ts";
import { call, literal } from "../../plan/bind/fold.ts";
import { filtered } from "../../plan/conditions.ts";
import type { RowRequest } from "../points/source.ts";
import type { VariableInput } from "../resolved.ts";
import { castColumn } from "./cast.ts";
import { ScanColumns } from "./columns.ts";
import { conditionOf } from "./condition/condition.ts";

/** A column that no row of the table has a value in. */
const NOTHING: Expression = literal(null, "null");

/** Fields: the time, the dimensions, then the variables. Undefined where no row can be there. */
export function planRows(request: RowRequest): Plan | undefined {
  const { condition, name, table } = request.source;
  const columns = new ScanColumns(table);
  const time = columns.time();
  const dimensions = request.dimensions.map((dimension) => tagOf(columns, dimension));
  const variables = request.variables.map((variable) => valueOf(variable, columns));
  const present = presence(request, columns);
  if (present === undefined) return undefined;
  const conditions = [...present];
  if (condition !== undefined)
    conditions.push(conditionOf(condition, { columns, measurement: name }));
  const order = orderOf(request, columns, { time, dimensions });
  const rows = bestOf(filtered(columns.scan(request.time), conditions), request, columns);
  const sorted: Plan = { kind: "sort", fields: rows.fields, input: rows, keys: order };
  return {
    kind: "project",
    fields: [
      { name: "time", type: "timestamp" },
      ...request.dimensions.map((dimension): Field => ({ name: dimension, type: "string" })),
      ...request.variables.map((variable, index): Field => {
        return { name: variable.name, type: variables[index]?.type ?? "null" };
      }),
    ],
    input: limited(sorted, request, dimensions),
    expressions: [time, ...dimensions, ...variables],
  };
}

/** What a row must have, so that it counts: a value in one of the fields. Undefined where none can have it. */
function presence(
  { source: { table }, variables }: Pick<RowRequest, "source" | "variables">,
  columns: ScanColumns,
): readonly Expression[] | undefined {
  const fields = variables.filter((variable) => isField(variable, columns));
  if (fields.length === 0) return undefined;
  const names = new Set(fields.map(({ name }) => name));
  // Every row that is stored has a field.
  if (table.columns.every(({ kind, name }) => !isFieldKind(kind) || names.has(name))) return [];
  const tests = [...names].flatMap((name) => {
    const column = columns.find(name);
    return column === undefined ? [] : call("is_not_null", [columns.input(column)], "boolean");
  });
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? [only] : [call("or", tests, "boolean")];
}

/** Whether rows of the table may have a value of `variable` that is no tag. */
function isField(variable: VariableInput, columns: ScanColumns): boolean {
  const column = columns.find(variable.name);
  if (column === undefined || !isFieldKind(column.kind)) return false;
  return castColumn(column, variable.type, columns) !== undefined;
}

function isFieldKind(kind: ColumnSchema["kind"]): boolean {
  return kind !== "time" && kind !== "tag";
}

/** `variable` as its type asks for it. */
export function valueOf({ name, type }: VariableInput, columns: ScanColumns): Expression {
  const column = columns.find(name);
  if (column === undefined) return NOTHING;
  return castColumn(column, type, columns)?.expression ?? NOTHING;
}

/** The tag `name`; NULL where the table has no such tag. */
export function tagOf(columns: ScanColumns, name: string): Expression {
  const column = columns.find(name);
  return column?.kind === "tag" ? columns.input(column) : literal(null, "string");
}

interface Ordered {
  readonly time: Expression;
  readonly dimensions: readonly Expression[];
}

/** By series, then time, then what else tells series apart. */
function orderOf(
  { descending, seriesDescending }: RowRequest,
  columns: ScanColumns,
  { dimensions, time }: Ordered,
): readonly SortKey[] {
  const rest = columns.tags.map((tag) => columns.input(tag));
  return [...dimensions, time, ...rest].flatMap((expression, index, all): readonly SortKey[] => {
    const known = all.findIndex((other) => isSame(other, expression)) < index;
    if (known || expression.kind === "literal") return [];
    return [
      expression === time
        ? { expression, descending, nullsFirst: !descending }
        : { expression, descending: seriesDescending, nullsFirst: !seriesDescending },
    ];
  });
}

/** Of `rows` those that are asked for, by their values. */
function bestOf(rows: Plan, { best, seriesDescending }: RowRequest, columns: ScanColumns): Plan {
  if (best === undefined) return rows;
  const value = valueOf(best.variable, columns);
  if (value.kind === "literal") return rows;
  const { fields } = rows;
  const input = filtered(rows, [call("is_not_null", [value], "boolean")]);
  const tags = columns.tags.map((tag): SortKey => {
    const expression = columns.input(tag);
    return { expression, descending: seriesDescending, nullsFirst: !seriesDescending };
  });
  const keys: readonly SortKey[] = [
    { expression: value, descending: !best.least, nullsFirst: false },
    { expression: columns.time(), descending: false, nullsFirst: false },
    ...tags,
  ];
  const sorted: Plan = { kind: "sort", fields, input, keys };
  return { kind: "limit", fields, input: sorted, countMax: BigInt(best.count), offset: 0n };
}

function isSame(left: Expression, right: Expression): boolean {
  return left.kind === "input" && right.kind === "input" && left.index === right.index;
}

/** The first rows of each series alone, where no more are asked for. */
function limited(sorted: Plan, { rowsMax }: RowRequest, dimensions: readonly Expression[]): Plan {
  const { fields } = sorted;
  if (rowsMax === undefined) return sorted;
  const keys = dimensions.filter(({ kind }) => kind === "input");
  if (keys.length === 0)
    return { kind: "limit", fields, input: sorted, countMax: BigInt(rowsMax), offset: 0n };
  return rowsMax === 1 ? { kind: "distinct_on", fields, input: sorted, keys } : sorted;
}
