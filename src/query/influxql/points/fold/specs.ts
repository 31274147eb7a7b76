import { assert } from "#base/errors.ts";
import { TIME_MAX, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import type {
  OutputExpression,
  ReducerInput,
  ResolvedSelect,
  VariableInput,
} from "../../resolved.ts";
import type { TransformExpression } from "../transform/transform.ts";

/** One call of a SELECT: rows reduced, or as they are; then transformed. */
export interface LaneSpec {
  /** Undefined: a transformation of rows as they are. */
  readonly reducer: ReducerInput | undefined;
  /** What is reduced or transformed. */
  readonly argument: VariableInput;
  /** In the order in which they work. */
  readonly transforms: readonly TransformExpression[];
  /** The time of the rows that are read: with buckets before that of the SELECT where a transformation reads them. */
  readonly time: TimeRange;
}

/** Lanes of a SELECT, and which one each call of its outputs is. */
export interface LaneSpecs {
  readonly lanes: readonly LaneSpec[];
  readonly laneOf: ReadonlyMap<OutputExpression, number>;
}

/** Transformations that read the bucket before the first. */
const LOOK_BACK: ReadonlySet<string> = new Set([
  "derivative",
  "non_negative_derivative",
  "difference",
  "non_negative_difference",
  "moving_average",
  "elapsed",
]);

export function laneSpecs(select: ResolvedSelect): LaneSpecs {
  const lanes: LaneSpec[] = [];
  const laneOf = new Map<OutputExpression, number>();
  const known = new Map<string, number>();
  const visit = (expression: OutputExpression): void => {
    switch (expression.kind) {
      case "binary":
        visit(expression.left);
        visit(expression.right);
        return;
      case "math":
        for (const argument of expression.arguments) visit(argument);
        return;
      case "input":
      case "transform": {
        const key = textOf(expression);
        const index = known.get(key) ?? lanes.push(specOf(select, expression)) - 1;
        known.set(key, index);
        laneOf.set(expression, index);
        return;
      }
      default:
    }
  };
  for (const { expression } of select.outputs) visit(expression);
  return { lanes, laneOf };
}

/** Lanes of `select` that fill() leaves missing in series of the measurement `name`, as nothing there has the name of what they reduce. */
export function unknownLanes(
  { fillsUnknown, sources }: ResolvedSelect,
  lanes: readonly LaneSpec[],
  name: string,
): ReadonlySet<number> {
  if (fillsUnknown) return new Set();
  const isKnown = ({ argument }: LaneSpec): boolean =>
    sources.some((source) =>
      source.kind === "table"
        ? source.name === name &&
          source.table.columns.some((column) => column.name === argument.name)
        : source.types.has(argument.name),
    );
  return new Set(lanes.flatMap((lane, index) => (isKnown(lane) ? [] : [index])));
}

function textOf(expression: OutputExpression): string {
  return JSON.stringify(expression, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
}

function specOf(select: ResolvedSelect, expression: OutputExpression): LaneSpec {
  const transforms: TransformExpression[] = [];
  let inner = expression;
  while (inner.kind === "transform") {
    transforms.unshift(inner);
    inner = inner.argument;
  }
  assert(inner.kind === "input", "a transformation of something that is no input");
  const input = select.inputs[inner.index];
  assert(input !== undefined, "an output of an input that is not there");
  const reducer = input.kind === "reducer" ? input : undefined;
  const argument = input.kind === "reducer" ? input.argument : input;
  return { reducer, argument, transforms, time: widened(select, transforms) };
}

function widened(select: ResolvedSelect, transforms: readonly TransformExpression[]): TimeRange {
  const back = transforms.filter(({ name }) => LOOK_BACK.has(name)).length;
  const byNs = (select.window?.everyNs ?? 0n) * BigInt(back);
  return select.descending
    ? { start: select.time.start, end: bounded(select.time.end + byNs) }
    : { start: bounded(select.time.start - byNs), end: select.time.end };
}

function bounded(timeNs: bigint): bigint {
  if (timeNs < TIME_MIN) return TIME_MIN;
  return timeNs > TIME_MAX ? TIME_MAX : timeNs;
}
