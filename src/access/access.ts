import { untilAborted } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { TokenRecord, TokenState } from "#catalog/tokens.ts";
import type { Clock } from "#ports/clock.ts";
import type { Callee } from "#ports/transport.ts";
import type { Credential } from "./credential.ts";
import { equalTexts } from "./equal-texts.ts";
import { CallsTaken, memberOf, type NodeCall, verifyCall } from "./node-call.ts";
import { NOBODY, type Principal } from "./principal.ts";
import { hashToken, isTokenText } from "./token-text.ts";
import { isExpired } from "./tokens.ts";

export interface AccessOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

/** Between the beginnings of two looks at the catalog for tokens that this node does not know. */
const LOOK_INTERVAL_MS = 1_000;
const LOOK_WAIT_MS_MAX = 5_000;
/** Requests that wait for a look: more would keep connections from those whose tokens are known. */
const LOOK_WAITERS_MAX = 256;
/** Characters of a hash by which tokens are grouped: nearly always one to a group. */
const GROUP_SIZE = 8;

/** Tells who sent a request. */
export class Access {
  readonly #options: AccessOptions;
  readonly #calls = new CallsTaken();
  #grouped: TokenState["tokens"] | undefined;
  #groups: ReadonlyMap<string, readonly TokenRecord[]> = new Map();
  /** The look that is yet to begin: whoever asks before shares it. */
  #nextLook: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #waiterCount = 0;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /**
   * Who has `credential`; nobody where it is unknown or expired. A token that this node has not heard of is looked for at the catalog's tail
   * before, at most once a second for all such tokens together.
   *
   * Rejects with `unavailable` / `token_unchecked` where the store did not answer or too many wait for it, and the reason of `signal`.
   */
  async authenticate(credential: Credential, signal: AbortSignal): Promise<Principal> {
    switch (credential.kind) {
      case "none":
        return NOBODY;
      case "token":
        return this.#bearerOf(credential.token, signal);
      case "node_call":
        return this.#callerOf(credential.call, credential.proof);
    }
  }

  /** Nobody makes a call that was made before, nor does a start that is over. */
  #callerOf(call: NodeCall, proof: string): Principal {
    const { catalog } = this.#options;
    const self = memberOf(catalog);
    const node = self && verifyCall(self, call, proof);
    if (node === undefined || isOver(node.from, catalog.state)) return NOBODY;
    return this.#calls.take(node) ? node : NOBODY;
  }

  async #bearerOf(text: string, signal: AbortSignal): Promise<Principal> {
    if (!isTokenText(text)) return NOBODY;
    const hash = hashToken(text);
    let token = this.#find(hash);
    if (token === undefined) {
      await this.#look(signal);
      token = this.#find(hash);
    }
    if (token === undefined || isExpired(token, this.#options.clock.nowNs())) return NOBODY;
    return { kind: token.grant.kind, token };
  }

  #find(hash: string): TokenRecord | undefined {
    const { tokens } = this.#options.catalog.state;
    if (this.#grouped !== tokens) {
      this.#groups = Map.groupBy(tokens.values(), (token) => token.hash.slice(0, GROUP_SIZE));
      this.#grouped = tokens;
    }
    const group = this.#groups.get(hash.slice(0, GROUP_SIZE)) ?? [];
    return group.find((token) => equalTexts(token.hash, hash));
  }

  /** Reads the catalog on to a tail that is not older than this call. */
  async #look(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (this.#waiterCount >= LOOK_WAITERS_MAX) throw unchecked();
    this.#waiterCount += 1;
    this.#nextLook ??= this.#takeLook();
    const end = new AbortController();
    const late = clock.sleep(LOOK_WAIT_MS_MAX, end.signal).then(() => {
      const message = `the object store has not answered for ${LOOK_WAIT_MS_MAX} ms`;
      throw new DbError("unavailable", "store_unreachable", message);
    });
    try {
      await untilAborted(Promise.race([this.#nextLook, late]), signal);
    } catch (error) {
      if (signal.aborted || !isKind(error, "unavailable")) throw error;
      throw unchecked(error);
    } finally {
      this.#waiterCount -= 1;
      end.abort();
    }
  }

  async #takeLook(): Promise<void> {
    const { catalog, clock, signal } = this.#options;
    const restMs = this.#lookedAtMs + LOOK_INTERVAL_MS - clock.monotonicMs();
    // Also where nothing is left to wait for: the caller notes this look before it begins.
    await (restMs > 0 ? clock.sleep(restMs, signal) : Promise.resolve());
    this.#nextLook = undefined;
    this.#lookedAtMs = clock.monotonicMs();
    await catalog.refresh();
  }
}

/** Whether the node was removed, or started again, since. Of a start that this process has not read of nothing is known. */
function isOver({ node, epoch }: Callee, { nodes, removed }: CatalogState): boolean {
  const endedIn = removed.get(node)?.epoch ?? 0;
  return epoch <= endedIn || epoch < (nodes.get(node)?.epoch ?? 0);
}

function unchecked(cause?: DbError): DbError {
  return new DbError(
    "unavailable",
    "token_unchecked",
    "this node does not know the token, and could not find out in time whether it is a new one: try again",
    { cause },
  );
}
