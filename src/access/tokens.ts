import { DbError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { CatalogChange } from "#catalog/changes.ts";
import { findToken, OPERATOR_TOKEN_ID, type TokenRecord } from "#catalog/tokens.ts";
import type { Clock } from "#ports/clock.ts";
import { type AdminPrincipal, unauthenticated } from "./principal.ts";
import { checkTokenName, hashToken, OPERATOR_NAME, tokenText } from "./token-text.ts";

export interface TokensOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** TOKEN_SECRET_SIZE bytes that nobody guesses. */
  readonly makeSecret: () => Uint8Array;
}

/** A token and its text, which is known only now. */
export interface IssuedToken {
  readonly record: TokenRecord;
  readonly text: string;
}

/** A token that somebody made elsewhere and gives to a cluster that has none. */
export interface GivenToken extends AdminTokenRequest {
  readonly text: string;
}

export interface AdminTokenRequest {
  readonly name: string;
  /** From then on it is refused; undefined: never. */
  readonly expiresAtNs: bigint | undefined;
}

const TOKEN_COUNT_MAX = 1_000;

/** What is stored of a token that is in no catalog yet. */
type NewToken = Omit<TokenRecord, "id">;

/**
 * Makes, replaces and deletes tokens. What may be is decided on the newest state of the catalog, by the transaction itself: so a cluster gets
 * one operator's token however many nodes are asked for it at once, and who asks with a token that is deleted or replaced by then is refused.
 */
export class Tokens {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #makeSecret: () => Uint8Array;

