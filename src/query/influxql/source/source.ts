/** Tables as points: what a SELECT reads of them, reduced by the engine where that gives the same. */
import type { TimeRange } from "#model/time-range.ts";
import type { Points } from "../points.ts";
import type { ResolvedSource, VariableInput } from "../resolved.ts";
import { piecesOf } from "./pieces.ts";
import { type Reading, readPlan } from "./reading.ts";
import { planRows } from "./rows.ts";

export type TableSource = Extract<ResolvedSource, { kind: "table" }>;

export interface RowRequest {
  readonly source: TableSource;
  readonly time: TimeRange;
  readonly dimensions: readonly string[];
  readonly descending: boolean;
  readonly variables: readonly VariableInput[];
  /** Of each series no more rows than this are looked at, from the first on; they may come all the same. */
  readonly rowsMax?: number | undefined;
}

/** The tables of one view. */
export class EnginePoints {
  readonly #reading: Reading;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Rejects as `Engine.query`. */
  async *raw(request: RowRequest): AsyncGenerator<Points> {
    const { dimensions, source } = request;
    const plan = planRows(request);
    if (plan === undefined) return;
    const fields = { name: source.name, dimensionCount: dimensions.length };
    yield* piecesOf(readPlan(plan, source.table, this.#reading), fields);
  }
}
