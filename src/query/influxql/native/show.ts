/** What InfluxDB 3 tells of all databases in answer to InfluxQL, from the catalog. */
import type { CatalogState } from "#catalog/catalog-state.ts";
import { requirePolicies, v1DatabaseNames } from "#catalog/v1/policies.ts";
import { AUTOGEN, INTERNAL_DATABASE } from "#model/database-name.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { DAY_NS } from "#model/time-units.ts";
import type { QueryAnswer } from "../../query.ts";
import { goDuration } from "../meta/go-text.ts";

const INTERNAL_RETENTION_NS = 7n * DAY_NS;
const DATABASES = /^\s*show\s+databases\s*;?\s*$/i;
const POLICIES = /^\s*show\s+retention\s+policies\s*;?\s*$/i;

/** The answer to `text` in `database`, empty where none was named; undefined where it asks for something else. */
export function findShown(
  text: string,
  database: string,
  state: CatalogState,
): QueryAnswer | undefined {
  if (DATABASES.test(text)) return databases(state);
  return POLICIES.test(text) && database === "" ? policies(state) : undefined;
}

function databases(state: CatalogState): QueryAnswer {
  const all = [...state.databases.values()];
  const names = [INTERNAL_DATABASE, ...all.map(({ name }) => name)];
  const deleted = Uint8Array.from([
    0,
    ...all.map(({ dropped }) => (dropped === undefined ? 0 : 1)),
  ]);
  return answer([
    ["iox::database", { type: "string", values: names }],
    ["deleted", { type: "boolean", values: deleted }],
  ]);
}

function policies(state: CatalogState): QueryAnswer {
  const all = [
    { database: INTERNAL_DATABASE, name: AUTOGEN, durationNs: INTERNAL_RETENTION_NS },
    ...v1DatabaseNames(state).flatMap((database) =>
      requirePolicies(state, database).map(({ durationNs, name }) => ({
        database,
        name,
        durationNs,
      })),
    ),
  ];
  return answer([
    ["iox::database", { type: "string", values: all.map(({ database }) => database) }],
    ["name", { type: "string", values: all.map(({ name }) => name) }],
    ["duration", { type: "string", values: all.map(({ durationNs }) => goDuration(durationNs)) }],
  ]);
}

function answer(
  columns: readonly (readonly [string, Extract<ResultColumn, { type: "boolean" | "string" }>])[],
): QueryAnswer {
  const fields = columns.map(([name, { type }]): Field => ({ name, type }));
  const rowCount = columns[0]?.[1].values.length ?? 0;
  return { fields, batches: one({ rowCount, columns: columns.map(([, column]) => column) }) };
}

async function* one(batch: ResultBatch): AsyncGenerator<ResultBatch> {
  yield batch;
}
