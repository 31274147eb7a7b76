import type { Expression } from "#model/query/expression.ts";
import type { JoinPlan } from "#model/query/plan.ts";
import type { JoinKind, SqlExpression } from "../../sql/ast.ts";
import { shown, unsupported } from "../../sql/errors.ts";
import { coerce, commonType } from "../bind/coerce.ts";
import { planningError } from "../bind/errors.ts";
import { call, comparison } from "../bind/operators.ts";
import { NO_RELATION, qualifiedName, type ScopeColumn, scopeOf } from "../bind/scope.ts";
import { allOf, conjunctsOf, filtered } from "../conditions.ts";
import { changeInputs, deepened, hasSubquery, raisedOuter } from "../moving.ts";
import { binderFor, type Environment, nullable, type Rows } from "./environment.ts";

/** Two sides and what pairs their rows. */
export interface Joining {
  readonly join: JoinKind;
  readonly left: Rows;
  readonly right: Rows;
  /** Whether the right side names rows of the left one. */
  readonly lateral: boolean;
  readonly natural?: boolean;
  readonly using?: readonly string[];
  readonly on?: SqlExpression | undefined;
}

/** The kind of a join, and whether its sides change places. */
const KINDS: Readonly<Record<JoinKind, readonly [JoinPlan["join"], boolean]>> = {
  inner: ["inner", false],
  cross: ["inner", false],
  left: ["left", false],
  right: ["right", false],
  full: ["full", false],
  left_semi: ["semi", false],
  left_anti: ["anti", false],
  right_semi: ["semi", true],
  right_anti: ["anti", true],
};

/** Two columns that are one by a name alone: their places among both sides' columns. */
interface Merged {
  readonly left: number;
  readonly right: number;
}

/** The pairs of rows that a join gives. Throws as `planStatement`. */
export function joined(joining: Joining, environment: Environment): Rows {
  const [join, swapped] = KINDS[joining.join];
  const [left, right] = swapped ? [joining.right, joining.left] : [joining.left, joining.right];
  if (joining.lateral && (swapped || join === "right" || join === "full")) {
    throw unsupported(`LATERAL on the right of a ${joining.join.replace("_", " ")} join`);
  }
  checkCondition(joining);
  checkNames(left, right);
  const columns = [...left.columns, ...right.columns];
  const merged = mergedColumns(joining, left, right);
  const condition = conditionOf(joining.on, merged, columns, environment);
  const half = join === "semi" || join === "anti";
  const kept = half ? left.columns : columns;
  const pairs: JoinPlan = {
    kind: "join",
    fields: kept.map(({ field }, index) => {
      const missing = index < left.columns.length ? ["right", "full"] : ["left", "full"];
      return missing.includes(join) ? nullable(field) : field;
    }),
    join,
    left: left.plan,
    right: right.plan,
    ...(condition === undefined ? {} : { condition }),
    lateral: joining.lateral,
  };
  const plan = join === "left" ? withoutSubqueries(pairs) : pairs;
  return half ? { plan, columns: kept } : mergedRows({ plan, columns }, join, merged);
}

/** What is true of rows that are paired; undefined where all are. */
function conditionOf(
  on: SqlExpression | undefined,
  merged: readonly Merged[],
  columns: readonly ScopeColumn[],
  environment: Environment,
): Expression | undefined {
  const conditions = merged.map(({ left, right }) =>
    comparison("=", inputOf(columns, left), inputOf(columns, right)),
  );
  if (on === undefined) return allOf(conditions);
  const binder = binderFor(scopeOf(columns, environment.parent), environment);
  return allOf([...conditions, binder.bindCondition(on, { name: "ON", aggregates: false })]);
}

/** Engines pair no outer join by a subquery: one on its left is as well the left rows, each with those right ones that fit it. */
function withoutSubqueries(plan: JoinPlan): JoinPlan {
  const { condition, ...rest } = plan;
  if (condition === undefined || !hasSubquery(condition)) return plan;
  const leftCount = plan.left.fields.length;
  const inside = changeInputs(raisedOuter(condition), (index, type) =>
    index < leftCount
      ? { kind: "outer", level: 1, index, type }
      : { kind: "input", index: index - leftCount, type },
  );
  const right = plan.lateral ? plan.right : deepened(plan.right, 1);
  return { ...rest, right: filtered(right, conjunctsOf(inside)), lateral: true };
}

