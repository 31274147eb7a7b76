/** Selectors as engine SQL. */
import type { SelectorAggregate } from "#model/query/functions/aggregate.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { sqlType } from "../literal.ts";
import type { CallText } from "./call-text.ts";

type SelectorPrinter = (call: CallText, type: ValueType) => string;

export const SELECTORS: Readonly<Record<SelectorAggregate, SelectorPrinter>> = {
  selector_first: selector("arg_min", (_, time) => time),
  selector_last: selector("arg_max", (_, time) => time),
  selector_min: selector("arg_min", (value, time) => `{'v': ${value}, 't': ${time}}`),
  // Of equal values the first: complements of times run backwards, and do not overflow.
  selector_max: selector("arg_max", (value, time) => `{'v': ${value}, 't': ~${time}}`),
};

/** The row with the least or the greatest key, as a struct of the arguments. */
function selector(
  name: "arg_min" | "arg_max",
  keyOf: (value: string, time: string) => string,
): SelectorPrinter {
  return ({ args, applyTo }, type) => {
    const [value = "", time = ""] = args;
    const row = `{${args.map((arg, index) => `'f${index}': ${arg}`).join(", ")}}`;
    const nothing = `{${args.map((_, index) => `'f${index}': NULL`).join(", ")}}`;
    const present = [`${value} IS NOT NULL`, `${time} IS NOT NULL`];
    const found = applyTo(name, [row, keyOf(value, time)], present);
    return `CAST(coalesce(${found}, ${nothing}) AS ${sqlType(type)})`;
  };
}
