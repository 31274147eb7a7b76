/** CREATE, DROP and SHOW CONTINUOUS QUERIES: kept in the catalog; what runs them reads them there. */
import { DbError } from "#base/errors.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import { continuousQueryKey } from "#catalog/v1/continuous-queries.ts";
import {
  findPolicy,
  policyNotFound,
  requirePolicies,
  v1DatabaseNames,
} from "#catalog/v1/policies.ts";
import type { StatementAnswer } from "../answer.ts";
import type {
  ContinuousQueryStatement,
  MeasurementSource,
  MeasurementTarget,
  SelectStatement,
  Source,
} from "../ast.ts";
import { printStatement } from "../print/print.ts";
import { type MetaContext, type MetaOptions, newestCatalog } from "./context.ts";
import { answerOf, NO_ROWS, texts } from "./rows.ts";

const QUERY_COUNT_MAX = 1_000;
/** Characters of one statement. */
const TEXT_LENGTH_MAX = 65_536;

type Creation = Extract<ContinuousQueryStatement, { kind: "create_continuous_query" }>;

/** Rejects with `database_not_found`, `policy_not_found`, `continuous_query_exists`, `continuous_query_limit`. */
export async function changeContinuousQueries(
  statement: ContinuousQueryStatement,
  { changes }: MetaOptions,
): Promise<StatementAnswer> {
  const { database, name } = statement;
  const key = continuousQueryKey({ database, name });
  await changes.change(database, (state) => {
    const known = state.continuousQueries.get(key);
    if (statement.kind === "drop_continuous_query")
      return known === undefined ? [] : [{ kind: "drop_continuous_query", database, name }];
    const text = wholeText(state, statement);
    if (known === undefined) {
      if (state.continuousQueries.size >= QUERY_COUNT_MAX) throw tooMany();
      return [{ kind: "create_continuous_query", query: { database, name, text } }];
    }
    if (known.text === text) return [];
    throw new DbError("conflict", "continuous_query_exists", "continuous query already exists", {
      detail: { database, name },
    });
  });
  return NO_ROWS;
}

/** A list for each database. */
export async function showContinuousQueries(
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const state = await newestCatalog(options, context);
  const queries = [...state.continuousQueries.values()];
  const lists = v1DatabaseNames(state).map((database) => {
    const own = queries.filter((query) => query.database === database);
    const rows = own.map(({ name, text }) => [name, text]);
    return { name: database, columns: texts("name", "query"), rows };
  });
  return answerOf(lists);
}

/** The statement with the database and the policy of each source and target: what is the default then stays meant. */
function wholeText(state: CatalogState, statement: Creation): string {
  requirePolicies(state, statement.database);
  const select = wholeSelect(state, statement.select, statement.database);
  const text = printStatement({ ...statement, select });
  if (text.length <= TEXT_LENGTH_MAX) return text;
  throw new DbError(
    "exceeded",
    "continuous_query_limit",
    `a continuous query has ${TEXT_LENGTH_MAX} characters at most`,
    { detail: { textLengthMax: TEXT_LENGTH_MAX } },
  );
}

function wholeSelect(
  state: CatalogState,
  select: SelectStatement,
  database: string,
): SelectStatement {
  const { from, into } = select;
  return {
    ...select,
    into: into && { ...into, ...wholeNames(state, into, database) },
    from: from.map((source) => wholeSource(state, source, database)),
  };
}

function wholeSource(state: CatalogState, source: Source, database: string): Source {
  if (source.kind === "subquery")
    return { ...source, select: wholeSelect(state, source.select, database) };
  return { ...source, ...wholeNames(state, source, database) };
}

/** Throws `database_not_found`, `policy_not_found`. */
function wholeNames(
  state: CatalogState,
  named: MeasurementSource | MeasurementTarget,
  asked: string,
): { readonly database: string; readonly retentionPolicy: string } {
  const database = named.database || asked;
  requirePolicies(state, database);
  const policy = findPolicy(state, database, named.retentionPolicy);
  if (policy === undefined) throw policyNotFound(`${database}.${named.retentionPolicy}`);
  return { database, retentionPolicy: policy.name };
}

function tooMany(): DbError {
  return new DbError(
    "exceeded",
    "continuous_query_limit",
    `there are ${QUERY_COUNT_MAX} continuous queries, at most so many may be: drop one`,
    { detail: { queryCountMax: QUERY_COUNT_MAX } },
  );
}
