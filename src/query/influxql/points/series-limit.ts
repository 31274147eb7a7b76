import { compareText } from "#base/bytes.ts";
import { cellAt, type ResultBatch } from "#model/query/result.ts";
import type { Expression } from "../ast.ts";
import type { Points } from "../points.ts";
import type { ResolvedSelect } from "../resolved.ts";
import { compareSeries } from "./merge.ts";
import { checkHeld } from "./reduce/reducer.ts";
import type { PointSource, TableSource } from "./source.ts";

/**
 * SLIMIT and SOFFSET, of the series of one table. Series are counted that the table has at any time, and whose tags WHERE does not leave out:
 * whether or not they have rows here.
 */
export async function* limitSeries(
  points: AsyncIterable<Points>,
  { select, table, source }: { select: ResolvedSelect; table: TableSource; source: PointSource },
): AsyncGenerator<Points> {
  const { seriesLimit, seriesOffset, dimensions } = select;
  if (seriesLimit === 0 && seriesOffset === 0) {
    yield* points;
    return;
  }
  const isField = (name: string): boolean =>
    table.table.columns.some((column) => column.name === name && column.kind !== "tag");
  const condition = ofTags(table.condition, isField);
  const chosen = await chosenSeries(
    source.series({ source: { ...table, condition }, dimensions }),
    select,
  );
  const { name } = table;
  const wanted = new Set(chosen.map(keyOf));
  const sign = select.seriesDescending ? -1 : 1;
  const [last] = chosen.toSorted(
    (left, right) => compareSeries({ name, tags: right }, { name, tags: left }) * sign,
  );
  if (last === undefined) return;
  for await (const piece of points) {
    if (wanted.has(keyOf(piece.series.tags))) yield piece;
    else if (compareSeries(piece.series, { name, tags: last }) * sign > 0) return;
  }
}

type Tags = readonly string[];

function keyOf(tags: Tags): string {
  return JSON.stringify(tags);
}

/**
 * The series that are left. They are counted in the order of texts that name first the tags that a series has, then their values; rows come in
 * the order of values.
 */
async function chosenSeries(
  batches: AsyncIterable<ResultBatch>,
  { dimensions, seriesLimit, seriesOffset }: ResolvedSelect,
): Promise<readonly Tags[]> {
  const all: { readonly tags: Tags; readonly key: string }[] = [];
  for await (const { rowCount, columns } of batches) {
    for (let row = 0; row < rowCount; row += 1) {
      const tags = dimensions.map((_, index) => {
        const column = columns[index];
        const cell = column === undefined ? null : cellAt(column, row);
        return typeof cell === "string" ? cell : "";
      });
      const names = dimensions.filter((_, index) => tags[index] !== "");
      all.push({ tags, key: [...names, ...tags.filter((tag) => tag !== "")].join("|") });
    }
    checkHeld(all.length, "SLIMIT");
  }
  // As in 1.x, SOFFSET without SLIMIT leaves none.
  return all
    .toSorted((left, right) => compareText(left.key, right.key))
    .slice(seriesOffset, seriesOffset + seriesLimit)
    .map(({ tags }) => tags);
}

/** What `condition` demands of tags, whatever fields are; undefined: nothing. */
function ofTags(
  condition: Expression | undefined,
  isField: (name: string) => boolean,
): Expression | undefined {
  if (condition === undefined || condition.kind === "boolean") return condition;
  if (condition.kind === "parenthesized") return ofTags(condition.expression, isField);
  if (
    condition.kind === "binary" &&
    (condition.operator === "AND" || condition.operator === "OR")
  ) {
    const left = ofTags(condition.left, isField);
    const right = ofTags(condition.right, isField);
    if (left !== undefined && right !== undefined) return { ...condition, left, right };
    return condition.operator === "OR" ? undefined : (left ?? right);
  }
  return namesField(condition, isField) ? undefined : condition;
}

function namesField(expression: Expression, isField: (name: string) => boolean): boolean {
  switch (expression.kind) {
    case "variable":
      return isField(expression.name);
    case "parenthesized":
      return namesField(expression.expression, isField);
    case "binary":
      return namesField(expression.left, isField) || namesField(expression.right, isField);
    default:
      return false;
  }
}
