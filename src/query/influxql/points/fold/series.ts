import type { Points } from "../../points.ts";
import type { Output, OutputExpression, ResolvedSelect } from "../../resolved.ts";
import { checkHeld, type Lane, type Rows } from "../reduce/reducer.ts";
import type { PointColumn } from "../values/columns.ts";
import { type Cells, evaluate, withoutNaN } from "../values/evaluate.ts";
import { Defaults, joined } from "./join.ts";
import type { LaneWork } from "./lanes.ts";
import { limited, Quota } from "./quota.ts";

export interface SeriesFoldOptions {
  readonly select: ResolvedSelect;
  readonly works: readonly LaneWork[];
  /** Which lane an input or transformation of the outputs is. */
  readonly laneOf: ReadonlyMap<OutputExpression, number>;
  /** Where what stands beside the selector is among its columns. */
  readonly besideOf: (expression: OutputExpression) => number;
}

/** Makes the rows of one series of the rows that are read. */
export class SeriesFold {
  readonly #options: SeriesFoldOptions;
  readonly #quotas: readonly Quota[];
  readonly #defaults: Defaults;
  readonly #streams: boolean;
  #held = 0;

  constructor(options: SeriesFoldOptions) {
    this.#options = options;
    this.#quotas = options.works.map(() => new Quota(options.select));
    this.#defaults = new Defaults(options.select.fill);
    this.#streams = options.works.length === 1 && options.works.every(({ streams }) => streams);
  }

  /** Whether LIMIT leaves nothing more to come. */
  get spent(): boolean {
    return this.#streams && this.#quotas.every(({ spent }) => spent);
  }

  /** Rows that are there by now. */
  add(rows: Rows): Omit<Points, "series" | "last"> | undefined {
    for (const work of this.#options.works) work.add(rows);
    if (this.#streams) return this.#take(false);
    if (this.#options.works.some(({ streams }) => streams)) {
      this.#held += rows.times.length;
      checkHeld(this.#held, "A statement with several transformations of a field");
    }
    return undefined;
  }

  finish(): Omit<Points, "series" | "last"> {
    return this.#take(true);
  }

  #take(end: boolean): Omit<Points, "series" | "last"> {
    const { select, works } = this.#options;
    const lanes = works.map((work, index) => {
      const lane = work.take(end);
      const quota = this.#quotas[index];
      return quota === undefined ? lane : limited(lane, quota);
    });
    const rows = joined(lanes, select.descending);
    const cells = this.#cells(rows.times.length, rows.lanes);
    return {
      times: rows.times,
      rowCount: cells.rowCount,
      columns: outputColumns(select.outputs, cells),
    };
  }

  #cells(rowCount: number, lanes: readonly Lane[]): Cells {
    const { laneOf, besideOf } = this.#options;
    const values = lanes.map((lane, index) => this.#defaults.apply(lane.values, index));
    const beside = (lanes[0]?.beside ?? []).map((column, index) =>
      this.#defaults.apply(column, lanes.length + index),
    );
    return {
      rowCount,
      columnOf: (expression) =>
        (expression.kind === "beside"
          ? beside[besideOf(expression)]
          : values[laneOf.get(expression) ?? -1]) ?? { type: "null" },
    };
  }
}

export function outputColumns(outputs: readonly Output[], cells: Cells): readonly PointColumn[] {
  return outputs.map(({ expression }) => withoutNaN(evaluate(expression, cells)));
}
