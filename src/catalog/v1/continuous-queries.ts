import { assert } from "#base/errors.ts";
import { v } from "#base/schema.ts";

/** A query that is run again and again over the newest rows, as InfluxDB 1 has them. */
export interface ContinuousQueryRecord {
  /** As InfluxDB 1 names it: with all its retention policies. */
  readonly database: string;
  readonly name: string;
  /** The statement that creates it, with all its databases and policies named. */
  readonly text: string;
}

/** The continuous queries of a catalog. */
export interface ContinuousQueryState {
  /** By `continuousQueryKey`, in order of their creation. The same map as long as none changes. */
  readonly continuousQueries: ReadonlyMap<string, ContinuousQueryRecord>;
}

export const continuousQuerySchema = v.object({
  database: v.string(),
  name: v.string(),
  text: v.string(),
});

/** The changes of continuous queries, as they are stored. */
export const continuousQueryChangeSchemas = [
  v.object({ kind: v.literal("create_continuous_query"), query: continuousQuerySchema }),
  v.object({
    kind: v.literal("drop_continuous_query"),
    database: v.string(),
    name: v.string(),
  }),
] as const;

export type ContinuousQueryChange = v.InferOutput<(typeof continuousQueryChangeSchemas)[number]>;

/** No two have one. */
export function continuousQueryKey({
  database,
  name,
}: Pick<ContinuousQueryRecord, "database" | "name">): string {
  return JSON.stringify([database, name]);
}

/** `state` after `change`. */
export function applyContinuousQueryChange(
  state: ContinuousQueryState,
  change: ContinuousQueryChange,
): ContinuousQueryState {
  const continuousQueries = new Map(state.continuousQueries);
  switch (change.kind) {
    case "create_continuous_query": {
      const key = continuousQueryKey(change.query);
      assert(!continuousQueries.has(key), "the continuous query is new");
      continuousQueries.set(key, change.query);
      return { continuousQueries };
    }
    case "drop_continuous_query":
      assert(continuousQueries.delete(continuousQueryKey(change)), "the continuous query is there");
      return { continuousQueries };
  }
}
