/** WHERE of DELETE and DROP SERIES, as a condition on the tags of one table. */
import { DbError } from "#base/errors.ts";
import type { NamedTagCondition } from "#model/row-delete.ts";
import type { TableSchema } from "#model/schema.ts";
import type { BinaryExpression, BinaryOperator, Expression } from "../../ast.ts";
import { refused } from "../../check/errors.ts";

/** True: all rows; false: none. */
export type TagWish = NamedTagCondition | boolean;

const EQUALITIES: readonly BinaryOperator[] = ["=", "!="];
const NEGATED: readonly BinaryOperator[] = ["!=", "!~"];

/**
 * `findsName` says whether a pattern finds something in the table's name. Throws `invalid` / `influxql_refused` where `condition` is not
 * of tags and texts, and `unsupported` / `delete_condition`.
 */
export async function tagConditionOf(
  condition: Expression,
  table: TableSchema,
  findsName: (pattern: string) => Promise<boolean>,
): Promise<TagWish> {
  switch (condition.kind) {
    case "parenthesized":
      return tagConditionOf(condition.expression, table, findsName);
    case "boolean":
      return condition.value;
    case "binary":
      break;
    default:
      throw fieldsRefused();
  }
  const { left, operator, right } = condition;
  if (operator !== "AND" && operator !== "OR") return comparison(condition, table, findsName);
  const sides = [
    await tagConditionOf(left, table, findsName),
    await tagConditionOf(right, table, findsName),
  ];
  return operator === "AND" ? all(sides) : any(sides);
}

function all(sides: readonly TagWish[]): TagWish {
  if (sides.includes(false)) return false;
  return joined("and", sides, true);
}

function any(sides: readonly TagWish[]): TagWish {
  if (sides.includes(true)) return true;
  return joined("or", sides, false);
}

function joined(kind: "and" | "or", sides: readonly TagWish[], none: boolean): TagWish {
  const conditions = sides.filter((side) => typeof side !== "boolean");
  return conditions.length > 1 ? { kind, conditions } : (conditions[0] ?? none);
}

async function comparison(
  { left, operator, right }: BinaryExpression,
  table: TableSchema,
  findsName: (pattern: string) => Promise<boolean>,
): Promise<TagWish> {
  const [tag, value] = left.kind === "variable" ? [left, right] : [right, left];
  if (tag.kind !== "variable" || isField(table, tag.name)) throw fieldsRefused();
  const negated = NEGATED.includes(operator);
  const isName = tag.name === "_name";
  switch (value.kind) {
    case "string":
      if (!EQUALITIES.includes(operator)) throw refused("invalid tag comparison operator");
      if (isName) return (table.name === value.value) !== negated;
      return { kind: "equal", tag: tag.name, value: value.value, negated };
    case "regex":
      if (isName) return (await findsName(value.pattern)) !== negated;
      return { kind: "matches", tag: tag.name, pattern: value.pattern, negated };
    case "variable":
      throw isField(table, value.name) ? fieldsRefused() : twoTags();
    default:
      throw fieldsRefused();
  }
}

function isField({ columns }: TableSchema, name: string): boolean {
  const kind = columns.find((column) => column.name === name)?.kind;
  return kind !== undefined && kind !== "tag" && kind !== "time";
}

/** InfluxDB 1 names one of its shards. */
function fieldsRefused(): DbError {
  return refused("shard 1: fields not supported in WHERE clause during deletion");
}

function twoTags(): DbError {
  return new DbError(
    "unsupported",
    "delete_condition",
    "rows are not deleted by comparing two tags: name values, or regular expressions",
  );
}
