import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { type ListType, listOf } from "#model/query/value-type.ts";
import { collectInputs } from "../moving.ts";
import { ExpressionNumbers } from "../tree.ts";
import { type SelectCalls, standInOf } from "./calls/calls.ts";
import { coerce } from "./coerce.ts";
import { planningError } from "./errors.ts";

/** A list that becomes rows. */
export interface UnnestedList {
  readonly list: Expression;
  /** 1 where it is computed from columns alone, else one above the highest that it is computed from. */
  readonly level: number;
}

/**
 * The calls of `unnest` in one SELECT. An item of list n stands as input `columnCount + n`, where the planner puts it.
 * Equal lists are one.
 */
export class Unnests {
  readonly #columnCount: number;
  readonly #lists: UnnestedList[] = [];
  readonly #numbers = new ExpressionNumbers();
  readonly #places = new Map<number, number>();

  constructor(columnCount: number) {
    this.#columnCount = columnCount;
  }

  get lists(): readonly UnnestedList[] {
    return this.#lists;
  }

  /** The item of `operand`, of columns, in each row. Throws DbError `invalid` / `sql_planning` where it is no list. */
  itemOf(operand: Expression): Expression {
    const list = unnestable(operand);
    const number = this.#numbers.numberOf(list);
    const known = this.#places.get(number);
    const place = known ?? this.#lists.push({ list, level: this.#levelOf(list) }) - 1;
    this.#places.set(number, place);
    return { kind: "input", index: this.#columnCount + place, type: list.type.item };
  }

  #levelOf(list: Expression): number {
    const inputs = new Set<number>();
    collectInputs(list, inputs);
    const levels = [...inputs].map((index) => this.#lists[index - this.#columnCount]?.level ?? 0);
    return 1 + Math.max(0, ...levels);
  }
}

/** The item of `operand`, a list, in each row: of columns by `unnests`, of aggregates by `calls`. Throws DbError `invalid` / `sql_planning`. */
export function itemOf(operand: Expression, unnests: Unnests, calls: SelectCalls): Expression {
  const list = unnestable(operand);
  const inputs = new Set<number>();
  collectInputs(list, inputs);
  const standIns = [...inputs].flatMap((index) => standInOf(index) ?? []);
  if (standIns.length === 0) return unnests.itemOf(list);
  if (standIns.every(({ kind }) => kind === "aggregate"))
    return calls.addItem(list, list.type.item);
  throw planningError("unnest() of what unnest() or a window gives of aggregates: use a subquery");
}

type List = Expression & { readonly type: ListType };

function unnestable(operand: Expression): List {
  const { type } = operand;
  if (typeof type === "object" && type.kind === "list") return operand as List;
  if (type === "null") return coerce(operand, listOf(type)) as List;
  throw planningError(
    `unnest() can only be applied to array, struct and null, not ${typeText(type)}`,
  );
}
