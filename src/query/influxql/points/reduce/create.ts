import { assert } from "#base/errors.ts";
import type { Random } from "#ports/random.ts";
import type { ReducerInput, VariableInput } from "../../resolved.ts";
import { CountDistinct, Distinct, Median, Mode, Percentile } from "./lists.ts";
import { Best, Sample } from "./many.ts";
import type { Reducer } from "./reducer.ts";
import { Edge, Extreme } from "./selectors.ts";
import { Count, Spread, Stddev, Sum } from "./sums.ts";

export interface ReducerContext {
  /** Where each variable stands among the columns that are read. */
  indexOf(variable: VariableInput): number;
  readonly random: Random;
}

export function createReducer(input: ReducerInput, context: ReducerContext): Reducer {
  const index = context.indexOf(input.argument);
  const count = input.parameter ?? 0;
  switch (input.name) {
    case "count":
      return input.distinct ? new CountDistinct(index) : new Count(index);
    case "sum":
    case "mean":
      return new Sum(index, input.name === "mean");
    case "stddev":
      return new Stddev(index);
    case "spread":
      return new Spread(index);
    case "median":
      return new Median(index);
    case "mode":
      return new Mode(index);
    case "min":
    case "max":
      return new Extreme(index, input.name === "min");
    case "first":
    case "last":
      return new Edge(index, input.name === "first");
    case "percentile":
      return new Percentile(index, count);
    case "distinct":
      return new Distinct(index);
    case "sample":
      return new Sample(index, count, context.random);
    case "top":
    case "bottom": {
      const keys = input.keys.map((key) => context.indexOf(key));
      return new Best({ index, keys, count, least: input.name === "bottom" });
    }
    case "integral":
      assert(false, "integral reads beyond its bucket");
  }
}
