import type { Credential } from "#access/credential.ts";
import type { Principal } from "#access/principal.ts";
import type { Field } from "#model/query/plan.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";

/** What the Flight surface calls. node/ fulfils it; tests pass small objects. */
export interface FlightServices {
  /** Who has `credential`; nobody where it is none that is known. Rejects with `unavailable` / `token_unchecked`. */
  authenticate(credential: Credential, signal: AbortSignal): Promise<Principal>;
  query(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer>;
  /** The fields of what `query` would answer. */
  describe(request: QueryRequest, signal: AbortSignal): Promise<readonly Field[]>;
}
