import { DbError } from "#base/errors.ts";
import { OPERATOR_TOKEN_ID } from "#catalog/tokens.ts";
import { type Principal, unauthenticated } from "./principal.ts";

/** What a request wants to do. Each path of each surface names the one that it needs. */
export type Action =
  /** Nothing that anybody is kept from. */
  | "open"
  /** What nodes say to each other. */
  | "call_node"
  | "see_health"
  | "see_version"
  | "see_metrics"
  | "write"
  | "query"
  /** Databases, and all else that is set up and taken down. */
  | "configure"
  /** To call what plugins answer, and to try plugins. */
  | "run_plugins"
  | "manage_tokens"
  | "replace_operator_token"
  /** To learn that a path is none. */
  | "look_around";

/** What a node asks no token for. */
export interface AccessPolicy {
  /** Everybody may do what users may. */
  readonly withoutAuth: boolean;
  readonly openActions: readonly Action[];
}

/** Whether nobody is asked who he is before `action`. Calls between nodes always prove themselves: no user makes them. */
export function isOpen({ openActions, withoutAuth }: AccessPolicy, action: Action): boolean {
  if (action === "call_node") return false;
  return action === "open" || withoutAuth || openActions.includes(action);
}

/**
 * The one place that decides who may do what. Rejects with `denied`: `unauthenticated` where nobody known asks, else `forbidden`.
 *
 * Later tokens that may do less are decided here as well: an action will then name what it touches.
 */
export function authorize(principal: Principal, action: Action): void {
  if (isAllowed(principal, action)) return;
  if (principal.kind === "nobody") throw unauthenticated();
  throw new DbError(
    "denied",
    "forbidden",
    action === "replace_operator_token"
      ? "the operator's token is replaced only by who brings it"
      : "this token may not do that",
    { detail: { action } },
  );
}

function isAllowed(principal: Principal, action: Action): boolean {
  switch (principal.kind) {
    case "nobody":
      return action === "open";
    case "everybody":
      return action !== "call_node";
    case "node":
      return action === "call_node" || action === "open";
    case "admin":
      if (action === "replace_operator_token") return principal.token.id === OPERATOR_TOKEN_ID;
      return action !== "call_node";
  }
}
