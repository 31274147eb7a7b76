import { v1NameOf } from "#model/database-name.ts";
import type { CatalogState } from "../catalog-state.ts";
import type { CatalogChange } from "../changes.ts";

/**
 * What goes with databases of ours that are dropped, where a database of InfluxDB 1 has no others: its continuous queries, and what users
 * may do in it. What bears its name later is another one.
 */
export function forgottenWith(
  state: CatalogState,
  droppedNames: readonly string[],
): readonly CatalogChange[] {
  const dropped = new Set(droppedNames);
  const left = new Set(
    [...state.databaseIds.keys()].filter((name) => !dropped.has(name)).map(v1NameOf),
  );
  const gone = new Set(droppedNames.map(v1NameOf).filter((name) => !left.has(name)));
  const queries = [...state.continuousQueries.values()].filter(({ database }) =>
    gone.has(database),
  );
  const users = [...state.users.values()].filter(({ grants }) =>
    grants.some(({ database }) => gone.has(database)),
  );
  return [
    ...queries.map(
      ({ database, name }) => ({ kind: "drop_continuous_query", database, name }) as const,
    ),
    ...users.map((user) => {
      const grants = user.grants.filter(({ database }) => !gone.has(database));
      return { kind: "set_user", user: { ...user, grants } } as const;
    }),
  ];
}