  constructor({ catalog, clock, makeSecret }: TokensOptions) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#makeSecret = makeSecret;
  }

  /** Makes the first token of the cluster, the operator's, for whoever asks first. Rejects with `conflict` / `token_exists`. */
  async createOperator(): Promise<IssuedToken> {
    // Who asks need not be known, so it costs no request to the store where the answer is clear.
    refuseSecondOperator(this.#catalog.state);
    await this.#catalog.refresh();
    return this.#issue({ name: OPERATOR_NAME, expiresAtNs: undefined }, (state, token) => {
      refuseSecondOperator(state);
      return { kind: "create_token", token: { id: OPERATOR_TOKEN_ID, ...token } };
    });
  }

  /** Makes `given` the operator's token where the cluster has no token at all. Resolves with whether it did. */
  async adopt(given: GivenToken): Promise<boolean> {
    checkTokenName(given.name);
    await this.#catalog.refresh();
    const token = this.#newToken(given, given.text);
    let isAdopted = false;
    await this.#catalog.transact((state) => {
      isAdopted = state.tokens.size === 0;
      return isAdopted
        ? [{ kind: "create_token", token: { id: OPERATOR_TOKEN_ID, ...token } }]
        : [];
    });
    return isAdopted;
  }

  /**
   * Replaces the text of the operator's token, whose bearer is `by`, by one that does not expire; the old text is refused from then on.
   * Rejects with `denied` / `unauthenticated` where somebody else has replaced it.
   */
  async replaceOperator(by: AdminPrincipal): Promise<IssuedToken> {
    await this.#catalog.refresh();
    const { id, name } = by.token;
    return this.#issue({ name, expiresAtNs: undefined }, (state, { hash, createdAtNs }) => {
      this.#refuseRevoked(state, by);
      return { kind: "replace_token", id, hash, updatedAtNs: createdAtNs, updatedBy: id };
    });
  }

  /** As `replaceOperator`, for whoever may: who has lost the text. Rejects with `not_found` / `token_not_found` where there is none. */
  async recoverOperator(): Promise<IssuedToken> {
    const { tokens } = await this.#catalog.refresh();
    const name = tokens.get(OPERATOR_TOKEN_ID)?.name ?? OPERATOR_NAME;
    return this.#issue({ name, expiresAtNs: undefined }, (state, { hash, createdAtNs }) => {
      if (!state.tokens.has(OPERATOR_TOKEN_ID)) throw tokenNotFound(name);
      return { kind: "replace_token", id: OPERATOR_TOKEN_ID, hash, updatedAtNs: createdAtNs };
    });
  }

  /**
   * Makes a token that may do everything.
   * Rejects with `conflict` / `token_exists`, `invalid` / `token_name`, `exceeded` / `token_limit`, `denied` / `unauthenticated`.
   */
  async createAdmin(request: AdminTokenRequest, by: AdminPrincipal): Promise<IssuedToken> {
    checkTokenName(request.name);
    await this.#catalog.refresh();
    return this.#issue(request, (state, token) => {
      this.#refuseRevoked(state, by);
      if (findToken(state, request.name) !== undefined) throw tokenExists(request.name);
      if (state.tokens.size >= TOKEN_COUNT_MAX) throw tooMany();
      const createdBy = by.token.id;
      return { kind: "create_token", token: { id: state.nextTokenId, ...token, createdBy } };
    });
  }

  /** Rejects with `not_found` / `token_not_found`, `unsupported` / `token_operator`, `denied` / `unauthenticated`. */
  async delete(name: string, by: AdminPrincipal): Promise<void> {
    await this.#catalog.refresh();
    await this.#catalog.transact((state) => {
      this.#refuseRevoked(state, by);
      const token = findToken(state, name);
      if (token === undefined) throw tokenNotFound(name);
      if (token.id === OPERATOR_TOKEN_ID) throw operatorStays();
      return [{ kind: "delete_token", id: token.id }];
    });
  }

  /** Commits the change that `decide` makes with a new text, and resolves with the token that has it then. */
  async #issue(
    request: AdminTokenRequest,
    decide: (state: CatalogState, token: NewToken) => CatalogChange,
  ): Promise<IssuedToken> {
    const text = tokenText(this.#makeSecret());
    const token = this.#newToken(request, text);
    const { tokens } = await this.#catalog.transact((state) => [decide(state, token)]);
    const record = [...tokens.values()].find(({ hash }) => hash === token.hash);
    if (record === undefined) throw new DbError("internal", "assertion_failed", "it was just made");
    return { record, text };
  }

  #newToken({ name, expiresAtNs }: AdminTokenRequest, text: string): NewToken {
    const hash = hashToken(text);
    const createdAtNs = this.#clock.nowNs();
    return { name, hash, grant: { kind: "admin" }, createdAtNs, expiresAtNs };
  }

  /** What a token may do ends with it, also on a node that has not heard of its end. */
  #refuseRevoked({ tokens }: CatalogState, { token }: AdminPrincipal): void {
    const found = tokens.get(token.id);
    if (found?.hash !== token.hash || isExpired(found, this.#clock.nowNs()))
      throw unauthenticated();
  }
}

export function isExpired({ expiresAtNs }: TokenRecord, nowNs: bigint): boolean {
  return expiresAtNs !== undefined && expiresAtNs <= nowNs;
}

function refuseSecondOperator({ tokens }: CatalogState): void {
  const operator = tokens.get(OPERATOR_TOKEN_ID);
  if (operator !== undefined) throw tokenExists(operator.name);
}

function tokenExists(name: string): DbError {
  return new DbError("conflict", "token_exists", `token name already exists, ${name}`, {
    detail: { name },
  });
}

function tokenNotFound(name: string): DbError {
  return new DbError("not_found", "token_not_found", `token not found: ${name}`, {
    detail: { name },
  });
}

function operatorStays(): DbError {
  return new DbError("unsupported", "token_operator", "cannot delete operator token");
}

function tooMany(): DbError {
  return new DbError(
    "exceeded",
    "token_limit",
    `a cluster has at most ${TOKEN_COUNT_MAX} tokens: delete those that nobody needs`,
    { detail: { tokenCountMax: TOKEN_COUNT_MAX } },
  );
}
