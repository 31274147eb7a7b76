import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { PlannedSteps } from "./plan/plan.ts";

type RunPlan = (plan: Plan) => AsyncIterable<ResultBatch>;

/** The rows of a plan: those of the first earlier step that gives enough, which are held until that is known; else of all there is. */
export function inSteps(steps: PlannedSteps, run: RunPlan): AsyncIterable<ResultBatch> {
  return steps.earlier.length === 0 ? run(steps.plan) : oneAfterOther(steps, run);
}

async function* oneAfterOther(
  { earlier, plan, rowCount }: PlannedSteps,
  run: RunPlan,
): AsyncGenerator<ResultBatch> {
  for (const step of earlier) {
    const batches = await Array.fromAsync(run(step));
    const count = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
    if (count < rowCount) continue;
    yield* batches;
    return;
  }
  yield* run(plan);
}
