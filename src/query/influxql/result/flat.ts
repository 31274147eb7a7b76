/** Answers as InfluxDB 3 gives them: one table, with the measurement and the tags of GROUP BY as columns. */
import { assert } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import {
  type CellValue,
  cellAt,
  type ResultBatch,
  type ResultColumn,
} from "#model/query/result.ts";
import { type PlainType, timestampType, type ValueType } from "#model/query/value-type.ts";
import type { ColumnKind } from "#model/schema.ts";
import type { SeriesChunk, StatementAnswer } from "../answer.ts";

const MEASUREMENT = "iox::measurement";
/** Columns may have no values at first, and then no type: so many rows are read for it. */
const LOOK_AHEAD_ROWS_MAX = 20_000;
const KINDS: ReadonlyMap<ValueType, ColumnKind> = new Map([
  ["float64", "float"],
  ["int64", "integer"],
  ["uint64", "uinteger"],
  ["string", "string"],
  ["boolean", "boolean"],
]);

/** The rows of one statement; `return` lets go of the statement, also before any row was taken. */
export class FlatRows implements AsyncIterableIterator<ResultBatch, undefined> {
  /** Empty where the statement answers nothing. */
  readonly fields: readonly Field[];
  readonly #held: SeriesChunk[];
  readonly #chunks: AsyncIterator<SeriesChunk>;

  private constructor(
    fields: readonly Field[],
    held: SeriesChunk[],
    chunks: AsyncIterator<SeriesChunk>,
  ) {
    this.fields = fields;
    this.#held = held;
    this.#chunks = chunks;
  }

  /** Resolves when the columns are known; rejects as the series do, as does `next`. */
  static async of({ series, zone }: StatementAnswer): Promise<FlatRows> {
    const chunks = series[Symbol.asyncIterator]();
    const held: SeriesChunk[] = [];
    let rowCount = 0;
    while (rowCount < LOOK_AHEAD_ROWS_MAX && !areTyped(held)) {
      const next = await chunks.next();
      if (next.done === true) break;
      held.push(next.value);
      rowCount += next.value.rowCount;
    }
    const [head] = held;
    return new FlatRows(head === undefined ? [] : fieldsOf(head, held, zone), held, chunks);
  }

  async next(): Promise<IteratorResult<ResultBatch, undefined>> {
    for (;;) {
      const chunk = this.#held.shift() ?? (await this.#read());
      if (chunk === undefined) return { done: true, value: undefined };
      if (chunk.rowCount > 0) return { done: false, value: batchOf(this.fields, chunk) };
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#held.length = 0;
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #read(): Promise<SeriesChunk | undefined> {
    const next = await this.#chunks.next();
    return next.done === true ? undefined : next.value;
  }
}

function areTyped(held: readonly SeriesChunk[]): boolean {
  const [head] = held;
  return head !== undefined && head.cells.every((_, index) => typeOf(held, index) !== "null");
}

/** The first type that column `index` has. */
function typeOf(held: readonly SeriesChunk[], index: number): ResultColumn["type"] {
  for (const { cells } of held) {
    const type = cells[index]?.type ?? "null";
    if (type !== "null") return type;
  }
  return "null";
}

function fieldsOf(
  head: SeriesChunk,
  held: readonly SeriesChunk[],
  zone: string | undefined,
): readonly Field[] {
  const values = head.columns.map((name, index) => valueField(name, typeOf(held, index), zone));
  const tags = tagsBeside(head).map(([name]): Field => ({ name, type: "string", column: "tag" }));
  const measurement: Field = { name: MEASUREMENT, type: "string" };
  const [first] = values;
  if (first?.column !== "time") return [measurement, ...tags, ...values];
  return [measurement, first, ...tags, ...values.slice(1)];
}

/** The tags of the series that are not among its columns. */
function tagsBeside({ columns, tags }: SeriesChunk): SeriesChunk["tags"] {
  return tags.filter(([name]) => !columns.includes(name));
}

function valueField(name: string, type: ResultColumn["type"], zone: string | undefined): Field {
  if (type === "timestamp")
    return { name, type: timestampType("nanosecond", zone), column: "time" };
  // A column without any value is one of texts: what answers have must have a type.
  const valueType = type === "null" ? "string" : (type as PlainType);
  const kind = KINDS.get(valueType);
  return { name, type: valueType, ...(kind === undefined ? {} : { column: kind }) };
}

function batchOf(fields: readonly Field[], chunk: SeriesChunk): ResultBatch {
  const { name, rowCount } = chunk;
  const constant = (value: string | null): ResultColumn => ({
    type: "string",
    values: Array.from({ length: rowCount }, () => value),
  });
  const tagColumns = tagsBeside(chunk).map(([, value]) => constant(value === "" ? null : value));
  const [first, ...others] = chunk.cells;
  const columns =
    first?.type === "timestamp"
      ? [constant(name), first, ...tagColumns, ...others]
      : [constant(name), ...tagColumns, ...chunk.cells];
  assert(columns.length === fields.length, "all series of a statement have the same columns");
  return {
    rowCount,
    columns: columns.map((column, index) => fitted(column, fields[index], rowCount)),
  };
}

/** `column`, in the type of its field: of several measurements, one name may have several, or none. */
function fitted(column: ResultColumn, field: Field | undefined, rowCount: number): ResultColumn {
  if (column.type === field?.type || column.type === "timestamp") return column;
  const cells = Array.from({ length: rowCount }, (_, row) => cellAt(column, row));
  const present = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  switch (field?.type) {
    case "float64":
      return { type: "float64", values: Float64Array.from(cells, Number), present };
    case "int64":
      return { type: "int64", values: BigInt64Array.from(cells, wholeOf), present };
    case "uint64":
      return { type: "uint64", values: BigUint64Array.from(cells, wholeOf), present };
    case "boolean":
      return { type: "boolean", values: Uint8Array.from(cells, Number), present };
    default:
      return { type: "string", values: cells.map(textOf) };
  }
}

function textOf(cell: CellValue): string | null {
  assert(typeof cell !== "object" || cell === null, "InfluxQL has no columns with parts");
  return cell === null ? null : String(cell);
}

function wholeOf(cell: CellValue): bigint {
  if (typeof cell === "bigint") return cell;
  const value = Number(cell);
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}
