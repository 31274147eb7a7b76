import { assert } from "#base/errors.ts";
import { bigintText, v } from "#base/schema.ts";
import type { TokenId } from "#model/ids.ts";

/** A token as the cluster knows it. Its text is nowhere: whoever has it was shown it once. */
export interface TokenRecord {
  readonly id: TokenId;
  /** No two tokens have one name. */
  readonly name: string;
  /** SHA-512 of its text, in lower-case hex. */
  readonly hash: string;
  readonly grant: TokenGrant;
  readonly createdAtNs: bigint;
  /** The token that its maker brought; undefined of the first one. */
  readonly createdBy?: TokenId | undefined;
  /** When its text was replaced last, and with which token. */
  readonly updatedAtNs?: bigint | undefined;
  readonly updatedBy?: TokenId | undefined;
  /** From then on it is refused; undefined: never. */
  readonly expiresAtNs?: bigint | undefined;
}

/** What the bearer of a token may do. */
export interface TokenGrant {
  /** Everything that users may. */
  readonly kind: "admin";
}

/** The first token of a cluster. It is never deleted, so a cluster that had tokens has one. */
export const OPERATOR_TOKEN_ID = 0 as TokenId;

const tokenId = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.transform((id) => id as TokenId),
);
const grant = v.variant("kind", [v.object({ kind: v.literal("admin") })]);

export const tokenSchema = v.object({
  id: tokenId,
  name: v.string(),
  hash: v.string(),
  grant,
  createdAtNs: bigintText,
  createdBy: v.optional(tokenId),
  updatedAtNs: v.optional(bigintText),
  updatedBy: v.optional(tokenId),
  expiresAtNs: v.optional(bigintText),
});

/** The changes of tokens, as they are stored. */
export const tokenChangeSchemas = [
  v.object({ kind: v.literal("create_token"), token: tokenSchema }),
  v.object({
    kind: v.literal("replace_token"),
    id: tokenId,
    hash: v.string(),
    updatedAtNs: bigintText,
    updatedBy: v.optional(tokenId),
  }),
  v.object({ kind: v.literal("delete_token"), id: tokenId }),
] as const;

export type TokenChange = v.InferOutput<(typeof tokenChangeSchemas)[number]>;

/** The tokens of a catalog. */
export interface TokenState {
  /** The same map as long as no token changes. */
  readonly tokens: ReadonlyMap<TokenId, TokenRecord>;
  readonly nextTokenId: TokenId;
}

export function isTokenChange<Change extends { readonly kind: string }>(
  change: Change,
): change is Extract<Change, TokenChange> {
  return tokenChangeSchemas.some(({ entries }) => entries.kind.literal === change.kind);
}

/** `state` after `change`. */
export function applyTokenChange(state: TokenState, change: TokenChange): TokenState {
  const tokens = new Map(state.tokens);
  switch (change.kind) {
    case "create_token": {
      const { token } = change;
      assert(token.id === state.nextTokenId, "ids are given in order");
      for (const { name, hash } of tokens.values())
        assert(name !== token.name && hash !== token.hash, "a token's name and hash are its own");
      tokens.set(token.id, token);
      return { tokens, nextTokenId: (token.id + 1) as TokenId };
    }
    case "replace_token": {
      const { id, hash, updatedAtNs, updatedBy } = change;
      const token = tokens.get(id);
      assert(token !== undefined, "the token is there");
      // Who may replace it may have it for ever.
      tokens.set(id, { ...token, hash, updatedAtNs, updatedBy, expiresAtNs: undefined });
      return { tokens, nextTokenId: state.nextTokenId };
    }
    case "delete_token":
      assert(change.id !== OPERATOR_TOKEN_ID, "the first token is not deleted");
      assert(tokens.delete(change.id), "the token is there");
      return { tokens, nextTokenId: state.nextTokenId };
  }
}

export function findToken({ tokens }: TokenState, name: string): TokenRecord | undefined {
  return [...tokens.values()].find((token) => token.name === name);
}
