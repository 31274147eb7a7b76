import type { Fill } from "../../ast.ts";
import { checkHeld, type Lane } from "../reduce/reducer.ts";
import {
  ColumnBuilder,
  gatherInTurns,
  type PointColumn,
  type PointValue,
  RowBuilder,
  TimeBuilder,
  valueAt,
} from "../values/columns.ts";
import type { Work } from "../values/work.ts";

/** What it takes to look at the next row of a lane. */
const LANE_STEPS = 5;

/** Rows of several lanes: one for each time that one of them has, of each lane its next row of that time. */
export interface Joined {
  readonly times: BigInt64Array;
  readonly lanes: readonly Lane[];
}

export async function joined(
  lanes: readonly Lane[],
  { descending, work }: { readonly descending: boolean; readonly work: Work },
): Promise<Joined> {
  const [first] = lanes;
  if (first === undefined || (await allSameTimes(lanes, first.times, work))) {
    return { times: first?.times ?? new BigInt64Array(0), lanes };
  }
  const times = new TimeBuilder();
  const rows = lanes.map(() => new RowBuilder());
  const next = lanes.map(() => 0);
  for (;;) {
    const timeNs = earliest(lanes, next, descending);
    if (timeNs === undefined) break;
    lanes.forEach((lane, index) => {
      const row = next[index] ?? 0;
      const has = lane.times[row] === timeNs;
      rows[index]?.push(has ? row : -1);
      if (has) next[index] = row + 1;
    });
    times.push(timeNs);
    checkHeld(times.count * lanes.length, "A statement of several calls");
    const pause = work.did(LANE_STEPS * lanes.length);
    if (pause !== undefined) await pause;
  }
  const whole: Lane[] = [];
  for (const [index, lane] of lanes.entries()) {
    whole.push(await gathered(lane, rows[index]?.finish() ?? new Int32Array(0), work));
  }
  return { times: times.finish(), lanes: whole };
}

async function allSameTimes(
  lanes: readonly Lane[],
  times: BigInt64Array,
  work: Work,
): Promise<boolean> {
  for (const lane of lanes) {
    if (lane.times === times) continue;
    if (lane.times.length !== times.length) return false;
    let same = true;
    await work.inBlocks(times.length, (start, end) => {
      for (let row = start; row < end && same; row += 1) same = lane.times[row] === times[row];
    });
    if (!same) return false;
  }
  return true;
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

async function gathered(lane: Lane, rows: Int32Array, work: Work): Promise<Lane> {
  const values = await gatherInTurns(lane.values, rows, work);
  const beside: PointColumn[] = [];
  for (const column of lane.beside) beside.push(await gatherInTurns(column, rows, work));
  return { times: lane.times, values, beside };
}

/** Values that absent cells get where rows are put together: the number of fill(), or the last value of the series before them. */
export class Defaults {
  readonly #fill: Fill;
  readonly #last = new Map<number, PointValue>();

  constructor(fill: Fill) {
    this.#fill = fill;
  }

  /** As `apply`; others have their turn behind it. */
  async applyInTurns(column: PointColumn, place: number, work: Work): Promise<PointColumn> {
    const applied = this.apply(column, place);
    if (applied !== column && applied.type !== "null") await work.did(applied.values.length * 10);
    return applied;
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
