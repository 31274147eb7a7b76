import type { Plan } from "#model/query/plan.ts";
import { type ResultBatch, sizeOfBatch } from "#model/query/result.ts";
import type { PlannedSteps } from "./plan/plan.ts";

type RunPlan = (plan: Plan) => AsyncIterable<ResultBatch>;

/** What a step gives is held up to this; larger answers are not worth holding, and come from the whole plan. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;

/** The rows of a plan: those of the first earlier step that gives enough, which are held until that is known; else of all there is. */
export function inSteps(steps: PlannedSteps, run: RunPlan): AsyncIterable<ResultBatch> {
  return steps.earlier.length === 0 ? run(steps.plan) : oneAfterOther(steps, run);
}

async function* oneAfterOther(
  { earlier, plan, rowCount }: PlannedSteps,
  run: RunPlan,
): AsyncGenerator<ResultBatch> {
  for (const step of earlier) {
    const batches = await findHeld(run(step));
    if (batches === undefined) break;
    const count = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
    if (count < rowCount) continue;
    yield* batches;
    return;
  }
  yield* run(plan);
}

/** All of `batches`; undefined where they are more than HELD_BYTES_MAX. */
async function findHeld(
  batches: AsyncIterable<ResultBatch>,
): Promise<readonly ResultBatch[] | undefined> {
  const held: ResultBatch[] = [];
  let sizeBytes = 0;
  for await (const batch of batches) {
    sizeBytes += sizeOfBatch(batch);
    if (sizeBytes > HELD_BYTES_MAX) return undefined;
    held.push(batch);
  }
  return held;
}
