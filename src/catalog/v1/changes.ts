import {
  applyContinuousQueryChange,
  type ContinuousQueryChange,
  type ContinuousQueryState,
  continuousQueryChangeSchemas,
} from "./continuous-queries.ts";
import { applyUserChange, type UserChange, type UserState, userChangeSchemas } from "./users.ts";

/** What statements of InfluxDB 1 keep in the catalog, beside databases. */
export interface V1State extends UserState, ContinuousQueryState {}

export type V1Change = UserChange | ContinuousQueryChange;

/** As they are stored. */
export const v1ChangeSchemas = [...userChangeSchemas, ...continuousQueryChangeSchemas] as const;

const KINDS: ReadonlySet<string> = new Set(
  v1ChangeSchemas.map(({ entries }) => entries.kind.literal),
);

export function isV1Change<Change extends { readonly kind: string }>(
  change: Change,
): change is Extract<Change, V1Change> {
  return KINDS.has(change.kind);
}

/** What of `state` is another after `change`. */
export function applyV1Change(state: V1State, change: V1Change): Partial<V1State> {
  switch (change.kind) {
    case "set_user":
    case "drop_user":
      return applyUserChange(state, change);
    case "create_continuous_query":
    case "drop_continuous_query":
    case "set_continuous_run":
      return applyContinuousQueryChange(state, change);
  }
}
