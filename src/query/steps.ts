import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import type { PlannedSteps } from "./plan/plan.ts";

type RunPlan = (plan: Plan) => AsyncIterable<ResultBatch>;

/** What a step gives is held up to this; larger answers are not worth holding, and come from the whole plan. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** About what a value takes that is not in a typed array, beside its text or bytes. */
const VALUE_BYTES = 16;

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
    sizeBytes += batch.text?.length ?? 0;
    for (const column of batch.columns) sizeBytes += sizeOfColumn(column);
    if (sizeBytes > HELD_BYTES_MAX) return undefined;
    held.push(batch);
  }
  return held;
}

function sizeOfColumn(column: ResultColumn): number {
  switch (column.type) {
    case "null":
      return 0;
    case "string":
    case "binary": {
      let sizeBytes = column.values.length * VALUE_BYTES;
      for (const value of column.values) sizeBytes += value?.length ?? 0;
      return sizeBytes;
    }
    case "interval":
    case "decimal":
      return column.values.length * VALUE_BYTES;
    case "list":
      return column.offsets.byteLength + sizeOfColumn(column.items);
    case "struct":
      return column.members.reduce((sum, member) => sum + sizeOfColumn(member), 0);
    case "map":
      return column.offsets.byteLength + sizeOfColumn(column.keys) + sizeOfColumn(column.values);
    default:
      return column.values.byteLength;
  }
}
