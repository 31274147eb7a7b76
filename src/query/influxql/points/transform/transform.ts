/** What makes of values by time others: each reads the values before. */
import { assert } from "#base/errors.ts";
import type { OutputExpression } from "../../resolved.ts";
import { checkHeld, type LaneBuilder } from "../reduce/reducer.ts";
import type { ColumnType } from "../values/columns.ts";
import type { Windows } from "../values/window.ts";
import type { Work } from "../values/work.ts";
import { HoltWinters } from "./holt-winters.ts";

export type TransformExpression = Extract<OutputExpression, { readonly kind: "transform" }>;

export interface Transform {
  readonly type: ColumnType;
  /** Takes in the next value, in the order of rows; appends to `output` what it gives. */
  add(timeNs: bigint, value: number | bigint, output: LaneBuilder): void;
  /** The series has no more values. A promise where that takes long: nothing is added until it resolves. */
  finish(output: LaneBuilder): Promise<void> | undefined;
}

export interface TransformContext {
  readonly windows: Windows;
  readonly descending: boolean;
  readonly work: Work;
}

/** Transformation `expression` of values of type `type`. */
export function createTransform(
  expression: TransformExpression,
  type: ColumnType,
  { windows, descending, work }: TransformContext,
): Transform {
  const [first, second] = expression.parameters;
  const everyNs = windows.window?.everyNs;
  switch (expression.name) {
    case "derivative":
    case "non_negative_derivative":
      return new Derivative({
        unitNs: unitOf(first),
        descending,
        nonNegative: expression.name !== "derivative",
      });
    case "difference":
    case "non_negative_difference":
      return new Difference(type, expression.name !== "difference");
    case "moving_average":
      return new MovingAverage(Number(first));
    case "cumulative_sum":
      return new CumulativeSum(type);
    case "elapsed":
      return new Elapsed(unitOf(first));
    case "holt_winters":
    case "holt_winters_with_fit":
      assert(everyNs !== undefined, "holt_winters without a window");
      return new HoltWinters({
        horizon: Number(first),
        season: Number(second),
        everyNs,
        withFit: expression.name === "holt_winters_with_fit",
        work,
      });
  }
}

function unitOf(parameter: bigint | number | undefined): bigint {
  assert(parameter !== undefined, "a change by time has a unit");
  return BigInt(parameter);
}

interface DerivativeOptions {
  readonly unitNs: bigint;
  readonly descending: boolean;
  readonly nonNegative: boolean;
}

interface TimedValue {
  readonly timeNs: bigint;
  readonly value: number | bigint;
}

/** The change by unit of time. Of several values of one time the first counts. */
class Derivative implements Transform {
  readonly type = "float64";
  readonly #options: DerivativeOptions;
  #previous: TimedValue | undefined;

  constructor(options: DerivativeOptions) {
    this.#options = options;
  }

  add(timeNs: bigint, value: number | bigint, output: LaneBuilder): void {
    const previous = this.#previous;
    if (previous?.timeNs === timeNs) return;
    this.#previous = { timeNs, value };
    if (previous === undefined) return;
    const { unitNs, descending, nonNegative } = this.#options;
    const change = Number(minus(value, previous.value));
    if (nonNegative && change < 0) return;
    const passedNs = descending ? previous.timeNs - timeNs : timeNs - previous.timeNs;
    output.bucketTime = timeNs;
    output.pushValue(change / (Number(passedNs) / Number(unitNs)));
  }

  finish(): undefined {}
}

/** The change. Of several values of one time the first counts. */
class Difference implements Transform {
  readonly type: ColumnType;
  readonly #nonNegative: boolean;
  #previous: TimedValue | undefined;

  constructor(type: ColumnType, nonNegative: boolean) {
    this.type = type;
    this.#nonNegative = nonNegative;
  }

  add(timeNs: bigint, value: number | bigint, output: LaneBuilder): void {
    const previous = this.#previous;
    if (previous?.timeNs === timeNs) return;
    this.#previous = { timeNs, value };
    if (previous === undefined) return;
    const change = minus(value, previous.value);
    const wrapped =
      typeof change === "bigint" && this.type === "int64" ? BigInt.asIntN(64, change) : change;
    if (this.#nonNegative && wrapped < 0) return;
    output.bucketTime = timeNs;
    output.pushValue(wrapped);
  }

  finish(): undefined {}
}

function minus(left: number | bigint, right: number | bigint): number | bigint {
  return typeof left === "bigint" && typeof right === "bigint"
    ? left - right
    : Number(left) - Number(right);
}

/** The mean of the last so many values. */
class MovingAverage implements Transform {
  readonly type = "float64";
  readonly #size: number;
  readonly #kept: (number | bigint)[] = [];
  #next = 0;
  #sum = 0;
  #whole = 0n;

  constructor(size: number) {
    this.#size = size;
  }

  add(timeNs: bigint, value: number | bigint, output: LaneBuilder): void {
    const oldest = this.#kept[this.#next];
    if (typeof value === "bigint") {
      const left = typeof oldest === "bigint" ? oldest : 0n;
      this.#whole = BigInt.asIntN(64, this.#whole + value - left);
    } else {
      this.#sum += oldest === undefined ? value : value - Number(oldest);
    }
    this.#kept[this.#next] = value;
    checkHeld(this.#kept.length, "moving_average()");
    this.#next = (this.#next + 1) % this.#size;
    if (this.#kept.length < this.#size) return;
    output.bucketTime = timeNs;
    output.pushValue((typeof value === "bigint" ? Number(this.#whole) : this.#sum) / this.#size);
  }

  finish(): undefined {}
}

/** The sum of all values so far, of whole numbers modulo 2^64. */
class CumulativeSum implements Transform {
  readonly type: ColumnType;
  #float = 0;
  #whole = 0n;

  constructor(type: ColumnType) {
    this.type = type;
  }

  add(timeNs: bigint, value: number | bigint, output: LaneBuilder): void {
    output.bucketTime = timeNs;
    if (typeof value === "bigint") {
      const total = this.#whole + value;
      this.#whole = this.type === "uint64" ? BigInt.asUintN(64, total) : BigInt.asIntN(64, total);
      output.pushValue(this.#whole);
    } else {
      this.#float += value;
      output.pushValue(this.#float);
    }
  }

  finish(): undefined {}
}

/** Whole units of time since the value before. */
class Elapsed implements Transform {
  readonly type = "int64";
  readonly #unitNs: bigint;
  #previousNs: bigint | undefined;

  constructor(unitNs: bigint) {
    this.#unitNs = unitNs;
  }

  add(timeNs: bigint, _value: number | bigint, output: LaneBuilder): void {
    const previousNs = this.#previousNs;
    this.#previousNs = timeNs;
    if (previousNs === undefined) return;
    output.bucketTime = timeNs;
    output.pushValue((timeNs - previousNs) / this.#unitNs);
  }

  finish(): undefined {}
}
