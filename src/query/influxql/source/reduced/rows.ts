/** Rows that the engine reduced, as points. */
import type { ResultColumn } from "#model/query/result.ts";
import type { Points } from "../../points.ts";
import type { Part } from "./parts.ts";

/** `points`, whose columns are those of the calls of `parts`, with a column for each part. */
export async function* finishedPoints(
  points: AsyncIterable<Points>,
  parts: readonly Part[],
): AsyncGenerator<Points> {
  for await (const piece of points) yield { ...piece, columns: columnsOf(piece.columns, parts) };
}

function columnsOf(
  found: readonly ResultColumn[],
  parts: readonly Part[],
): readonly ResultColumn[] {
  let next = 0;
  return parts.map(({ calls, finish }) => {
    const start = next;
    next += calls.length;
    return finish(found.slice(start, next));
  });
}
