import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import type { Expression, InfluxQlStatement, SelectStatement } from "../ast.ts";
import { checkGrouping } from "../check/dimensions.ts";
import { isTime } from "../check/expressions.ts";
import { parseInfluxQl } from "../parse/parse.ts";
import { Windows } from "../points/values/window.ts";
import { printSelect } from "../print/select.ts";
import { hasLoneWindows } from "./parts.ts";

/** Times of rows; `endNs` is excluded. */
export interface RunRange {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** Runs that nobody did in time are made up in one that is late, as far back as so many of them. */
const MADE_UP_COUNT_MAX = 100n;

const ANY_TIME = { start: TIME_MIN, end: TIME_MAX };
const TRUE: Expression = { kind: "boolean", value: true };

type Creation = Extract<InfluxQlStatement, { kind: "create_continuous_query" }>;

/** When a continuous query is run, and over which rows: as in InfluxDB 1.6. */
export class Schedule {
  /** Whether runs may be done in parts: rows of a window are the same whatever other windows the statement reads. */
  readonly hasLoneWindows: boolean;
  readonly #select: SelectStatement;
  /** The windows of its GROUP BY. */
  readonly #windows: Windows;
  readonly #intervalNs: bigint;
  readonly #everyNs: bigint;
  readonly #forNs: bigint;
  /** A run is due where one of these begins. */
  readonly #grid: Windows;

  private constructor(creation: Creation, window: { everyNs: bigint; offsetNs: bigint }) {
    const { resampleEveryNs, resampleForNs, select } = creation;
    const { everyNs: intervalNs, offsetNs } = window;
    this.hasLoneWindows = hasLoneWindows(select, window);
    this.#select = select;
    this.#intervalNs = intervalNs;
    this.#everyNs = resampleEveryNs || intervalNs;
    this.#forNs = resampleForNs || greater(intervalNs, this.#everyNs);
    this.#windows = new Windows(window, select.zone, ANY_TIME);
    this.#grid = new Windows({ everyNs: this.#everyNs, offsetNs }, select.zone, ANY_TIME);
  }

  /** Of the statement that creates it; undefined where that has no windows: such a query is never run. Throws as parsing it does. */
  static of(text: string): Schedule | undefined {
    const [parsed] = parseInfluxQl(text);
    if (parsed?.statement.kind !== "create_continuous_query") return undefined;
    const { zone } = parsed.statement.select;
    const { window } = checkGrouping(parsed.statement.select, { nowNs: 0n, zone });
    return window && new Schedule(parsed.statement, window);
  }

  /** The time of the newest run that is due. */
  dueAt(nowNs: bigint): bigint {
    return this.#grid.bucketAt(nowNs).start;
  }

  /** The time of the run behind that of `dueNs`. */
  after(dueNs: bigint): bigint {
    return this.#grid.bucketAt(dueNs).end;
  }

  /**
   * What the run of `dueNs` reads, if that of `doneNs` was the last one; a first one, at `nowNs`, reads what one that was always there
   * would read by then. Its end is not behind its start where there is nothing to do.
   */
  rangeOf(dueNs: bigint, doneNs: bigint | undefined, nowNs: bigint): RunRange {
    const next = doneNs === undefined ? nowNs : this.after(doneNs);
    const complete = this.#intervalNs - lesser(this.#everyNs, this.#intervalNs);
    return {
      startNs: greater(this.#startOf(next), this.oldestStart(dueNs)),
      endNs: this.#windows.bucketAt(dueNs + complete).start,
    };
  }

  /** Before this the run of `dueNs` makes up nothing. */
  oldestStart(dueNs: bigint): bigint {
    return this.#startOf(dueNs - MADE_UP_COUNT_MAX * this.#everyNs);
  }

  /** The statements of one run, in order of time: of as many parts as are asked for, each of whole windows. */
  *statementsOf({ endNs, startNs }: RunRange, partCount: number): Generator<string> {
    const partNs = (endNs - startNs) / BigInt(partCount);
    for (let start = startNs; start < endNs; ) {
      // No part is empty: one begins where a window does.
      const end = lesser(this.#windows.bucketAt(start + partNs).end, endNs);
      yield this.#statementOf({ startNs: start, endNs: end });
      start = end;
    }
  }

  /** Whatever else the query says of the time does not count. */
  #statementOf({ startNs, endNs }: RunRange): string {
    const { where } = this.#select;
    const from = comparison(">=", startNs);
    const to = comparison("<", endNs);
    if (where === undefined) return printSelect({ ...this.#select, where: both(from, to) });
    const rest = { kind: "parenthesized", expression: withoutTime(where) } as const;
    return printSelect({ ...this.#select, where: both(both(rest, from), to) });
  }

  #startOf(dueNs: bigint): bigint {
    return this.#windows.bucketAt(dueNs + this.#intervalNs - this.#forNs - 1n).start;
  }
}

function comparison(operator: ">=" | "<", value: bigint): Expression {
  const time = { kind: "variable", name: "time", cast: undefined } as const;
  return { kind: "binary", operator, left: time, right: { kind: "integer", value } };
}

function both(left: Expression, right: Expression): Expression {
  return { kind: "binary", operator: "AND", left, right };
}

/** `condition` with each comparison of the time taken for true. */
function withoutTime(condition: Expression): Expression {
  switch (condition.kind) {
    case "parenthesized":
      return { ...condition, expression: withoutTime(condition.expression) };
    case "binary": {
      const { left, operator, right } = condition;
      if (operator === "AND" || operator === "OR")
        return { ...condition, left: withoutTime(left), right: withoutTime(right) };
      return isTime(left) || isTime(right) ? TRUE : condition;
    }
    default:
      return condition;
  }
}

function greater(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function lesser(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
