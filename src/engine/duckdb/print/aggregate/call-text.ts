/** The text of one call of an engine's aggregate, with what stands in and behind its parentheses. */

export interface AggregateText {
  readonly args: readonly string[];
  readonly distinct: boolean;
  /** ` ORDER BY …`, or nothing. */
  readonly order: string;
  /** Only rows for which all are true. */
  readonly conditions: readonly string[];
  /** ` OVER (…)`, or nothing. */
  readonly over: string;
  /** Arguments that may be NaN or an infinity. */
  readonly unbounded: readonly string[];
}

/** What printers of aggregates are made of: one of ours may be several of the engine's over the same rows. */
export interface CallText {
  readonly args: readonly string[];
  readonly unbounded: readonly string[];
  /** The engine's `name` of `args`, DISTINCT where the call is; of rows for which `conditions` are true as well. */
  readonly apply: (
    name: string,
    args?: readonly string[],
    conditions?: readonly string[],
  ) => string;
  /** The same in the order that the call asks for. */
  readonly applyOrdered: (name: string, args?: readonly string[]) => string;
  /** The engine's `name` of exactly `args`, of rows for which `conditions` are true as well. */
  readonly applyTo: (
    name: string,
    args: readonly string[],
    conditions?: readonly string[],
  ) => string;
}

export function callText(text: AggregateText): CallText {
  const { args, distinct, order, conditions, over, unbounded } = text;
  const print = (name: string, inner: string, more: readonly string[] = []) => {
    const all = [...conditions, ...more];
    const filter = all.length === 0 ? "" : ` FILTER (WHERE ${all.join(" AND ")})`;
    return `${name}(${inner})${filter}${over}`;
  };
  const listed = (list: readonly string[]) => `${distinct ? "DISTINCT " : ""}${list.join(", ")}`;
  return {
    args,
    unbounded,
    apply: (name, list = args, more = []) => print(name, listed(list), more),
    applyOrdered: (name, list = args) => print(name, `${listed(list)}${order}`),
    applyTo: (name, list, more) => print(name, list.join(", "), more),
  };
}
