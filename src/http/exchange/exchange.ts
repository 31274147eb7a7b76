import type { IncomingHttpHeaders } from "node:http";
import type { Principal } from "#access/principal.ts";
import { assert } from "#base/errors.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import type { Random } from "#ports/random.ts";
import type { HttpServices } from "../services.ts";

/** The request header, and the header of a write's answer, that carry write tokens. */
export const WRITE_TOKEN_HEADER = "x-tidelake-write-token";

/** One request, as an endpoint sees it. */
export interface Exchange {
  readonly services: HttpServices;
  /** Who sent it; may do what its route needs. */
  readonly principal: Principal;
  /** What follows the `?`; undefined when there is none. */
  readonly query: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client leaves or the server stops waiting. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * The whole body, inflated. Rejects with `invalid` / `content_encoding` or `body_gzip`, `exceeded` / `request_size` or
   * `request_memory`, `unavailable` / `request_stalled`, `denied` / `unauthenticated` where it is not what another node sent. Call it once.
   */
  readBody(): Promise<Uint8Array>;
}

/** The node that calls, as it has proven it: what a body says of that is not asked. Of exchanges on paths that only nodes may call. */
export function callingNode({ principal }: Exchange): NodeNumber {
  assert(principal.kind === "node", "the path is open to nodes alone");
  return principal.from.node;
}

/** The write tokens that came with a request: in headers, each one or several by comma, and in `parameter`. */
export function writeTokens(exchange: Exchange, parameter: string | undefined): readonly string[] {
  const header = exchange.headers[WRITE_TOKEN_HEADER] ?? [];
  return [header, parameter ?? []]
    .flat()
    .flatMap((list) => list.split(","))
    .map((token) => token.trim())
    .filter((token) => token !== "");
}
