import type { DbError } from "#base/errors.ts";
import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import type { OrderItem, Query, SelectItem, SqlExpression } from "../sql/ast.ts";
import { shown, unsupported } from "../sql/errors.ts";
import { Binder, type Clause } from "./bind/bind.ts";
import { planningError } from "./bind/errors.ts";
import { constantOf } from "./bind/fold.ts";
import { isQualifierOf } from "./bind/scope.ts";
import { plainSelect } from "./plain-select.ts";
import { conjunctsOf } from "./pushdown.ts";
import type { PlanContext, Source } from "./source.ts";
import { collectInputs } from "./tree.ts";

/** An expression and the name or text it is known by. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: Expression;
}

/**
 * A SELECT whose names are looked up. Inputs are columns of the source's scope; input `-1 - n` is aggregate n.
 */
export interface BoundSelect {
  /** WHERE; each must be true. */
  readonly conjuncts: readonly Expression[];
  readonly items: readonly NamedExpression[];
  readonly distinct: boolean;
  /** Undefined when the rows are not grouped, as they are by GROUP BY, HAVING or any aggregate. */
  readonly grouping: Grouping | undefined;
  readonly having: Expression | undefined;
  readonly keys: readonly (SortKey & { readonly text: string })[];
  readonly limit: bigint | undefined;
  readonly offset: bigint;
}

export interface Grouping {
  readonly groups: readonly NamedExpression[];
  readonly aggregates: readonly (AggregateCall & { readonly text: string })[];
}

/** Looks up what `query` names in `source`. Throws as `planStatement`. */
export function bindSelect(query: Query, source: Source, context: PlanContext): BoundSelect {
  const { select: body, distinct, groupBy, orderBy } = plainSelect(query);
  const binder = new Binder(source.scope, context);
  const where: Clause = { name: "WHERE", aggregates: false };
  const predicate = body.where === undefined ? undefined : binder.bindCondition(body.where, where);
  const items = bindItems(body.items, binder, source);
  const aliases = aliasesOf(body.items, items);
  const groups = groupBy.map((group) => bindGroup(group, binder, items, aliases));
  const having =
    body.having === undefined
      ? undefined
      : binder.bindCondition(body.having, { name: "HAVING", aggregates: true, last: aliases });
  const outputs = new Map(items.map(({ name, expression }) => [name, expression]));
  const keys = orderBy.map((item) => bindKey(item, binder, items, outputs));
  const grouped = groups.length > 0 || having !== undefined || binder.aggregates.length > 0;
  const aggregates = binder.aggregates.map((aggregate, index) => ({
    ...aggregate,
    text: binder.aggregateTexts[index] ?? "",
  }));
  return {
    conjuncts: conjunctsOf(predicate),
    items,
    distinct,
    grouping: grouped ? { groups, aggregates } : undefined,
    having,
    keys,
    limit: bindCount(query.limit, "LIMIT", binder),
    offset: bindCount(query.offset, "OFFSET", binder) ?? 0n,
  };
}

function bindItem(item: SelectItem, binder: Binder, source: Source): readonly NamedExpression[] {
  if (item.kind === "expression") {
    const { expression, alias } = item;
    const bound = binder.bind(expression, { name: "SELECT", aggregates: true });
    const own = expression.kind === "column" ? expression.path.at(-1) : undefined;
    return [{ name: alias ?? own ?? binder.text(expression), expression: bound }];
  }
  if (item.except.length > 0) throw unsupported("* with EXCEPT");
  if (item.replace.length > 0) throw unsupported("* with REPLACE");
  const { scope, wildcard } = source;
  if (scope.path.length === 0) {
    throw planningError("SELECT * with no tables specified is not valid");
  }
  if (!isQualifierOf(scope, item.qualifier)) {
    throw planningError(`Invalid qualifier ${shown(item.qualifier.join("."))}`);
  }
  return wildcard.map((index) => {
    const { name = "", type = "null" } = scope.fields[index] ?? {};
    return { name, expression: { kind: "input", index, type } };
  });
}

/**
 * The columns of the result. Rows become objects in JSON, where two members of one name would hide each other, so
 * names differ.
 */
