/** The rows of a ScanPlan as engine SQL: sources, filters below the merge, the merge. */
import { DbError } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { ColumnId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferSource, ScanColumn, ScanPlan, SourceGroup } from "#model/query/plan.ts";
import { type RowDelete, type TagCondition, tagsOfCondition } from "#model/row-delete.ts";
import { type ColumnKind, TIME_COLUMN_ID } from "#model/schema.ts";
import { NODE_NUMBER_MAX, type OrderStamp } from "#model/stamp.ts";
import { overlaps, TIME_MAX, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import { printExpression } from "./expression.ts";
import { printText } from "./literal.ts";
import { inputNames, type Names } from "./names.ts";

/** The Parquet field id of the order stamp, far from any column's. */
export const ORDER_FIELD_ID = 2_000_000_000;

/** A buffered table as it is in the engine now. */
export interface BufferTable {
  readonly name: string;
  /** Fields and tags; a column that is not here is NULL in every row. A tag that is kept as text is a string here. */
  readonly columns: ReadonlyMap<ColumnId, ColumnKind>;
}

/** What printing needs to know of the engine. */
export interface PrintContext {
  findBuffer(generation: GenerationId, tableId: TableId): BufferTable | undefined;
  /** Where the files of the plan are, by key. */
  readonly paths: ReadonlyMap<string, string>;
}

const COLUMN_TYPES: Readonly<Record<ColumnKind, string>> = {
  time: "BIGINT",
  tag: "VARCHAR",
  float: "DOUBLE",
  integer: "BIGINT",
  uinteger: "UBIGINT",
  boolean: "BOOLEAN",
  string: "VARCHAR",
};

const TIME_COLUMN: ScanColumn = { id: TIME_COLUMN_ID, kind: "time" };

/** A SELECT that gives the scan's columns as `c0`, `c1` … */
export function printScan(
  plan: ScanPlan,
  context: PrintContext,
  count: Names["count"] = () => undefined,
): string {
  const groups = plan.groups.flatMap((group) => {
    const printed = printGroup(plan, group, context);
    for (const text of printed) count(text);
    return printed;
  });
  if (groups.length > 0) return groups.join(" UNION ALL ");
  const nothing = plan.columns.map(
    ({ kind }, index) => `CAST(NULL AS ${COLUMN_TYPES[kind]}) AS c${index}`,
  );
  return `SELECT ${orPlaceholder(nothing)} WHERE FALSE`;
}

/** The engine's type of a column's values. */
export function columnType(kind: ColumnKind): string {
  return COLUMN_TYPES[kind];
}

/** A list of SQL results; a SELECT has at least one. */
export function orPlaceholder(list: readonly string[]): string {
  return list.length > 0 ? list.join(", ") : "1 AS z";
}

interface BufferResults {
  readonly columns: readonly ScanColumn[];
  /** Over the table's own columns, `b.` before them. */
  readonly conditions?: readonly string[];
  /** More results, over the same. */
  readonly extra?: readonly string[];
  /** Tags whose codes do as well as their texts, and are cheaper. */
  readonly asCodes?: readonly ScanColumn[];
}

/** The table, which has rows: who names one has appended a block to it. Throws `internal` / `buffer_missing`. */
export function getBuffer(
  context: PrintContext,
  generation: GenerationId,
  tableId: TableId,
): BufferTable {
  const table = context.findBuffer(generation, tableId);
  if (table !== undefined) return table;
  throw new DbError("internal", "buffer_missing", "the engine lacks buffered rows", {
    detail: { generation, tableId },
  });
}

/** Rows of a buffered table that have a position in the source's range: `columns` as `k<id>`, the stamp as `o`. */
export function printBuffer(
  table: BufferTable,
  source: BufferSource,
  { columns, conditions = [], extra = [], asCodes = [] }: BufferResults,
): string {
  const joins: string[] = [];
  const results = columns.map(({ id, kind }) => {
    if (id === TIME_COLUMN_ID) return `b.time AS k${id}`;
    if (!table.columns.has(id)) return `CAST(NULL AS ${COLUMN_TYPES[kind]}) AS k${id}`;
    const code = asCodes.some((column) => column.id === id);
    if (code || table.columns.get(id) !== "tag") return `b.c${id} AS k${id}`;
    // The dictionary has a row for the code of NULL.
    joins.push(` JOIN ${dictionaryName(table.name, id)} d${id} ON b.c${id} = d${id}.code`);
    return `d${id}.value AS k${id}`;
  });
  const range = [
    `b._position > ${source.positionAbove}`,
    `b._position <= ${source.positionMax}`,
    ...conditions,
  ];
  return `SELECT ${[...results, "b._order AS o", ...extra].join(", ")} FROM ${table.name} b${joins.join("")} WHERE ${range.join(" AND ")}`;
}

/** The table of a coded tag's texts by code. */
export function dictionaryName(tableName: string, id: ColumnId): string {
  return `${tableName}_d${id}`;
}

function printGroup(plan: ScanPlan, group: SourceGroup, context: PrintContext): string[] {
  // Merging needs the whole key, whatever is asked for.
  const key = [TIME_COLUMN, ...plan.tags];
  const keyIds = new Set(key.map(({ id }) => id));
  const fields = plan.columns.filter(({ id }) => !keyIds.has(id));
  const columns = group.merge ? [...key, ...fields] : withDeleteColumns(plan, group);
  const sources = printSources(plan, group, columns, context);
  if (sources.length === 0) return [];
  const conditions = (group.deletes ?? []).map(printDelete);
  if (plan.predicate !== undefined) {
    const names = inputNames((index) => `k${plan.columns[index]?.id}`);
    const predicate = printExpression(plan.predicate, names);
    conditions.unshift(conditions.length === 0 ? predicate : `(${predicate})`);
  }
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
  const rows = `SELECT * FROM (${sources.join(" UNION ALL ")}) s${where}`;
  if (!group.merge) {
    const results = plan.columns.map(({ id }, index) => `k${id} AS c${index}`);
    return [`SELECT ${orPlaceholder(results)} FROM (${rows}) m`];
  }
  // arg_max passes NULLs over: the newest value a field has.
  const results = plan.columns.map(({ id }, index) =>
    keyIds.has(id) ? `k${id} AS c${index}` : `arg_max(k${id}, o) AS c${index}`,
  );
  const keys = key.map(({ id }) => `k${id}`);
  return [`SELECT ${orPlaceholder(results)} FROM (${rows}) m GROUP BY ${keys.join(", ")}`];
}

/** The columns of `plan`, and those by which deletes of `group` tell rows. */
function withDeleteColumns(plan: ScanPlan, { deletes = [] }: SourceGroup): readonly ScanColumn[] {
  if (deletes.length === 0) return plan.columns;
  const asked = new Set(deletes.flatMap(({ condition }) => tagsOfCondition(condition)));
  const known = new Set(plan.columns.map(({ id }) => id));
  const more = [TIME_COLUMN, ...plan.tags.filter(({ id }) => asked.has(id))];
  return [...plan.columns, ...more.filter(({ id }) => !known.has(id))];
}

function printSources(
  plan: ScanPlan,
  { deletes = [], sources, times }: SourceGroup,
  columns: readonly ScanColumn[],
  context: PrintContext,
): string[] {
  const files = sources.filter((source) => source.kind === "file");
  const live = files.filter(
    ({ file, stampAbove }) =>
      overlaps(file.time, plan.time) && (stampAbove === undefined || file.stampMax > stampAbove),
  );
  const byStamp = Map.groupBy(live, ({ file, stampAbove }) =>
    stampAbove === undefined || file.stampMin > stampAbove ? undefined : stampAbove,
  );
  const printed = [...byStamp].map(([stampAbove, some]) => {
    const list = some.map(({ file }) => file);
    return printFiles(list, { columns, time: plan.time, times, stampAbove }, context);
  });
  for (const source of sources) {
    if (source.kind !== "buffer") continue;
    const table = getBuffer(context, source.generation, plan.tableId);
    const conditions = timeConditions("b.time", plan.time, String);
    if (times !== undefined) conditions.push(anyTimeCondition("b.time", times, String));
    // Where nothing is merged with them, the codes of one table tell series apart.
    const asCodes = sources.length > 1 || deletes.length > 0 ? [] : keyOnly(plan, columns);
    printed.push(printBuffer(table, source, { columns, conditions, asCodes }));
  }
  return printed;
}

/** Tags that rows are merged by and nobody reads. */
function keyOnly(plan: ScanPlan, columns: readonly ScanColumn[]): readonly ScanColumn[] {
  const read = new Set(plan.columns.map(({ id }) => id));
  return columns.filter(({ id, kind }) => kind === "tag" && !read.has(id));
}

interface FileScan {
  readonly columns: readonly ScanColumn[];
  readonly time: TimeRange;
  readonly times: SourceGroup["times"];
  readonly stampAbove: OrderStamp | undefined;
}

/** Columns are found by field id: names differ between files, and a file without a column gives NULL. */
function printFiles(files: readonly DataFile[], scan: FileScan, context: PrintContext): string {
  const paths = files.map(({ key }) => {
    const path = context.paths.get(key);
    if (path !== undefined) return printText(path);
    throw new DbError("internal", "assertion_failed", `file ${key} has no path`);
  });
  const named = scan.columns.filter(({ id }) => id !== TIME_COLUMN_ID);
  const schema = [
    schemaEntry(TIME_COLUMN_ID, "t", "TIMESTAMP_NS"),
    schemaEntry(ORDER_FIELD_ID, "o", "BIGINT"),
    ...named.map(({ id, kind }) => schemaEntry(id, `k${id}`, COLUMN_TYPES[kind])),
  ];
  const results = scan.columns.map(({ id }) =>
    id === TIME_COLUMN_ID ? `epoch_ns(t) AS k${id}` : `k${id}`,
  );
  const within = files.every(
    ({ time }) => time.start >= scan.time.start && time.end <= scan.time.end,
  );
  const conditions = within ? [] : timeConditions("t", scan.time, printInstant);
  if (scan.times !== undefined) conditions.push(anyTimeCondition("t", scan.times, printInstant));
  if (scan.stampAbove !== undefined) conditions.push(`o > ${scan.stampAbove}`);
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
  return `SELECT ${[...results, "o"].join(", ")} FROM read_parquet([${paths.join(", ")}], schema = MAP {${schema.join(", ")}})${where}`;
}

function schemaEntry(id: number, name: string, type: string): string {
  return `${id}: {name: '${name}', type: '${type}', default_value: NULL}`;
}

/**
 * Raw time is compared with a constant of its own type: the engine then skips row groups. It takes the outermost instants
 * for infinities, and refuses to make them of numbers.
 */
function printInstant(time: bigint): string {
  if (time === TIME_MAX) return "CAST('infinity' AS TIMESTAMP_NS)";
  if (time === -TIME_MAX) return "CAST('-infinity' AS TIMESTAMP_NS)";
  return `make_timestamp_ns(${time})`;
}

function timeConditions(
  name: string,
  { start, end }: TimeRange,
  print: (time: bigint) => string,
): string[] {
  const conditions: string[] = [];
  if (start > TIME_MIN) conditions.push(`${name} >= ${print(start)}`);
  if (end < TIME_MAX) conditions.push(`${name} <= ${print(end)}`);
  return conditions;
}

function anyTimeCondition(
  name: string,
  times: readonly TimeRange[],
  print: (time: bigint) => string,
): string {
  const ranges = times.map((range) => {
    const conditions = timeConditions(name, range, print);
    return conditions.length === 0 ? "TRUE" : `(${conditions.join(" AND ")})`;
  });
  return `(${ranges.join(" OR ")})`;
}

/** True of the rows, of `k<id>` and the stamp `o`, that the delete does not cover; never NULL. */
function printDelete({ condition, cuts, time }: RowDelete): string {
  const conditions = [cutsText(cuts)];
  if (time.start > TIME_MIN) conditions.push(`k${TIME_COLUMN_ID} >= ${time.start}`);
  if (time.end < TIME_MAX) conditions.push(`k${TIME_COLUMN_ID} <= ${time.end}`);
  if (condition !== undefined) conditions.push(tagsText(condition));
  return `NOT (${conditions.join(" AND ")})`;
}

/** The lowest bits of a stamp are its node's number (`model/stamp.ts`). */
function cutsText(cuts: RowDelete["cuts"]): string {
  const covered = cuts.map(
    ({ node, stamp }) => `((o & ${NODE_NUMBER_MAX}) = ${node} AND o <= ${stamp})`,
  );
  return covered.length === 0 ? "FALSE" : `(${covered.join(" OR ")})`;
}

function tagsText(condition: TagCondition): string {
  if (condition.kind === "in") {
    const { columnId, negated, values } = condition;
    if (values.length === 0) return negated ? "TRUE" : "FALSE";
    const list = values.map(printText).join(", ");
    return `coalesce(k${columnId}, '') ${negated ? "NOT IN" : "IN"} (${list})`;
  }
  const parts = condition.conditions.map(tagsText);
  if (parts.length === 0) return condition.kind === "and" ? "TRUE" : "FALSE";
  return `(${parts.join(condition.kind === "and" ? " AND " : " OR ")})`;
}
