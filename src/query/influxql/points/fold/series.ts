import type { Points } from "../../points.ts";
import type { Output, OutputExpression, ResolvedSelect } from "../../resolved.ts";
import { checkHeld, type Lane, type Rows } from "../reduce/reducer.ts";
import type { PointColumn } from "../values/columns.ts";
import { type Cells, evaluate, withoutNaN } from "../values/evaluate.ts";
import type { Work } from "../values/work.ts";
import { Defaults, joined } from "./join.ts";
import type { LaneWork } from "./lanes.ts";
import { limited, Quota } from "./quota.ts";

/** What a row of an output costs. */
const EVALUATE_STEPS = 5;

export interface SeriesFoldOptions {
  readonly select: ResolvedSelect;
  readonly work: Work;
  readonly works: readonly LaneWork[];
  /** Lanes of names that the series' measurement has not, where fill() leaves them missing. */
  readonly unknown: ReadonlySet<number>;
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
  async add(rows: Rows): Promise<Omit<Points, "series" | "last"> | undefined> {
    for (const work of this.#options.works) work.add(rows);
    if (this.#streams) return this.#take(false);
    if (this.#options.works.some(({ streams }) => streams)) {
      this.#held += rows.times.length;
      checkHeld(this.#held, "A statement with several transformations of a field");
    }
    return undefined;
  }

  finish(): Promise<Omit<Points, "series" | "last">> {
    return this.#take(true);
  }

  async #take(end: boolean): Promise<Omit<Points, "series" | "last">> {
    const { select, works, work } = this.#options;
    const lanes: Lane[] = [];
    for (const [index, laneWork] of works.entries()) {
      const lane = await laneWork.take(end);
      const quota = this.#quotas[index];
      lanes.push(quota === undefined ? lane : limited(lane, quota));
    }
    const rows = await joined(lanes, { descending: select.descending, work });
    const cells = await this.#cells(rows.times.length, rows.lanes);
    const columns: PointColumn[] = [];
    for (const output of select.outputs) {
      columns.push(outputColumn(output, cells));
      await work.did(cells.rowCount * EVALUATE_STEPS);
    }
    return { times: rows.times, rowCount: cells.rowCount, columns };
  }

  async #cells(rowCount: number, lanes: readonly Lane[]): Promise<Cells> {
    const { besideOf, laneOf, unknown, work } = this.#options;
    const values: PointColumn[] = [];
    const beside: PointColumn[] = [];
    for (const [lane, { values: column }] of lanes.entries()) {
      values.push(
        unknown.has(lane)
          ? { type: "null" }
          : await this.#defaults.applyInTurns(column, lane, work),
      );
    }
    for (const column of lanes[0]?.beside ?? []) {
      beside.push(await this.#defaults.applyInTurns(column, lanes.length + beside.length, work));
    }
    return {
      rowCount,
      columnOf: (expression) =>
        (expression.kind === "beside"
          ? beside[besideOf(expression)]
          : values[laneOf.get(expression) ?? -1]) ?? { type: "null" },
    };
  }
}

export function outputColumn({ expression }: Output, cells: Cells): PointColumn {
  return withoutNaN(evaluate(expression, cells));
}
