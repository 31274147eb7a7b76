/** What a plan over one table is run with: a view of the files and the buffer, and an engine. */
import type { Plan, SourceGroup } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { TableSchema } from "#model/schema.ts";
import { intersection, type TimeRange } from "#model/time-range.ts";
import { type FirstByTime, firstByTime, withScan } from "../../plan/optimize/first-by-time.ts";
import { pruned } from "../../plan/optimize/prune.ts";
import { pushed } from "../../plan/optimize/push.ts";
import { withSources } from "../../plan/optimize/sources.ts";
import { inSteps } from "../../steps.ts";

/** One view, and what runs plans over it. */
export interface Reading {
  /** Rows of other times are past their retention. */
  kept(table: TableSchema): TimeRange;
  /** What holds the rows of `table` in `time`. Throws `exceeded` / `query_file_limit`. */
  sources(table: TableSchema, time: TimeRange): readonly SourceGroup[];
  /** Rejects as `Engine.query`. */
  run(plan: Plan): AsyncIterable<ResultBatch>;
}

/** What of a plan that has its sources may be read first, and give the whole answer. */
type FirstRead = (plan: Plan) => FirstByTime | undefined;

/**
 * The rows of `plan`, which scans `table` alone: conditions are put down, and where `firstRead` knows of times that may be enough, these are
 * read before all is.
 */
export function readPlan(
  plan: Plan,
  table: TableSchema,
  reading: Reading,
  firstRead: FirstRead = firstByTime,
): AsyncIterable<ResultBatch> {
  const wanted = withinKept(pruned(pushed(plan)), reading.kept(table));
  const sourced = (one: Plan) => withSources(one, ({ time }) => reading.sources(table, time));
  const whole = sourced(wanted);
  const first = firstRead(whole);
  const run = (step: Plan) => reading.run(step);
  if (first === undefined) return run(whole);
  const { rowCount, scan, times } = first;
  const earlier = times.map((time) => sourced(withScan(whole, { ...scan, time, groups: [] })));
  return inSteps({ plan: whole, earlier, rowCount }, run);
}

function withinKept(plan: Plan, kept: TimeRange): Plan {
  switch (plan.kind) {
    case "scan": {
      const time = intersection(plan.time, kept);
      if (time === undefined) return { kind: "values", fields: plan.fields, rows: [] };
      return { ...plan, time };
    }
    case "filter":
    case "sort":
    case "limit":
    case "distinct_on":
    case "aggregate":
    case "project":
      return { ...plan, input: withinKept(plan.input, kept) };
    default:
      return plan;
  }
}
