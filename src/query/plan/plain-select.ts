import type { OrderItem, Query, Select, SqlExpression, TableReference } from "../sql/ast.ts";
import { unsupported } from "../sql/errors.ts";

/** A query of one SELECT of at most one table. */
export interface PlainSelect {
  readonly select: Select;
  readonly from: Extract<TableReference, { kind: "table" }> | undefined;
  readonly distinct: boolean;
  readonly groupBy: readonly SqlExpression[];
  readonly orderBy: readonly OrderItem[];
}

/** `query` as the planner takes it. Throws DbError `unsupported` / `sql_unsupported` for all that has more. */
export function plainSelect(query: Query): PlainSelect {
  const { body, orderBy } = query;
  if (query.with.length > 0) throw unsupported("common table expressions (WITH)");
  if (body.kind === "values") throw unsupported("VALUES as a statement");
  if (body.kind === "set") throw unsupported(`set operations (${body.operation.toUpperCase()})`);
  if (body.kind === "query") throw unsupported("a query in parentheses");
  if (!("length" in orderBy)) throw unsupported("ORDER BY ALL");
  if (typeof body.distinct !== "string") throw unsupported("DISTINCT ON");
  if (body.windows.length > 0 || body.qualify !== undefined) throw unsupported("window functions");
  const { distinct } = body;
  return {
    select: body,
    from: plainTable(body.from),
    distinct: distinct === "rows",
    groupBy: plainGroups(body),
    orderBy,
  };
}

const UNBUILT = {
  join: "joins",
  subquery: "subqueries in FROM",
  unnest: "UNNEST",
  table_function: "table functions",
} as const;

function plainTable(from: readonly TableReference[]): PlainSelect["from"] {
  const [table, second] = from;
  if (second !== undefined) throw unsupported("joins");
  if (table === undefined) return undefined;
  if (table.kind !== "table") throw unsupported(UNBUILT[table.kind]);
  if (table.alias !== undefined && table.alias.columns.length > 0) {
    throw unsupported("aliases of columns in FROM");
  }
  return table;
}

function plainGroups({ groupBy }: Select): readonly SqlExpression[] {
  if (groupBy === "all") throw unsupported("GROUP BY ALL");
  return groupBy.map((item) => {
    if (item.kind !== "expression") throw unsupported("GROUPING SETS, CUBE and ROLLUP");
    return item.expression;
  });
}
