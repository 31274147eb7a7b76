/** What a condition says of the tags of one table, whose columns it names as users know them. */
import { DbError } from "#base/errors.ts";
import type { ColumnId } from "#model/ids.ts";
import type { NamedTagCondition, TagCondition } from "#model/row-delete.ts";
import { type TableSchema, TIME_COLUMN_NAME } from "#model/schema.ts";

/** A pattern for the values of a tag of a table; without `columnId`, of one that the table lacks: all its rows have the empty text there. */
export interface TagPattern {
  readonly table: TableSchema;
  readonly columnId: ColumnId | undefined;
  readonly pattern: string;
}

/** The values that `pattern` matches, among those of all rows that are meant. */
export type ValuesOf = (pattern: TagPattern) => readonly string[];

type Leaf = Exclude<NamedTagCondition, { readonly conditions: unknown }>;

/** True or false where that is so of all rows of the table. Throws `invalid` / `delete_field` where it names a field, or the time. */
export function tableCondition(
  condition: NamedTagCondition,
  table: TableSchema,
  valuesOf: ValuesOf,
): TagCondition | boolean {
  if (!("conditions" in condition)) return leafCondition(condition, table, valuesOf);
  const { kind } = condition;
  const parts = condition.conditions.map((part) => tableCondition(part, table, valuesOf));
  // One such part decides all; the other value adds nothing.
  const deciding = kind === "or";
  if (parts.includes(deciding)) return deciding;
  const conditions = parts.filter((part) => typeof part !== "boolean");
  const [first] = conditions;
  if (first === undefined) return !deciding;
  return conditions.length === 1 ? first : { kind, conditions };
}

function leafCondition(leaf: Leaf, table: TableSchema, valuesOf: ValuesOf): TagCondition | boolean {
  const { negated } = leaf;
  const columnId = tagOf(leaf.tag, table);
  const values =
    leaf.kind === "equal"
      ? [leaf.value]
      : valuesOf({ table, columnId, pattern: leaf.pattern }).toSorted();
  if (columnId === undefined) return values.includes("") !== negated;
  return { kind: "in", columnId, values, negated };
}

/** The patterns of `condition`, as of `table`. Throws as `tableCondition`. */
export function patternsOf(
  condition: NamedTagCondition,
  table: TableSchema,
): readonly TagPattern[] {
  switch (condition.kind) {
    case "equal":
      return [];
    case "matches":
      return [{ table, columnId: tagOf(condition.tag, table), pattern: condition.pattern }];
    default:
      return condition.conditions.flatMap((part) => patternsOf(part, table));
  }
}

/** Undefined where the table has no column `name`. */
function tagOf(name: string, table: TableSchema): ColumnId | undefined {
  const column = table.columns.find((one) => one.name === name);
  if (column === undefined || column.kind === "tag") return column?.id;
  const what = name === TIME_COLUMN_NAME ? "the time" : "a field";
  throw new DbError(
    "invalid",
    "delete_field",
    `rows are deleted by their tags and their time: ${name} is ${what} of ${table.name}, and nothing to ask for there`,
    { detail: { table: table.name, column: name } },
  );
}
