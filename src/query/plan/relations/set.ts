import type { Expression } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { sameType, type ValueType } from "#model/query/value-type.ts";
import type { SetOperation } from "../../sql/ast.ts";
import { unsupported } from "../../sql/errors.ts";
import { coerce, commonType } from "../bind/coerce.ts";
import { planningError } from "../bind/errors.ts";
import { literal } from "../bind/fold.ts";
import { columnsOf, NO_RELATION } from "../bind/scope.ts";
import type { Rows } from "./environment.ts";

/** UNION, INTERSECT or EXCEPT of two sides, with the names of the left one. Throws DbError `invalid` / `sql_planning`. */
export function planSet(operation: SetOperation, left: Rows, right: Rows): Rows {
  const word = operation.operation.toUpperCase();
  if (operation.byName && operation.operation !== "union") throw unsupported(`${word} BY NAME`);
  const [leftPlan, rightPlan] = operation.byName
    ? pairedByName(left.plan, right.plan)
    : [left.plan, right.plan];
  if (leftPlan.fields.length !== rightPlan.fields.length) {
    throw planningError(
      `${word} queries have different number of columns: left has ${leftPlan.fields.length} columns whereas right has ${rightPlan.fields.length} columns`,
    );
  }
  const fields = leftPlan.fields.map(({ name, type }, index): Field => {
    const other = rightPlan.fields[index]?.type ?? "null";
    return { name, type: commonOf(type, other, word) };
  });
  const plan: Plan = {
    kind: "set",
    fields,
    operation: operation.operation,
    all: operation.all,
    inputs: [leftPlan, rightPlan].map((input) => castTo(input, fields)),
  };
  const columns = operation.byName
    ? columnsOf(fields, NO_RELATION)
    : left.columns.map((column, index) => ({ ...column, field: fields[index] ?? column.field }));
  return { plan, columns };
}

/** `plan` with its columns as the types of `fields`, of which there are as many. */
export function castTo(plan: Plan, fields: readonly Field[]): Plan {
  const fits = plan.fields.every(({ type }, index) =>
    sameType(type, fields[index]?.type ?? "null"),
  );
  if (fits) return plan;
  const expressions = plan.fields.map(({ type }, index) =>
    coerce({ kind: "input", index, type }, fields[index]?.type ?? type),
  );
  return { kind: "project", fields, input: plan, expressions };
}

function commonOf(left: ValueType, right: ValueType, word: string): ValueType {
  const sides = [left, right].map((type): Expression => ({ kind: "input", index: 0, type }));
  const type = commonType(sides, "int64");
  if (type !== undefined) return type;
  throw planningError(
    `Incompatible inputs for ${word}: there is no common type of ${typeText(left)} and ${typeText(right)}`,
  );
}

/** Both with all names that either has, NULL where it lacks one. */
function pairedByName(left: Plan, right: Plan): readonly [Plan, Plan] {
  const own = new Set(left.fields.map(({ name }) => name));
  const fields = [...left.fields, ...right.fields.filter(({ name }) => !own.has(name))];
  return [named(left, fields), named(right, fields)];
}

function named(plan: Plan, fields: readonly Field[]): Plan {
  const places = new Map(plan.fields.map(({ name }, place) => [name, place]));
  const expressions = fields.map(({ name }): Expression => {
    const index = places.get(name);
    const type = index === undefined ? undefined : plan.fields[index]?.type;
    return index === undefined || type === undefined
      ? literal(null, "null")
      : { kind: "input", index, type };
  });
  const own = fields.map(({ name }, index) => ({ name, type: expressions[index]?.type ?? "null" }));
  return { kind: "project", fields: own, input: plan, expressions };
}
