import { assert } from "#base/errors.ts";
import { bigintText, v } from "#base/schema.ts";
import type { Epoch, NodeNumber } from "#model/ids.ts";

/** A query that is run again and again over the newest rows, as InfluxDB 1 has them. */
export interface ContinuousQueryRecord {
  /** As InfluxDB 1 names it: with all its retention policies. */
  readonly database: string;
  readonly name: string;
  /** The statement that creates it, with all its databases and policies named. */
  readonly text: string;
  /** Undefined until a node has looked at it first. */
  readonly run?: ContinuousRun | undefined;
}

/** How far a continuous query is. */
export interface ContinuousRun {
  /** The run of this time, and all before, are finished; undefined: none is. */
  readonly doneNs?: bigint | undefined;
  readonly claim?: RunClaim | undefined;
}

/** The run that a node does, in one of its epochs. */
export interface RunClaim {
  readonly node: NodeNumber;
  readonly epoch: Epoch;
  /** The time at which it was due. */
  readonly dueNs: bigint;
  /** The rows that it reads, `endNs` excluded. */
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** The continuous queries of a catalog. */
export interface ContinuousQueryState {
  /** By `continuousQueryKey`, in order of their creation. The same map as long as none changes. */
  readonly continuousQueries: ReadonlyMap<string, ContinuousQueryRecord>;
}

const named = { database: v.string(), name: v.string() } as const;
const created = { ...named, text: v.string() } as const;
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const runSchema = v.object({
  doneNs: v.optional(bigintText),
  claim: v.optional(
    v.object({
      node: v.pipe(
        whole,
        v.transform((number) => number as NodeNumber),
      ),
      epoch: whole,
      dueNs: bigintText,
      startNs: bigintText,
      endNs: bigintText,
    }),
  ),
});

/** As a checkpoint has it. */
export const continuousQuerySchema = v.object({ ...created, run: v.optional(runSchema) });

/** The changes of continuous queries, as they are stored. */
export const continuousQueryChangeSchemas = [
  v.object({ kind: v.literal("create_continuous_query"), query: v.object(created) }),
  v.object({ kind: v.literal("drop_continuous_query"), ...named }),
  v.object({ kind: v.literal("set_continuous_run"), ...named, run: runSchema }),
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
    case "set_continuous_run": {
      const key = continuousQueryKey(change);
      const query = continuousQueries.get(key);
      assert(query !== undefined, "the continuous query is there");
      continuousQueries.set(key, { ...query, run: change.run });
      return { continuousQueries };
    }
  }
}
