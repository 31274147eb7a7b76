import type { SelectorAggregate } from "#model/query/functions/aggregate.ts";
import { typeText } from "#model/query/type-text.ts";
import { isTimestamp, structOf } from "#model/query/value-type.ts";
import { planningError } from "../errors.ts";
import { type AggregateBuilder, operandOf } from "./request.ts";

/** Selectors, which answer with the values of one row as a struct. */
export const SELECTORS: Readonly<Record<SelectorAggregate, AggregateBuilder>> = {
  selector_first: selector("selector_first"),
  selector_last: selector("selector_last"),
  selector_min: selector("selector_min"),
  selector_max: selector("selector_max"),
};

function selector(name: SelectorAggregate): AggregateBuilder {
  return (request) => {
    if (request.operands.length < 2) {
      throw planningError(`${name} requires at least 2 arguments, got ${request.operands.length}`);
    }
    const value = operandOf(request, 0, "int64");
    const time = operandOf(request, 1, "timestamp");
    if (!isTimestamp(time.type)) {
      throw planningError(
        `${name} second argument must be a timestamp, but got ${typeText(time.type)}`,
      );
    }
    const others = request.operands.slice(2);
    const members = [
      { name: "value", type: value.type },
      { name: "time", type: time.type },
      ...others.map(({ type }, index) => ({ name: `other_${index + 1}`, type })),
    ];
    const operands = [value, time, ...others];
    return { name, arguments: operands, distinct: false, type: structOf(members) };
  };
}
