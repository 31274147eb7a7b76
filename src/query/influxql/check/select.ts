import { TIME_MAX, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import type { Expression, MeasurementSource, SelectField, SelectStatement } from "../ast.ts";
import type { TimeWindow } from "../resolved.ts";
import { bothBounds, splitCondition, type TimeBounds } from "./condition.ts";
import { checkGrouping, type Grouping } from "./dimensions.ts";
import { refused } from "./errors.ts";
import { checkFields } from "./fields.ts";
import type { Constants } from "./fold-constants.ts";

/** A SELECT that 1.x would answer whatever the data is; its names are not looked up yet. */
export interface CheckedSelect {
  readonly statement: SelectStatement;
  /** Without `time`; constants are computed. */
  readonly fields: readonly SelectField[];
  readonly timeName: string;
  /** Whether a function of many rows is among the fields. */
  readonly hasCalls: boolean;
  readonly from: readonly CheckedSource[];
  /** WHERE without what it says of time. */
  readonly condition: Expression | undefined;
  readonly time: TimeRange;
  /** What its WHERE alone says of time. */
  readonly ownTime: TimeRange;
  readonly groupBy: Grouping["tags"];
  /** Also that of the statement around it, where it has none of its own. */
  readonly window: TimeWindow | undefined;
  /** That of the outermost statement. */
  readonly descending: boolean;
}

export type CheckedSource =
  | MeasurementSource
  | { readonly kind: "subquery"; readonly select: CheckedSelect };

/** What a subquery takes over from the statement around it. */
interface Surroundings {
  readonly time: TimeBounds;
  readonly window: TimeWindow | undefined;
  readonly descending: boolean;
  /** False: there is none around it. */
  readonly isSubquery: boolean;
}

/** Throws `invalid` / `influxql_refused` with 1.x's text for what 1.x refuses before it looks at data. */
export function checkSelect(statement: SelectStatement, nowNs: bigint): CheckedSelect {
  const time = { start: undefined, end: undefined };
  const { descending } = statement;
  return check(statement, nowNs, { time, window: undefined, descending, isSubquery: false });
}

function check(statement: SelectStatement, nowNs: bigint, around: Surroundings): CheckedSelect {
  const { zone } = statement;
  const constants: Constants = { nowNs, zone };
  const condition = splitCondition(statement.where, constants);
  const grouping = checkGrouping(statement, constants);
  // One that does not say it follows the statement around it.
  const { descending } = around;
  if (statement.descending && !descending)
    throw refused("subqueries must be ordered in the same direction as the query itself");
  const window = grouping.window ?? around.window;
  const windowInherited = window !== undefined && grouping.window === undefined;
  const { isSubquery } = around;
  const hasWindow = window !== undefined;
  const checked = checkFields(statement, { hasWindow, windowInherited, isSubquery });
  const bounds = bothBounds(condition.time, around.time);
  const hasCalls = checked.facts.callCount > 0;
  // Windows end now, where nothing else is said.
  const end = bounds.end ?? (window !== undefined && hasCalls ? nowNs : undefined);
  const time = { start: bounds.start, end };
  const inner: Surroundings = { time, window, descending, isSubquery: true };
  return {
    statement,
    fields: checked.fields,
    timeName: checked.timeName,
    hasCalls,
    from: statement.from.map((source) =>
      source.kind === "measurement"
        ? source
        : { kind: "subquery", select: check(source.select, nowNs, inner) },
    ),
    condition: condition.rest,
    time: { start: bounds.start ?? TIME_MIN, end: end ?? TIME_MAX },
    ownTime: { start: condition.time.start ?? TIME_MIN, end: condition.time.end ?? TIME_MAX },
    groupBy: grouping.tags,
    window,
    descending,
  };
}
