import { DbError } from "#base/errors.ts";
import { childrenOf, type Expression, type IntervalValue } from "#model/query/expression.ts";
import type { Field, GapFill, GapFillPlan, Plan } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { TIME_MAX, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import { MINUTE_NS } from "#model/time-units.ts";
import { unsupported } from "../../sql/errors.ts";
import type { Bins, Fill, SelectCalls } from "../bind/calls/calls.ts";
import { planningError } from "../bind/errors.ts";
import { constantOf, literal } from "../bind/fold.ts";
import { boundsOfField } from "../optimize/bounds.ts";
import type { NamedExpression } from "../relations/items.ts";
import { ExpressionNumbers } from "../tree.ts";

type AggregatePlan = Extract<Plan, { kind: "aggregate" }>;
type BinCall = Extract<Expression, { kind: "call" }>;

type Gaps = Pick<SelectCalls, "bins" | "fills">;

type BinRange = Pick<GapFillPlan, "stride" | "first" | "last" | "bin">;

/** The most bins of one series. */
const BINS_MAX = 10_000_000n;
/** Clocks of zones are ahead of each other, and of themselves at other times, by some of these: so bins begin at multiples of it. */
const OFFSET_NS = 15n * MINUTE_NS;

/**
 * The rows of `aggregate`, and those for bins that have none where a group is one of `calls.bins`. Fields: those of `aggregate`, then
 * one for each of `calls.fills`. Throws DbError `invalid` / `sql_planning` where bins or fills stand in other places than they may.
 */
export function withGaps(
  aggregate: AggregatePlan,
  groups: readonly NamedExpression[],
  { bins, fills }: Gaps,
): Plan {
  if (bins.length === 0) {
    checkNoGaps({ bins, fills });
    return aggregate;
  }
  const place = placeOfBins(bins, groups);
  if (aggregate.groupingSets !== undefined) throw unsupported("gap filling of GROUPING SETS");
  const bin = aggregate.groups[place];
  const range = rangeOf(bin, aggregate.input);
  const rows = withFields(aggregate, fills);
  // Where no time is asked for there are no rows, and no series.
  if (range === undefined) return rows;
  return {
    kind: "gapfill",
    fields: rows.fields,
    input: rows,
    time: place,
    series: groups.flatMap((_, index) => (index === place ? [] : index)),
    ...binsOf(bin as BinCall, range),
    fills: fillsOf(aggregate, fills),
  };
}

/** The bins from the one of the first instant to that of the last. */
function binsOf(call: BinCall, { start, end }: TimeRange): BinRange {
  const stride = strideOf(call);
  const local = call.name !== "date_bin";
  const step = local ? greatestDivisor(stride.nanoseconds, OFFSET_NS) : stride.nanoseconds;
  const range = local
    ? { first: start, last: end, bin: binOf(call, instantOf(call.type)) }
    : { first: constantBin(call, start), last: constantBin(call, end) };
  if ((range.last - range.first) / step >= BINS_MAX) throw tooManyBins(stride);
  return { ...range, stride: { months: 0, nanoseconds: step } };
}

/** The instant that bins are of. */
function instantOf(type: ValueType): Expression {
  return { kind: "input", index: 0, type };
}

function greatestDivisor(left: bigint, right: bigint): bigint {
  return right === 0n ? left : greatestDivisor(right, left % right);
}

/** That neither bins nor fills stand where rows are not grouped. */
export function checkNoGaps({ bins: [bins], fills: [fill] }: Gaps): void {
  if (bins !== undefined) throw misplacedBins(bins);
  if (fill === undefined) return;
  const name = fill.fill === "linear" ? "interpolate" : "locf";
  throw planningError(`${name} may only be used in the SELECT list of a gap-filling query`);
}

function misplacedBins({ name }: Bins): Error {
  return planningError(`${name} may only be used as a GROUP BY expression`);
}

function placeOfBins(bins: readonly Bins[], groups: readonly NamedExpression[]): number {
  const numbers = new ExpressionNumbers();
  const known = new Set(bins.map(({ bin }) => numbers.numberOf(bin)));
  const places = groups.flatMap(({ expression }, place) =>
    known.has(numbers.numberOf(expression)) ? place : [],
  );
  const [place, second] = places;
  if (second !== undefined) throw planningError("DATE_BIN_GAPFILL specified more than once");
  if (place !== undefined) return place;
  const [first] = bins;
  if (first !== undefined && !groups.some(({ expression }) => holds(expression, first.bin))) {
    throw misplacedBins(first);
  }
  throw planningError(
    "DATE_BIN_GAPFILL must be a top-level expression in the GROUP BY clause when gap filling. It cannot be part of another expression or cast",
  );
}

function holds(expression: Expression, part: Expression): boolean {
  return expression === part || childrenOf(expression).some((child) => holds(child, part));
}

/** `rows` with a field for each fill: its aggregate once more. */
function withFields(rows: AggregatePlan, fills: readonly Fill[]): Plan {
  if (fills.length === 0) return rows;
  const own = rows.fields.map(({ type }, index): Expression => ({ kind: "input", index, type }));
  const first = rows.groups.length;
  const added = fills.map(({ aggregate }) => first + aggregate);
  return {
    kind: "project",
    fields: [...rows.fields, ...added.map((index): Field => rows.fields[index] ?? NO_FIELD)],
    input: rows,
    expressions: [...own, ...added.map((index) => own[index] ?? literal(null, "null"))],
  };
}

const NO_FIELD: Field = { name: "", type: "null" };

/** Aggregates that are not NULL where there are no rows are not NULL in rows that are made. */
function fillsOf(
  { aggregates, fields, groups }: AggregatePlan,
  fills: readonly Fill[],
): readonly GapFill[] {
  const zeros = aggregates.flatMap(({ name }, index): GapFill[] =>
    name === "count" || name === "approx_distinct"
      ? [{ field: groups.length + index, fill: "zero" }]
      : [],
  );
  return [...zeros, ...fills.map(({ fill }, index) => ({ field: fields.length + index, fill }))];
}

/** What the rows of `input` are known to lie in. Throws DbError `invalid` / `sql_planning` where that is not bounded. */
function rangeOf(bin: Expression | undefined, input: Plan): TimeRange | undefined {
  const column = bin?.kind === "call" ? columnOf(bin.arguments[1]) : undefined;
  if (column === undefined) {
    throw planningError("DATE_BIN_GAPFILL requires a column as the source argument");
  }
  const range = boundsOfField(input, column);
  if (range === undefined) return undefined;
  const [low, high] = [range.start > TIME_MIN, range.end < TIME_MAX];
  if (low && high) return range;
  const missing = low ? "upper time bound" : "lower time bound";
  throw planningError(
    `gap-filling query is missing ${low === high ? "both upper and lower time bounds" : missing}`,
  );
}

/** The field that a source of bins is; casts and zones leave its instants as they are. */
function columnOf(source: Expression | undefined): number | undefined {
  if (source?.kind === "input") return source.index;
  return source?.kind === "cast" ? columnOf(source.operand) : undefined;
}

function strideOf({ arguments: [stride] }: BinCall): IntervalValue {
  const value = stride?.kind === "literal" ? (stride.value as IntervalValue) : undefined;
  if (value !== undefined && value.months === 0) return value;
  throw unsupported("gap filling does not support month intervals");
}

/** `call` of another time. */
function binOf(call: BinCall, time: Expression): BinCall {
  const [stride = literal(null, "null"), , ...origin] = call.arguments;
  return { ...call, arguments: [stride, time, ...origin] };
}

function constantBin(call: BinCall, time: bigint): bigint {
  const bin = constantOf(binOf(call, literal(time, call.type)));
  if (typeof bin?.value === "bigint") return bin.value;
  throw new DbError("invalid", "number_overflow", "a bin begins before the first instant");
}

function tooManyBins({ nanoseconds }: IntervalValue): DbError {
  return new DbError(
    "exceeded",
    "gapfill_size",
    `Gap filling would make more than ${BINS_MAX} rows for a series: ask for less time, or for longer bins.`,
    { detail: { binsMax: Number(BINS_MAX), strideNs: String(nanoseconds) } },
  );
}
