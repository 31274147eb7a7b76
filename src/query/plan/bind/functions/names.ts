import { aggregateNames } from "../aggregates/aggregates.ts";
import { gapNames } from "../calls/gapfill.ts";
import { rankNames } from "../calls/rank.ts";
import { FUNCTIONS } from "./functions.ts";

/** A function and what it takes: one row, many, or those of a window. */
export interface FunctionName {
  readonly name: string;
  readonly kind: "SCALAR" | "AGGREGATE" | "WINDOW";
}

/** All functions of SQL, in order of their names. */
export function functionNames(): readonly FunctionName[] {
  const named = (names: Iterable<string>, kind: FunctionName["kind"]) =>
    [...names].map((name): FunctionName => ({ name, kind }));
  return [
    ...named([...Object.keys(FUNCTIONS), ...gapNames()], "SCALAR"),
    ...named(aggregateNames(), "AGGREGATE"),
    ...named(rankNames(), "WINDOW"),
  ].toSorted((left, right) => (left.name < right.name ? -1 : Number(left.name > right.name)));
}
