/** Tokens and who brings them, for tests: over a catalog on any store, with a clock that the test moves. */
import { Access } from "#access/access.ts";
import type { AdminPrincipal } from "#access/principal.ts";
import { TOKEN_SECRET_SIZE } from "#access/token-text.ts";
import { type IssuedToken, Tokens } from "#access/tokens.ts";
import { Catalog } from "#catalog/catalog.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { HandClock } from "./hand-clock.ts";
import { logPorts } from "./logs.ts";

/** The secret of the `count`th token that the node of `seed` makes. */
export function secretOf(seed: number, count: number): Uint8Array {
  const secret = new Uint8Array(TOKEN_SECRET_SIZE);
  new DataView(secret.buffer).setUint32(0, seed);
  new DataView(secret.buffer).setUint32(4, count);
  return secret;
}

/** What a node knows of tokens; `seed` differs between nodes. */
export function accessOn(store: ObjectStore, seed = 1) {
  const clock = new HandClock();
  const stop = new AbortController();
  const catalog = new Catalog("cluster01", logPorts(store, seed), stop.signal);
  let count = 0;
  const makeSecret = () => {
    count += 1;
    return secretOf(seed, count);
  };
  const tokens = new Tokens({ catalog, clock, makeSecret });
  const access = new Access({ catalog, clock, signal: stop.signal });
  return { access, catalog, clock, stop, tokens };
}

/** Who brings the token that was issued. */
export function adminOf({ record }: IssuedToken): AdminPrincipal {
  return { kind: "admin", token: record };
}
