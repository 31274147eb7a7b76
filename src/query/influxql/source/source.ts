/** Tables as points: what a SELECT reads of them, reduced by the engine where that gives the same. */
import { isKind } from "#base/errors.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { PointSource, ReduceRequest, RowRequest, SeriesRequest } from "../points/source.ts";
import type { Points } from "../points.ts";
import { piecesOf } from "./pieces.ts";
import { type Reading, readPlan } from "./reading.ts";
import { firstBuckets } from "./reduced/first-buckets.ts";
import { canReduce, planReduced } from "./reduced/plan.ts";
import { finishedPoints } from "./reduced/rows.ts";
import { planRows } from "./rows.ts";
import { distinctTags } from "./tags.ts";

/** The tables of one view. */
export class EnginePoints implements PointSource {
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

  canReduce(request: ReduceRequest): boolean {
    return canReduce(request);
  }

  /** Of a request that `canReduce`. Rejects as `Engine.query`. */
  async *reduced(request: ReduceRequest): AsyncGenerator<Points> {
    let given = false;
    try {
      for await (const points of this.#reduced(request, false)) {
        given = true;
        yield points;
      }
    } catch (error) {
      const overflow = isKind(error, "invalid") && error.code === "number_overflow";
      // The engine gives no row before all sums are there.
      if (!overflow || given) throw error;
      yield* this.#reduced(request, true);
    }
  }

  /** Rejects as `Engine.query`. */
  series({ dimensions, source }: SeriesRequest): AsyncIterable<ResultBatch> {
    const { condition, table } = source;
    return distinctTags({ table, tags: dimensions, time: ALL_TIME, condition }, this.#reading);
  }

  async *#reduced(request: ReduceRequest, wide: boolean): AsyncGenerator<Points> {
    const { dimensions, source } = request;
    const planned = planReduced(request, wide);
    if (planned === undefined) return;
    const fields = { name: source.name, dimensionCount: dimensions.length };
    const batches = readPlan(planned.plan, source.table, this.#reading, (plan) =>
      firstBuckets(plan, request),
    );
    const pieces = piecesOf(batches, fields);
    yield* finishedPoints(pieces, planned.parts);
  }
}
