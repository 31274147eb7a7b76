import { type AccessPolicy, authorize, isOpen } from "#access/authorize.ts";
import { type Credential, parseAuthorization } from "#access/credential.ts";
import type { NodeCall } from "#access/node-call.ts";
import { EVERYBODY, NOBODY, type Principal } from "#access/principal.ts";
import type { Match } from "./router.ts";
import type { HttpServices } from "./services.ts";

/** What a request says of itself before its body is read. */
export interface Caller extends NodeCall {
  /** What follows the `?` of its path. */
  readonly query: string | undefined;
  readonly authorization: string | undefined;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
}

/**
 * The one door of the surface: who sent a request, which may do what its route needs.
 * Rejects with `denied`, `invalid` / `authorization_malformed`, `unavailable` / `token_unchecked`.
 */
export async function admit(
  caller: Caller,
  match: Match,
  policy: AccessPolicy,
  services: HttpServices,
): Promise<Principal> {
  if (isOpen(policy, match.needs)) return policy.withoutAuth ? EVERYBODY : NOBODY;
  const principal = await services.authenticate(credentialOf(caller, match), caller.signal);
  authorize(principal, match.needs);
  return principal;
}

/** The parameter `p` of InfluxDB 1 beats the header. */
function credentialOf(caller: Caller, { tokenParameter }: Match): Credential {
  const password = tokenParameter ? new URLSearchParams(caller.query ?? "").get("p") : null;
  if (password) return { kind: "token", token: password };
  const { method, path, authorization } = caller;
  return parseAuthorization(authorization, { method, path });
}
