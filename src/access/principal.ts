import { DbError } from "#base/errors.ts";
import type { TokenRecord } from "#catalog/tokens.ts";
import type { Callee } from "#ports/transport.ts";

/** Who sent a request, as far as this node could make sure of it. */
export type Principal =
  /** It brought nothing that this cluster knows, or was not asked. */
  | { readonly kind: "nobody" }
  /** Authorization is switched off. */
  | { readonly kind: "everybody" }
  | AdminPrincipal
  | NodePrincipal;

/** The bearer of a token that may do everything. */
export interface AdminPrincipal {
  readonly kind: "admin";
  /** As the catalog had it when the request came. */
  readonly token: TokenRecord;
}

/** Another node of the cluster. */
export interface NodePrincipal {
  readonly kind: "node";
  /** The start of it that calls, and the number that this call has among those of that start to this node. */
  readonly from: Callee;
  readonly number: number;
  /** SHA-256 of the body that it sent, in hex. */
  readonly bodyHash: string;
  /** What shows who called that the answer is this node's. */
  proveAnswer(status: number, body?: Uint8Array): string;
}

export const NOBODY: Principal = { kind: "nobody" };
export const EVERYBODY: Principal = { kind: "everybody" };

/** Who asks brought no token, or one that is unknown, expired or was replaced. */
export function unauthenticated(): DbError {
  return new DbError("denied", "unauthenticated", "the request was not authenticated");
}
