import { DbError } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";
import type { PointType } from "../../resolved.ts";
import type { Work } from "./work.ts";

/** The columns that steps of a SELECT work on. */
export type PointColumn =
  | Extract<ResultColumn, { readonly type: "null" | "float64" | "uint64" | "string" | "boolean" }>
  | {
      readonly type: "int64";
      readonly values: BigInt64Array;
      readonly present?: Uint8Array;
    };
export type ColumnType = PointColumn["type"];
/** A cell that is there. */
export type PointValue = number | bigint | string | boolean;

const NOTHING: PointColumn = { type: "null" };

/** The column type of values of `type`; without a type nothing is there. */
export function columnType(type: PointType | undefined): ColumnType {
  switch (type) {
    case "float":
      return "float64";
    case "integer":
      return "int64";
    case "unsigned":
      return "uint64";
    case "string":
    case "tag":
      return "string";
    case "boolean":
      return "boolean";
    case undefined:
      return "null";
  }
}

/** `column` as steps know it; instants are no values of theirs. */
export function pointColumn(column: ResultColumn | undefined): PointColumn {
  if (column === undefined) return NOTHING;
  switch (column.type) {
    case "null":
    case "float64":
    case "uint64":
    case "string":
    case "boolean":
      return column;
    case "int64":
      return {
        type: "int64",
        values: column.values,
        ...(column.present && { present: column.present }),
      };
    default:
      throw new DbError(
        "internal",
        "assertion_failed",
        `a column of points is of type ${column.type}`,
      );
  }
}

export function hasValue(column: PointColumn, row: number): boolean {
  if (column.type === "null") return false;
  if (column.type === "string") return (column.values[row] ?? null) !== null;
  return column.present === undefined || column.present[row] === 1;
}

export function valueAt(column: PointColumn, row: number): PointValue | null {
  if (!hasValue(column, row)) return null;
  switch (column.type) {
    case "null":
      return null;
    case "boolean":
      return column.values[row] === 1;
    default:
      return column.values[row] ?? null;
  }
}

/** Rows `start` to before `end`; shares memory with `column`. */
export function sliceColumn(column: PointColumn, start: number, end: number): PointColumn {
  switch (column.type) {
    case "null":
      return column;
    case "string":
      return { type: "string", values: column.values.slice(start, end) };
    case "float64":
      return {
        ...column,
        values: column.values.subarray(start, end),
        ...present(column, start, end),
      };
    case "int64":
      return {
        ...column,
        values: column.values.subarray(start, end),
        ...present(column, start, end),
      };
    case "uint64":
      return {
        ...column,
        values: column.values.subarray(start, end),
        ...present(column, start, end),
      };
    case "boolean":
      return {
        ...column,
        values: column.values.subarray(start, end),
        ...present(column, start, end),
      };
  }
}

function present(
  column: { readonly present?: Uint8Array },
  start: number,
  end: number,
): { present?: Uint8Array } {
  return column.present === undefined ? {} : { present: column.present.subarray(start, end) };
}

/** The cells of `column` at `rows`, in their order; none where a row is below zero. */
export function gather(column: PointColumn, rows: Int32Array): PointColumn {
  const builder = new ColumnBuilder(column.type, rows.length);
  for (const row of rows) builder.pushFrom(column, row);
  return builder.finish();
}

/** As `gather`, where rows are many. */
export async function gatherInTurns(
  column: PointColumn,
  rows: Int32Array,
  work: Work,
): Promise<PointColumn> {
  const builder = new ColumnBuilder(column.type, rows.length);
  await work.inBlocks(rows.length, (start, end) => {
    for (const row of rows.subarray(start, end)) builder.pushFrom(column, row);
  });
  return builder.finish();
}

const FIRST_CAPACITY = 64;

/** A column of one type that grows. */
export class ColumnBuilder {
  readonly type: ColumnType;
  #count = 0;
  #present: Uint8Array;
  #numbers: Float64Array = new Float64Array(0);
  #integers: BigInt64Array = new BigInt64Array(0);
  #unsigned: BigUint64Array = new BigUint64Array(0);
  readonly #texts: (string | null)[] = [];
  #complete = true;

  constructor(type: ColumnType, capacity = FIRST_CAPACITY) {
    this.type = type;
    this.#present = new Uint8Array(0);
    this.#reserve(Math.max(capacity, 1));
  }