function inputOf(columns: readonly ScopeColumn[], index: number): Expression {
  return { kind: "input", index, type: columns[index]?.field.type ?? "null" };
}

/** An outer join says what pairs its rows. */
function checkCondition({ join, natural = false, on, using = [] }: Joining): void {
  const outer = join === "left" || join === "right" || join === "full";
  if (!outer || natural || on !== undefined || using.length > 0) return;
  throw planningError("join condition should not be empty");
}

/** Two tables of one name could not be told apart. */
function checkNames(left: Rows, right: Rows): void {
  const known = new Set(left.columns.map(fullName));
  const twice = right.columns.find(
    (column) => column.relation !== NO_RELATION && known.has(fullName(column)),
  );
  if (twice === undefined) return;
  const text = shown(qualifiedName(twice.relation, twice.field.name));
  throw planningError(`Schema contains duplicate qualified field name ${text}`);
}

function fullName({ field, relation }: ScopeColumn): string {
  return JSON.stringify([...relation.path, field.name]);
}

/** What USING names, or NATURAL means. */
function mergedColumns(
  { natural = false, using = [] }: Joining,
  left: Rows,
  right: Rows,
): readonly Merged[] {
  const names = natural ? commonNames(left, right) : using;
  return names.map((name) => ({
    left: placeOf(name, left, "left"),
    right: left.columns.length + placeOf(name, right, "right"),
  }));
}

function commonNames(left: Rows, right: Rows): readonly string[] {
  const names = new Set(right.columns.filter(({ bare }) => bare).map(({ field }) => field.name));
  const own = left.columns.filter(({ bare, field }) => bare && names.has(field.name));
  return [...new Set(own.map(({ field }) => field.name))];
}

function placeOf(name: string, { columns }: Rows, side: string): number {
  const places = columns.flatMap(({ bare, field }, place) =>
    bare && field.name === name ? place : [],
  );
  const [place] = places;
  if (place !== undefined && places.length === 1) return place;
  const problem = place === undefined ? "missing" : "ambiguous";
  throw planningError(`Column ${shown(name)} of USING is ${problem} on the ${side} side`);
}

/** Both sides' columns, of which those that USING made one go by their name once. */
function mergedRows(rows: Rows, join: JoinPlan["join"], merged: readonly Merged[]): Rows {
  return join === "right" || join === "full"
    ? withEitherSide(rows, merged)
    : { ...rows, columns: withoutBare(rows.columns, merged) };
}

/** Of merged columns the left one goes by the name alone. */
function withoutBare(
  columns: readonly ScopeColumn[],
  merged: readonly Merged[],
): readonly ScopeColumn[] {
  const hidden = new Set(merged.map(({ right }) => right));
  return columns.map((column, index) => (hidden.has(index) ? { ...column, bare: false } : column));
}

/** Of merged columns either may be missing: the name alone means the one that is there, in place of the left one. */
function withEitherSide({ plan, columns }: Rows, merged: readonly Merged[]): Rows {
  if (merged.length === 0) return { plan, columns };
  const either = new Map(merged.map(({ left, right }) => [left, eitherOf(columns, left, right)]));
  const expressions: Expression[] = [];
  const results: ScopeColumn[] = [];
  for (const [index, column] of withoutBare(columns, merged).entries()) {
    const expression = either.get(index);
    expressions.push(expression ?? inputOf(columns, index));
    const field = { name: column.field.name, type: expression?.type ?? column.field.type };
    results.push(expression === undefined ? column : { field, relation: NO_RELATION, bare: true });
  }
  for (const { left } of merged) {
    const column = columns[left];
    if (column === undefined) continue;
    expressions.push(inputOf(columns, left));
    results.push({ ...column, bare: false });
  }
  const fields = results.map(({ field }) => field);
  return { plan: { kind: "project", fields, input: plan, expressions }, columns: results };
}

function eitherOf(columns: readonly ScopeColumn[], left: number, right: number): Expression {
  const sides = [inputOf(columns, left), inputOf(columns, right)];
  const type = commonType(sides, "float64") ?? "null";
  return call(
    "coalesce",
    sides.map((side) => coerce(side, type)),
    type,
  );
}
