import type { TableReference } from "../../sql/ast.ts";
import { scopeOf } from "../bind/scope.ts";
import { collectOuter, deepened } from "../moving.ts";
import type { Environment, Rows } from "./environment.ts";
import { type Joining, joined } from "./join.ts";
import { aliased, findTable } from "./stored.ts";
import { seriesRows, unnestRows } from "./unnest.ts";

/** SELECT without FROM: one row of no columns. */
const NOTHING: Rows = { plan: { kind: "values", fields: [], rows: [[]] }, columns: [] };

/** What FROM names, one after the other. Throws as `planStatement`. */
export function planFrom(from: readonly TableReference[], environment: Environment): Rows {
  let rows: Rows | undefined;
  for (const reference of from) {
    rows =
      rows === undefined
        ? planReference(reference, environment)
        : planPair({ join: "cross", left: rows }, reference, environment);
  }
  return rows ?? NOTHING;
}

function planReference(reference: TableReference, environment: Environment): Rows {
  switch (reference.kind) {
    case "table":
      return findTable(reference.name, reference.alias, environment);
    case "subquery": {
      const rows = environment.planQuery(reference.query, environment);
      return reference.alias === undefined ? rows : aliased(rows, reference.alias);
    }
    case "join": {
      const left = planReference(reference.left, environment);
      return planPair({ ...reference, left }, reference.right, environment);
    }
    case "table_function":
    case "unnest": {
      const rows =
        reference.kind === "unnest"
          ? unnestRows(reference, environment)
          : seriesRows(reference, environment);
      return reference.alias === undefined ? rows : aliased(rows, reference.alias);
    }
  }
}

/** A join whose right side is still a name; one that names rows of the left side is planned among their columns. */
function planPair(
  pairing: Omit<Joining, "right" | "lateral">,
  reference: TableReference,
  environment: Environment,
): Rows {
  if (!mayNameLeft(reference)) {
    const right = planReference(reference, environment);
    return joined({ ...pairing, right, lateral: false }, environment);
  }
  const parent = scopeOf(pairing.left.columns, environment.parent);
  const rows = planReference(reference, { ...environment, parent });
  const named = new Set<number>();
  collectOuter(rows.plan, named);
  const lateral = named.size > 0;
  const plan = lateral ? rows.plan : deepened(rows.plan, -1);
  return joined({ ...pairing, right: { ...rows, plan }, lateral }, environment);
}

/** UNNEST needs no word to name the tables before it. */
function mayNameLeft(reference: TableReference): boolean {
  return reference.kind === "unnest" || ("lateral" in reference && reference.lateral);
}