  get count(): number {
    return this.#count;
  }

  /** Appends `value`, cast to the type of the column where it is another number; what cannot be cast is absent. */
  push(value: PointValue | null): void {
    if (this.#count === this.#present.length) this.#reserve(this.#count * 2);
    const index = this.#count;
    this.#count += 1;
    const stored = value !== null && this.#store(index, value);
    this.#present[index] = stored ? 1 : 0;
    if (stored) return;
    this.#complete = false;
    if (this.type === "string") this.#texts.push(null);
  }

  pushFrom(column: PointColumn, row: number): void {
    this.push(row < 0 ? null : valueAt(column, row));
  }

  /** The column; the builder is empty after it, and grows another. */
  finish(): PointColumn {
    const end = this.#count;
    const presence = this.#complete ? {} : { present: this.#present.slice(0, end) };
    const column = this.#column(end, presence);
    this.#count = 0;
    this.#complete = true;
    this.#texts.length = 0;
    return column;
  }

  #column(end: number, presence: { present?: Uint8Array }): PointColumn {
    switch (this.type) {
      case "null":
        return NOTHING;
      case "float64":
        return { type: "float64", values: this.#numbers.slice(0, end), ...presence };
      case "int64":
        return { type: "int64", values: this.#integers.slice(0, end), ...presence };
      case "uint64":
        return { type: "uint64", values: this.#unsigned.slice(0, end), ...presence };
      case "string":
        return { type: "string", values: this.#texts.slice() };
      case "boolean":
        return {
          type: "boolean",
          values: Uint8Array.from(this.#numbers.subarray(0, end)),
          ...presence,
        };
    }
  }

  #store(index: number, value: PointValue): boolean {
    switch (this.type) {
      case "null":
        return false;
      case "float64":
        if (typeof value === "string" || typeof value === "boolean") return false;
        this.#numbers[index] = Number(value);
        return true;
      case "int64":
      case "uint64": {
        const whole = wholeOf(value);
        if (whole === undefined) return false;
        if (this.type === "int64") this.#integers[index] = whole;
        else this.#unsigned[index] = whole;
        return true;
      }
      case "string":
        if (typeof value !== "string") return false;
        this.#texts.push(value);
        return true;
      case "boolean":
        if (typeof value !== "boolean") return false;
        this.#numbers[index] = value ? 1 : 0;
        return true;
    }
  }

  #reserve(capacity: number): void {
    this.#present = grown(this.#present, new Uint8Array(capacity));
    if (this.type === "float64" || this.type === "boolean") {
      this.#numbers = grown(this.#numbers, new Float64Array(capacity));
    }
    if (this.type === "int64") this.#integers = grown(this.#integers, new BigInt64Array(capacity));
    if (this.type === "uint64")
      this.#unsigned = grown(this.#unsigned, new BigUint64Array(capacity));
  }
}

/** `value` as a whole number, towards zero; undefined where it is none. */
export function wholeOf(value: PointValue): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return BigInt(Math.trunc(value));
}

/** Instants that grow in number. */
export class TimeBuilder {
  #times = new BigInt64Array(FIRST_CAPACITY);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(timeNs: bigint): void {
    if (this.#count === this.#times.length) {
      this.#times = grown(this.#times, new BigInt64Array(this.#count * 2));
    }
    this.#times[this.#count] = timeNs;
    this.#count += 1;
  }

  finish(): BigInt64Array {
    const times = this.#times.slice(0, this.#count);
    this.#count = 0;
    return times;
  }
}

/** Rows that grow in number. */
export class RowBuilder {
  #rows = new Int32Array(FIRST_CAPACITY);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(row: number): void {
    if (this.#count === this.#rows.length) {
      this.#rows = grown(this.#rows, new Int32Array(this.#count * 2));
    }
    this.#rows[this.#count] = row;
    this.#count += 1;
  }

  finish(): Int32Array {
    const rows = this.#rows.slice(0, this.#count);
    this.#count = 0;
    return rows;
  }
}

interface Growing<Whole> {
  set(values: Whole): void;
}

function grown<Whole extends Growing<Whole>>(old: Whole, into: Whole): Whole {
  into.set(old);
  return into;
}
