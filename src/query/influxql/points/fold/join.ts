import type { Fill } from "../../ast.ts";
import type { Lane } from "../reduce/reducer.ts";
import {
  ColumnBuilder,
  gather,
  type PointColumn,
  type PointValue,
  valueAt,
} from "../values/columns.ts";

/** Rows of several lanes: one for each time that one of them has, of each lane its next row of that time. */
export interface Joined {
  readonly times: BigInt64Array;
  readonly lanes: readonly Lane[];
}

export function joined(lanes: readonly Lane[], descending: boolean): Joined {
  const [first] = lanes;
  if (first === undefined || lanes.every((lane) => sameTimes(lane.times, first.times))) {
    return { times: first?.times ?? new BigInt64Array(0), lanes };
  }
  const count = lanes.reduce((sum, lane) => sum + lane.times.length, 0);
  const times = new BigInt64Array(count);
  const rows = lanes.map(() => new Int32Array(count).fill(-1));
  const next = lanes.map(() => 0);
  let length = 0;
  for (;;) {
    const timeNs = earliest(lanes, next, descending);
    if (timeNs === undefined) break;
    lanes.forEach((lane, index) => {
      const row = next[index] ?? 0;
      if (lane.times[row] !== timeNs) return;
      const into = rows[index];
      if (into !== undefined) into[length] = row;
      next[index] = row + 1;
    });
    times[length] = timeNs;
    length += 1;
  }
  return {
    times: times.slice(0, length),
    lanes: lanes.map((lane, index) => gathered(lane, rows[index]?.subarray(0, length))),
  };
}

function sameTimes(left: BigInt64Array, right: BigInt64Array): boolean {
  return (
    left === right || (left.length === right.length && left.every((time, i) => time === right[i]))
  );
}

function earliest(
  lanes: readonly Lane[],
  next: readonly number[],
  descending: boolean,
): bigint | undefined {
  let found: bigint | undefined;
  lanes.forEach((lane, index) => {
    const time = lane.times[next[index] ?? 0];
    if (time === undefined) return;
    if (found === undefined || (descending ? time > found : time < found)) found = time;
  });
  return found;
}

function gathered(lane: Lane, rows: Int32Array = new Int32Array(0)): Lane {
  return {
    times: lane.times,
    values: gather(lane.values, rows),
    beside: lane.beside.map((column) => gather(column, rows)),
  };
}

/** Values that absent cells get where rows are put together: the number of fill(), or the last value of the series before them. */
export class Defaults {
  readonly #fill: Fill;
  readonly #last = new Map<number, PointValue>();

  constructor(fill: Fill) {
    this.#fill = fill;
  }

  /** A series begins: nothing stands before it. */
  reset(): void {
    this.#last.clear();
  }

  /** `column`, the `place`th of the rows, without absent cells where fill() says what stands there. */
  apply(column: PointColumn, place: number): PointColumn {
    const { kind } = this.#fill;
    if (kind !== "number" && kind !== "previous") return column;
    if (column.type === "null") return column;
    const count = column.values.length;
    if (this.#fill.kind === "number" && isAbsent(column)) {
      return { type: "float64", values: new Float64Array(count).fill(this.#fill.value) };
    }
    const builder = new ColumnBuilder(column.type, count);
    for (let row = 0; row < count; row += 1) {
      const value = valueAt(column, row);
      builder.push(value ?? this.#absent(place, column.type));
      if (kind === "previous" && value !== null) this.#last.set(place, value);
    }
    return builder.finish();
  }

  #absent(place: number, type: PointColumn["type"]): PointValue | null {
    if (this.#fill.kind === "number") {
      return type === "string" ? String(this.#fill.value) : this.#fill.value;
    }
    return this.#last.get(place) ?? null;
  }
}

/** Whether `column` is of texts or truth values, and has none. A number that fills it stays a number. */
function isAbsent(column: PointColumn): boolean {
  if (column.type === "string") return column.values.every((value) => value === null);
  return column.type === "boolean" && column.present?.includes(1) === false;
}
