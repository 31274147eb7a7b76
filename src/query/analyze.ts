import { assert } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { Clock } from "#ports/clock.ts";

/**
 * EXPLAIN ANALYZE: takes all of `batches`, and gives the rows of `explanation`, which are texts, with one more that says what that took.
 * `startMs` is when planning began.
 */
export async function* analyzed(
  explanation: Plan,
  batches: AsyncIterable<ResultBatch>,
  clock: Pick<Clock, "monotonicMs">,
  startMs: number,
): AsyncGenerator<ResultBatch> {
  assert(explanation.kind === "values", "an explanation is rows of texts");
  const plannedMs = clock.monotonicMs();
  let firstMs: number | undefined;
  let rowCount = 0;
  let batchCount = 0;
  for await (const batch of batches) {
    firstMs ??= clock.monotonicMs();
    rowCount += batch.rowCount;
    batchCount += 1;
  }
  const endMs = clock.monotonicMs();
  const measured = [
    `output_rows=${rowCount}`,
    `output_batches=${batchCount}`,
    `planning=${shownMs(plannedMs - startMs)}`,
    `first_rows=${shownMs((firstMs ?? endMs) - plannedMs)}`,
    `elapsed=${shownMs(endMs - plannedMs)}`,
  ];
  const rows = explanation.rows.map((row) =>
    row.map((cell) =>
      cell.kind === "literal" && typeof cell.value === "string" ? cell.value : "",
    ),
  );
  rows.push(["Plan with Metrics", measured.join(", ")]);
  yield {
    rowCount: rows.length,
    columns: explanation.fields.map((_, index) => {
      return { type: "string", values: rows.map((row) => row[index] ?? "") };
    }),
  };
}

function shownMs(durationMs: number): string {
  return `${durationMs.toFixed(3)}ms`;
}
