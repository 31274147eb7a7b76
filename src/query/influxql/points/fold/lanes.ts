import { assert } from "#base/errors.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { Random } from "#ports/random.ts";
import type { ReducerInput, ResolvedSelect, TimeWindow, VariableInput } from "../../resolved.ts";
import { createReducer } from "../reduce/create.ts";
import {
  type BesideColumn,
  type Lane,
  LaneBuilder,
  type Reducer,
  type Rows,
} from "../reduce/reducer.ts";
import { Integral } from "../transform/integral.ts";
import { createTransform, type Transform } from "../transform/transform.ts";
import { columnType, type PointColumn, sliceColumn, valueAt } from "../values/columns.ts";
import { bucketEnd, holds, Windows } from "../values/window.ts";
import type { Work } from "../values/work.ts";
import { filled } from "./fill.ts";
import type { LaneSpec } from "./specs.ts";

/** What lanes of a SELECT have in common. */
export interface LaneContext {
  readonly select: ResolvedSelect;
  /** Where each variable stands among the columns that are read. */
  indexOf(variable: VariableInput): number;
  readonly beside: readonly BesideColumn[];
  /** Whether the one call is a selector, and rows are those that it chose. */
  readonly selector: boolean;
  readonly random: Random;
  readonly work: Work;
  /** How many columns a series has at the same time: lanes with what stands beside them, or outputs. */
  readonly columnCount: number;
  /** What sources are asked for. Lanes of a shorter time leave out what lies around it. */
  readonly readTime: TimeRange;
}

/** What the works of one lane share, series after series. */
export interface LaneEnd {
  /** Whether nothing is made of all rows that come: one lay outside of the time of WHERE, or two buckets in turn, or the first, had too few values. */
  reached: boolean;
  /** Whether the last bucket had too few values, or there was none. */
  hadTooFew: boolean;
  /** Whether the lane is the only one; beside others it goes on whatever its buckets have. */
  readonly alone: boolean;
}

/** One call at work on one series. */
export interface LaneWork {
  /** Whether `take` gives something before the end. */
  readonly streams: boolean;
  add(rows: Rows): void;
  /** What there is so far; at the end all the rest. */
  take(end: boolean): Promise<Lane>;
}

/** Work of lane `spec` on rows as they are stored. */
export function rowWork(spec: LaneSpec, context: LaneContext, end: LaneEnd): LaneWork {
  const { reducer } = spec;
  if (reducer === undefined || reducer.name === "integral") return new StreamWork(spec, context);
  return new ReduceWork(spec, reducer, context, end);
}

/** Work of lane `spec` on rows that the source has reduced: column `index`, and beside it those behind. */
export function reducedWork(spec: LaneSpec, index: number, context: LaneContext): LaneWork {
  assert(spec.reducer !== undefined, "rows are reduced for a lane that reduces none");
  return new ReducedWork(spec, spec.reducer, index, context);
}

function windowsOf(spec: LaneSpec, { select }: LaneContext): Windows {
  return new Windows(select.window, select.zone, spec.time);
}

/** The rows that are of a lane: all, also those of buckets of a subquery that begin before it, but for a time that is shorter than what is read. */
function within(
  { times }: Rows,
  time: TimeRange,
  { readTime, select: { descending } }: LaneContext,
): readonly [number, number] {
  if (time.start === readTime.start && time.end === readTime.end) return [0, times.length];
  const below = (row: number): boolean => {
    const timeNs = times[row] ?? 0n;
    return descending ? timeNs > time.end : timeNs < time.start;
  };
  const inside = (row: number): boolean => {
    const timeNs = times[row] ?? 0n;
    return descending ? timeNs >= time.start : timeNs <= time.end;
  };
  return [partition(times.length, below), partition(times.length, inside)];
}

