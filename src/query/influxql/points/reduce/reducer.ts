import { DbError } from "#base/errors.ts";
import {
  ColumnBuilder,
  type ColumnType,
  type PointColumn,
  type PointValue,
  TimeBuilder,
} from "../values/columns.ts";

/** Rows of one series, by time. */
export interface Rows {
  readonly times: BigInt64Array;
  readonly columns: readonly PointColumn[];
}

/** Makes rows of the rows of one bucket after the other. */
export interface Reducer {
  /** Takes in rows `start` to before `end`. */
  add(rows: Rows, start: number, end: number): void;
  /** Appends what the rows since the last call give to `output`, where they give anything, and forgets them. */
  finish(output: LaneBuilder): void;
  /** Whether the last bucket had values, but too few to give anything. Absent: that cannot be. */
  readonly hadTooFew?: boolean;
}

/** A row that was chosen. */
export interface Chosen {
  readonly rows: Rows;
  readonly row: number;
}

/** Values by time of one series: of one call, before they are joined with those of others. */
export interface Lane {
  readonly times: BigInt64Array;
  readonly values: PointColumn;
  /** Of the rows that a selector chose. */
  readonly beside: readonly PointColumn[];
}

export interface BesideColumn {
  /** Of `Rows.columns`. */
  readonly index: number;
  readonly type: ColumnType;
}

/** A lane that grows. */
export class LaneBuilder {
  readonly #times = new TimeBuilder();
  readonly #values: ColumnBuilder;
  readonly #beside: readonly { readonly index: number; readonly builder: ColumnBuilder }[];
  /** The time of rows that have none of their own. */
  bucketTime = 0n;
  /** Whether rows keep the time of what was chosen. */
  readonly #ownTime: boolean;

  constructor(type: ColumnType, beside: readonly BesideColumn[], ownTime: boolean) {
    this.#values = new ColumnBuilder(type);
    this.#beside = beside.map((column) => ({
      index: column.index,
      builder: new ColumnBuilder(column.type),
    }));
    this.#ownTime = ownTime;
  }

  get count(): number {
    return this.#times.count;
  }

  pushValue(value: PointValue): void {
    this.#times.push(this.bucketTime);
    this.#values.push(value);
    for (const { builder } of this.#beside) builder.push(null);
  }

  pushChosen(value: PointValue, { rows, row }: Chosen): void {
    this.#times.push(this.#ownTime ? (rows.times[row] ?? 0n) : this.bucketTime);
    this.#values.push(value);
    for (const { index, builder } of this.#beside) {
      builder.pushFrom(rows.columns[index] ?? { type: "null" }, row);
    }
  }

  finish(): Lane {
    return {
      times: this.#times.finish(),
      values: this.#values.finish(),
      beside: this.#beside.map(({ builder }) => builder.finish()),
    };
  }
}

/** Values that one bucket may hold at a time, where a function needs all of them. */
export const HELD_MAX = 10_000_000;

export function checkHeld(count: number, name: string): void {
  if (count <= HELD_MAX) return;
  throw new DbError(
    "exceeded",
    "influxql_rows_held",
    `${name} needs all values of a group at once, and one has more than ${HELD_MAX}: use a shorter time range or smaller buckets`,
    { detail: { max: HELD_MAX } },
  );
}
