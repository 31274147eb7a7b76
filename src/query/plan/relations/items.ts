import type { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { SelectItem, SqlExpression } from "../../sql/ast.ts";
import { shown } from "../../sql/errors.ts";
import type { Binder } from "../bind/bind.ts";
import { planningError } from "../bind/errors.ts";
import {
  findColumn,
  isQualifierOf,
  NO_RELATION,
  qualifiedName,
  type Relation,
  type Scope,
} from "../bind/scope.ts";
import { membersOf } from "./unnest.ts";

/** An expression and the name or text it is known by. */
export interface NamedExpression {
  readonly name: string;
  readonly expression: Expression;
}

/** A column of a result. */
export interface Item extends NamedExpression {
  /** What may qualify its name further out. */
  readonly relation: Relation;
}

type Wildcard = Extract<SelectItem, { kind: "wildcard" }>;

/** The columns of a SELECT. Throws DbError `invalid` / `sql_planning` where two cannot be told apart. */
export function bindItems(
  selected: readonly SelectItem[],
  binder: Binder,
  scope: Scope,
): readonly Item[] {
  const items: Item[] = [];
  const positions = new Map<string, number>();
  const bare = new Map<string, Item>();
  for (const item of selected) {
    const bound =
      item.kind === "wildcard"
        ? wildcard(item, binder, scope)
        : (bindMembers(item, binder) ?? [bindItem(item, binder, scope)]);
    for (const one of bound) {
      const name = qualifiedName(one.relation, one.name);
      const earlier = positions.get(name);
      if (earlier !== undefined) throw repeatedName(name, earlier, items.length);
      const namesake = bare.get(one.name) ?? one;
      if ((namesake.relation === NO_RELATION) !== (one.relation === NO_RELATION))
        throw ambiguousName(namesake, one);
      bare.set(one.name, one);
      positions.set(name, items.push(one) - 1);
    }
  }
  return items;
}

/** `unnest` of a struct is its members; undefined for all else. */
function bindMembers(
  { expression }: Extract<SelectItem, { kind: "expression" }>,
  binder: Binder,
): readonly Item[] | undefined {
  if (expression.kind !== "call" || expression.name !== "unnest") return undefined;
  const [operand] = expression.arguments;
  if (operand === undefined || expression.arguments.length > 1) return undefined;
  const struct = binder.bind(operand, { name: "SELECT", aggregates: true });
  return membersOf(binder.text(operand), struct)?.map((member) => ({
    ...member,
    expression: binder.use(member.expression),
    relation: NO_RELATION,
  }));
}

function bindItem(
  { expression, alias }: Extract<SelectItem, { kind: "expression" }>,
  binder: Binder,
  scope: Scope,
): Item {
  const bound = binder.bind(expression, { name: "SELECT", aggregates: true, windows: true });
  if (alias !== undefined) return { name: alias, expression: bound, relation: NO_RELATION };
  const found = expression.kind === "column" ? findColumn(scope, expression.path) : undefined;
  if (found?.level === 0) {
    return { name: found.column.field.name, expression: bound, relation: found.column.relation };
  }
  return { name: binder.text(expression), expression: bound, relation: NO_RELATION };
}

/** The columns that `*` or `t.*` means. */
function wildcard(item: Wildcard, binder: Binder, scope: Scope): readonly Item[] {
  const { qualifier } = item;
  if (scope.columns.length === 0 && qualifier.length === 0) {
    throw planningError("SELECT * with no tables specified is not valid");
  }
  const meant = scope.columns.flatMap(({ bare, field, relation }, index) => {
    const named = qualifier.length === 0 ? bare : isQualifierOf(relation, qualifier);
    return named ? { index, field, relation } : [];
  });
  if (meant.length === 0) throw planningError(`Invalid qualifier ${shown(qualifier.join("."))}`);
  const replaced = replacements(item, binder, new Set(meant.map(({ field }) => field.name)));
  const left = exceptions(item, new Set(meant.map(({ field }) => field.name)));
  return meant
    .filter(({ field }) => !left.has(field.name))
    .map(({ field: { name, type }, index, relation }) => ({
      name,
      expression: binder.use(replaced.get(name) ?? { kind: "input", index, type }),
      relation: replaced.has(name) ? NO_RELATION : relation,
    }));
}

function exceptions({ except }: Wildcard, names: ReadonlySet<string>): ReadonlySet<string> {
  const left = new Set(except);
  if (left.size < except.length)
    throw planningError("EXCLUDE or EXCEPT contains duplicate column names");
  for (const name of left) checkKnown(name, names, "EXCLUDE");
  if (names.size > 0 && [...names].every((name) => left.has(name)))
    throw planningError("SELECT list is empty after resolving * expressions");
  return left;
}

function replacements(
  { replace }: Wildcard,
  binder: Binder,
  names: ReadonlySet<string>,
): ReadonlyMap<string, Expression> {
  const replaced = new Map<string, Expression>();
  for (const { name, expression } of replace) {
    checkKnown(name, names, "REPLACE");
    replaced.set(
      name,
      binder.bind(expression, { name: "SELECT", aggregates: true, windows: true }),
    );
  }
  return replaced;
}

function checkKnown(name: string, names: ReadonlySet<string>, clause: string): void {
  if (names.has(name)) return;
  throw planningError(`Column ${shown(name)} of ${clause} is not among the columns of *`);
}

function repeatedName(name: string, earlier: number, position: number): DbError {
  const text = shown(name);
  return planningError(
    `Projections require unique expression names but the expression "${text}" at position ${earlier} ` +
      `and "${text}" at position ${position} have the same name. Consider aliasing ("AS") one of them.`,
  );
}

function ambiguousName(first: Item, second: Item): DbError {
  const { name, relation } = first.relation === NO_RELATION ? second : first;
  return planningError(
    `Schema contains qualified field name ${shown(qualifiedName(relation, name))} and unqualified field name ` +
      `${shown(name)} which would be ambiguous`,
  );
}

/** What the names given with AS mean. Wildcards make positions differ, so they are found by name. */
export function aliasesOf(
  selected: readonly SelectItem[],
  items: readonly Item[],
): ReadonlyMap<string, Expression> {
  const named = new Set(
    selected.flatMap((item) =>
      item.kind === "expression" && item.alias !== undefined ? item.alias : [],
    ),
  );
  return new Map(
    items
      .filter(({ name, relation }) => relation === NO_RELATION && named.has(name))
      .map(({ name, expression }) => [name, expression]),
  );
}

/** What the names of the result mean; one that two columns have is left to the columns of the tables. */
export function outputsOf(items: readonly Item[]): ReadonlyMap<string, Expression> {
  const outputs = new Map<string, Expression>();
  const repeated = new Set<string>();
  for (const { name, expression } of items) {
    if (outputs.has(name)) repeated.add(name);
    outputs.set(name, expression);
  }
  for (const name of repeated) outputs.delete(name);
  return outputs;
}

/** The place that a whole number means in GROUP BY and ORDER BY; 1 is the first. */
export function positionOf(expression: SqlExpression): number | undefined {
  if (expression.kind !== "literal" || typeof expression.value !== "bigint") return undefined;
  return Number(expression.value);
}