function bindItems(
  selected: readonly SelectItem[],
  binder: Binder,
  source: Source,
): readonly NamedExpression[] {
  const items: NamedExpression[] = [];
  const positions = new Map<string, number>();
  for (const item of selected) {
    for (const bound of bindItem(item, binder, source)) {
      const earlier = positions.get(bound.name);
      if (earlier !== undefined) throw repeatedName(bound.name, earlier, items.length);
      positions.set(bound.name, items.push(bound) - 1);
    }
  }
  return items;
}

function repeatedName(name: string, earlier: number, position: number): DbError {
  const text = shown(name);
  return planningError(
    `Projections require unique expression names but the expression "${text}" at position ${earlier} ` +
      `and "${text}" at position ${position} have the same name. Consider aliasing ("AS") one of them.`,
  );
}

/** What the names given with AS mean. Wildcards make positions differ, so they are found by name. */
function aliasesOf(
  items: readonly SelectItem[],
  bound: readonly NamedExpression[],
): ReadonlyMap<string, Expression> {
  const named = new Set(
    items.flatMap((item) =>
      item.kind === "expression" && item.alias !== undefined ? item.alias : [],
    ),
  );
  return new Map(
    bound.filter(({ name }) => named.has(name)).map(({ name, expression }) => [name, expression]),
  );
}

/** A whole number is a position in the SELECT list; columns come before aliases. */
function bindGroup(
  group: SqlExpression,
  binder: Binder,
  items: readonly NamedExpression[],
  aliases: ReadonlyMap<string, Expression>,
): NamedExpression {
  const position = positionOf(group);
  const expression =
    position === undefined
      ? binder.bind(group, { name: "GROUP BY", aggregates: false, last: aliases })
      : items[position - 1]?.expression;
  if (expression === undefined) {
    throw planningError(
      `Cannot find column with position ${position} in SELECT clause. Valid columns: 1 to ${items.length}`,
    );
  }
  const inputs = new Set<number>();
  collectInputs(expression, inputs);
  if ([...inputs].some((index) => index < 0)) {
    throw planningError("Aggregate functions are not allowed in GROUP BY");
  }
  const name = position === undefined ? binder.text(group) : (items[position - 1]?.name ?? "");
  return { name, expression: binder.use(expression) };
}

/** A whole number is a position in the SELECT list; names of its columns come before those of the table. */
function bindKey(
  item: OrderItem,
  binder: Binder,
  items: readonly NamedExpression[],
  first: ReadonlyMap<string, Expression>,
): SortKey & { readonly text: string } {
  const { descending, nullsFirst } = item;
  const position = positionOf(item.expression);
  const text = binder.text(item.expression);
  if (position === undefined) {
    return { ...binder.bindOrder(item, { name: "ORDER BY", aggregates: true, first }), text };
  }
  const expression = items[position - 1]?.expression;
  if (expression !== undefined) {
    return { expression: binder.use(expression), descending, nullsFirst, text };
  }
  throw planningError(
    `Order by column out of bounds, specified: ${position}, max: ${items.length}`,
  );
}

function positionOf(expression: SqlExpression): number | undefined {
  if (expression.kind !== "literal" || typeof expression.value !== "bigint") return undefined;
  return Number(expression.value);
}

/** How many rows LIMIT or OFFSET says: a constant of 0 or more; NULL is none. */
function bindCount(
  expression: SqlExpression | undefined,
  clause: "LIMIT" | "OFFSET",
  binder: Binder,
): bigint | undefined {
  if (expression === undefined) return undefined;
  const bound = binder.bind(expression, { name: clause, aggregates: false });
  const inputs = new Set<number>();
  collectInputs(bound, inputs);
  const constant = inputs.size === 0 ? constantOf(bound) : undefined;
  if (constant === undefined) throw planningError(`${clause} must be a constant number`);
  const { value } = constant;
  if (value === null) return undefined;
  if (typeof value !== "bigint" || bound.type === "timestamp") {
    throw planningError(
      `Expected ${clause} to be an integer or null, but got ${typeText(bound.type)}`,
    );
  }
  if (value >= 0n) return value;
  throw clause === "LIMIT"
    ? planningError(`LIMIT must be >= 0, '${value}' was provided`)
    : planningError(`OFFSET must be >=0, '${value}' was provided`, {
        stage: "Optimizer rule 'push_down_limit' failed",
      });
}
