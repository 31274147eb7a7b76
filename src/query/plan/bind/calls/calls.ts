import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { GapFill, WindowCall } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";

/** What an input below zero stands for: `place` in the list of its kind. */
export interface StandIn {
  readonly kind: "aggregate" | "window" | "fill" | "item";
  readonly place: number;
}

/** A value of a gap-filling query: aggregate `aggregate`, and what stands in rows that are made. */
export interface Fill {
  readonly aggregate: number;
  readonly fill: GapFill["fill"];
}

/** A call of date_bin_gapfill: the bin that it is, and what it was called. */
export interface Bins {
  readonly name: string;
  readonly bin: Expression;
}

const KINDS = ["aggregate", "window", "fill", "item"] as const;
/** More than a statement has parts. */
const PLACES_MAX = 1_000_000;

/** What input `index` of a bound expression stands for; undefined of a column. */
export function standInOf(index: number): StandIn | undefined {
  if (index >= 0) return undefined;
  const number = -1 - index;
  const kind = KINDS[Math.floor(number / PLACES_MAX)];
  return kind === undefined ? undefined : { kind, place: number % PLACES_MAX };
}

/** The calls of a SELECT that are computed of many rows. In bound expressions inputs below zero stand for them. */
export class SelectCalls {
  readonly aggregates: AggregateCall[] = [];
  /** The text of each aggregate, as columns are named. */
  readonly aggregateTexts: string[] = [];
  /** Over columns and aggregates. */
  readonly windows: WindowCall[] = [];
  readonly windowTexts: string[] = [];
  readonly fills: Fill[] = [];
  readonly bins: Bins[] = [];
  /** Lists made of aggregates, which become rows. */
  readonly lists: Expression[] = [];
  readonly #known = new Map<string, number>();

  addAggregate(call: AggregateCall, text: () => string): Expression {
    const place = this.#placeOf("aggregate", call, this.aggregates);
    this.aggregateTexts[place] ??= text();
    return standInFor({ kind: "aggregate", place }, call.type);
  }

  addWindow(call: WindowCall, text: () => string): Expression {
    const place = this.#placeOf("window", call, this.windows);
    this.windowTexts[place] ??= text();
    return standInFor({ kind: "window", place }, call.type);
  }

  addFill(fill: Fill, type: ValueType): Expression {
    return standInFor({ kind: "fill", place: this.#placeOf("fill", fill, this.fills) }, type);
  }

  /** The item, of `type`, of `list` in each row. */
  addItem(list: Expression, type: ValueType): Expression {
    return standInFor({ kind: "item", place: this.#placeOf("item", list, this.lists) }, type);
  }

  /** The same call is computed once: its parts say what it is. */
  #placeOf<Call>(kind: StandIn["kind"], call: Call, list: Call[]): number {
    const key = `${kind}${JSON.stringify(call, replaced)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = list.push(call) - 1;
    this.#known.set(key, place);
    return place;
  }
}

function standInFor({ kind, place }: StandIn, type: ValueType): Expression {
  return { kind: "input", index: -1 - KINDS.indexOf(kind) * PLACES_MAX - place, type };
}

function replaced(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? "-0" : value;
}
