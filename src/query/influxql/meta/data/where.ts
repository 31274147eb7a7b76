import { ALL_TIME, type TimeRange } from "#model/time-range.ts";
import type { Expression } from "../../ast.ts";
import { splitCondition } from "../../check/condition.ts";
import { type SeriesConditionRules, seriesCondition } from "./conditions.ts";
import type { RowsAsked } from "./meta-data.ts";

export interface WhereAsked extends RowsAsked {
  /** Whether WHERE says something of time. */
  readonly hasTime: boolean;
}

/** The series and times that WHERE names. Throws `invalid` / `influxql_refused`. */
export function whereAsked(
  where: Expression | undefined,
  nowNs: bigint,
  rules: SeriesConditionRules,
): WhereAsked {
  const { condition, ...times } = rowsWhere(where, nowNs);
  return { ...times, condition: condition && seriesCondition(condition, rules) };
}

/** The rows that WHERE takes, by their tags and fields. Throws `invalid` / `influxql_refused`. */
export function rowsWhere(where: Expression | undefined, nowNs: bigint): WhereAsked {
  const { rest, time } = splitCondition(where, { nowNs, zone: undefined });
  const { start = ALL_TIME.start, end = ALL_TIME.end } = time;
  const range: TimeRange = { start, end };
  return {
    time: range,
    hasTime: time.start !== undefined || time.end !== undefined,
    condition: rest,
  };
}