/** The first row for which `isBefore` is false; it is true for all before it. */
function partition(count: number, isBefore: (row: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Reduces rows bucket by bucket, and at the end of the series fills and transforms. */
class ReduceWork implements LaneWork {
  readonly streams = false;
  readonly #spec: LaneSpec;
  readonly #reducer: ReducerInput;
  readonly #context: LaneContext;
  readonly #work: Reducer;
  readonly #output: LaneBuilder;
  readonly #windows: Windows;
  readonly #end: LaneEnd;
  #bucket: { readonly start: bigint; readonly end: bigint } | undefined;

  constructor(spec: LaneSpec, reducer: ReducerInput, context: LaneContext, end: LaneEnd) {
    this.#end = end;
    this.#spec = spec;
    this.#reducer = reducer;
    this.#context = context;
    this.#windows = windowsOf(spec, context);
    this.#work = createReducer(reducer, context);
    this.#output = new LaneBuilder(
      columnType(reducer.type),
      context.selector ? context.beside : [],
      keepsOwnTime(reducer, context.selector, context.select.window),
    );
  }

  add(rows: Rows): void {
    const [start, end] = within(rows, this.#spec.time, this.#context);
    let row = start;
    while (row < end && !this.#end.reached) {
      const timeNs = rows.times[row] ?? 0n;
      if (this.#bucket === undefined || !holds(this.#bucket, timeNs)) {
        this.#close();
        this.#open(timeNs);
      }
      if (this.#bucket === undefined) return;
      const next = bucketEnd(rows.times, row, end, this.#bucket);
      this.#work.add(rows, row, next);
      row = next;
    }
  }

  async take(): Promise<Lane> {
    this.#close();
    return finished(this.#output.finish(), this.#spec, this.#reducer, this.#context);
  }

  #open(timeNs: bigint): void {
    const bucket = this.#windows.bucketAt(timeNs);
    if (!holds(bucket, timeNs)) this.#end.reached = true;
    if (!this.#end.reached) this.#bucket = bucket;
  }

  #close(): void {
    if (this.#bucket === undefined) return;
    this.#output.bucketTime = this.#windows.rowTime(this.#bucket);
    const { count } = this.#output;
    this.#work.finish(this.#output);
    if (this.#output.count > count) this.#end.hadTooFew = false;
    if (this.#work.hadTooFew === true && this.#end.alone) {
      if (this.#end.hadTooFew) this.#end.reached = true;
      this.#end.hadTooFew = true;
    }
    this.#bucket = undefined;
  }
}

/** Takes rows of buckets as the source has reduced them. */
class ReducedWork implements LaneWork {
  readonly streams = false;
  readonly #spec: LaneSpec;
  readonly #reducer: ReducerInput;
  readonly #index: number;
  readonly #context: LaneContext;
  readonly #output: LaneBuilder;
  readonly #windows: Windows;

  constructor(spec: LaneSpec, reducer: ReducerInput, index: number, context: LaneContext) {
    this.#spec = spec;
    this.#reducer = reducer;
    this.#index = index;
    this.#context = context;
    this.#windows = windowsOf(spec, context);
    this.#output = new LaneBuilder(columnType(reducer.type), context.beside, true);
  }

  add(rows: Rows): void {
    const column = rows.columns[this.#index];
    if (column === undefined) return;
    const { selector, select } = this.#context;
    const placed =
      select.window === undefined && !keepsOwnTime(this.#reducer, selector, select.window)
        ? { ...rows, times: this.#bucketTimes(rows.times.length) }
        : rows;
    for (let row = 0; row < rows.times.length; row += 1) {
      const value = valueAt(column, row);
      if (value !== null) this.#output.pushChosen(value, { rows: placed, row });
    }
  }

  async take(): Promise<Lane> {
    return finished(this.#output.finish(), this.#spec, this.#reducer, this.#context);
  }

  #bucketTimes(count: number): BigInt64Array {
    const { range } = this.#windows;
    return new BigInt64Array(count).fill(
      this.#windows.rowTime(this.#windows.bucketAt(range.start)),
    );
  }
}

const MANY: ReadonlySet<string> = new Set(["top", "bottom", "sample"]);

/** Whether rows have the time of the row that was chosen. */
export function keepsOwnTime(
  { name }: ReducerInput,
  selector: boolean,
  window: TimeWindow | undefined,
): boolean {
  return MANY.has(name) || (selector && window === undefined);
}

/** `lane` with its empty buckets, transformed. */
async function finished(
  lane: Lane,
  spec: LaneSpec,
  reducer: ReducerInput,
  context: LaneContext,
): Promise<Lane> {
  const { select, columnCount, work } = context;
  const windows = windowsOf(spec, context);
  const fills =
    select.window !== undefined && !MANY.has(reducer.name) && reducer.name !== "distinct";
  const whole = fills
    ? await filled(lane, {
        fill: select.fill,
        windows,
        descending: select.descending,
        counts: reducer.name === "count",
        rowsMax: rowsMaxOf(select, spec),
        columnCount,
        work,
      })
    : lane;
  return transformed(whole, spec, context);
}

/** How many rows of a lane LIMIT lets pass, where it cuts what is filled. */
function rowsMaxOf({ limit, offset }: ResolvedSelect, spec: LaneSpec): number | undefined {
  return limit === 0 || spec.transforms.length > 0 ? undefined : limit + offset;
}

async function transformed(lane: Lane, spec: LaneSpec, context: LaneContext): Promise<Lane> {
  if (spec.transforms.length === 0) return lane;
  const chain = new Chain(spec, lane.values.type, context);
  await context.work.inBlocks(lane.times.length, (start, end) =>
    chain.add(lane.times.subarray(start, end), sliceColumn(lane.values, start, end)),
  );
  return chain.take(true);
}

interface Link {
  readonly transform: Transform;
  readonly output: LaneBuilder;
}

/** Transformations one after the other. */
class Chain {
  readonly #links: Link[];
  readonly #work: Work;

  constructor(spec: LaneSpec, type: PointColumn["type"], context: LaneContext) {
    const windows = windowsOf(spec, context);
    const { work } = context;
    const { descending } = context.select;
    this.#links = [];
    this.#work = work;
    let current = type;
    if (spec.reducer?.name === "integral") {
      const { parameter } = spec.reducer;
      assert(parameter !== undefined, "an integral has a unit");
      const unitNs = BigInt(parameter);
      this.#push(new Integral({ unitNs, windows, descending, whole: type !== "float64" }));
      current = "float64";
    }
    for (const expression of spec.transforms) {
      const transform = createTransform(expression, current, { windows, descending, work });
      this.#push(transform);
      current = transform.type;
    }
  }

  add(times: BigInt64Array, values: PointColumn): void {
    const [first] = this.#links;
    if (first !== undefined) feed(first, times, values);
  }

  /** What came out of the last one; `end`: nothing more goes in. */
  async take(end: boolean): Promise<Lane> {
    let lane: Lane | undefined;
    for (const link of this.#links) {
      if (lane !== undefined) await this.#pass(link, lane);
      if (end) await link.transform.finish(link.output);
      lane = link.output.finish();
    }
    return lane ?? { times: new BigInt64Array(0), values: { type: "null" }, beside: [] };
  }

  #pass(link: Link, { times, values }: Lane): Promise<void> {
    return this.#work.inBlocks(times.length, (start, end) =>
      feed(link, times.subarray(start, end), sliceColumn(values, start, end)),
    );
  }

  #push(transform: Transform): void {
    this.#links.push({ transform, output: new LaneBuilder(transform.type, [], false) });
  }
}

function feed({ transform, output }: Link, times: BigInt64Array, values: PointColumn): void {
  for (let row = 0; row < times.length; row += 1) {
    const value = valueAt(values, row);
    if (value === null) continue;
    // Texts and truth values come to `elapsed` alone, which looks at times.
    const known = typeof value === "number" || typeof value === "bigint" ? value : 0;
    transform.add(times[row] ?? 0n, known, output);
  }
}

/** Transforms rows as they come. */
class StreamWork implements LaneWork {
  readonly streams = true;
  readonly #spec: LaneSpec;
  readonly #context: LaneContext;
  readonly #index: number;
  readonly #chain: Chain;

  constructor(spec: LaneSpec, context: LaneContext) {
    this.#spec = spec;
    this.#context = context;
    this.#index = context.indexOf(spec.argument);
    this.#chain = new Chain(spec, columnType(spec.argument.type), context);
  }

  add(rows: Rows): void {
    const [start, end] = within(rows, this.#spec.time, this.#context);
    const column = rows.columns[this.#index];
    if (column === undefined || column.type === "null" || start >= end) return;
    this.#chain.add(rows.times.subarray(start, end), sliceColumn(column, start, end));
  }

  take(end: boolean): Promise<Lane> {
    return this.#chain.take(end);
  }
}
