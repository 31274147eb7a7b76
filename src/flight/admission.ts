import { type AccessPolicy, type Action, authorize, isOpen } from "#access/authorize.ts";
import { parseAuthorization } from "#access/credential.ts";
import { DbError } from "#base/errors.ts";
import type { Call } from "./grpc/call.ts";
import type { FlightServices } from "./services.ts";

/**
 * The one door of the surface: lets a call through whose sender may do `action`.
 * Rejects with `denied`: `unauthenticated` without a token, `forbidden` with one that is unknown or may not; `unavailable` / `token_unchecked`.
 */
export async function admit(
  call: Call,
  action: Action,
  policy: AccessPolicy,
  services: FlightServices,
): Promise<void> {
  if (isOpen(policy, action)) return;
  const { authorization } = call.headers;
  const credential = parseAuthorization(authorization, { method: "POST", path: call.path });
  const principal = await services.authenticate(credential, call.signal);
  if (principal.kind === "nobody" && credential.kind !== "none")
    throw new DbError("denied", "forbidden", "this token is none that the cluster knows");
  authorize(principal, action);
}
