import { hash } from "node:crypto";
import { DbError } from "#base/errors.ts";

const PREFIX = "apiv3_";
const TOKEN_TEXT = /^apiv3_[A-Za-z0-9_-]{32,512}$/;
const NAME_SIZE_MAX = 128;
/** Neither control characters and the like, nor spaces at its ends. */
const NAME = /^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u;

/** Of the token that a cluster begins with. */
export const OPERATOR_NAME = "_admin";

/** Bytes of chance in a token: so many that nobody finds them, so its hash needs no salt and no slowness (docs/decisions/0012). */
export const TOKEN_SECRET_SIZE = 32;

/** What a token looks like, for errors. */
export const TOKEN_TEXT_HINT = `${PREFIX} and 32 to 512 letters, digits, '-' and '_'`;

/** The token that is made of `secret`. */
export function tokenText(secret: Uint8Array): string {
  return PREFIX + Buffer.from(secret).toString("base64url");
}

/** Whether a token may be called `text`: what is called otherwise is none. */
export function isTokenText(text: string): boolean {
  return TOKEN_TEXT.test(text);
}

/** What the catalog knows of a token: SHA-512 of its text, in lower-case hex. */
export function hashToken(text: string): string {
  return hash("sha512", text);
}

/** Throws `invalid` / `token_name` unless a token may be called `name`. */
export function checkTokenName(name: string): void {
  if (name.length <= NAME_SIZE_MAX && NAME.test(name)) return;
  throw new DbError(
    "invalid",
    "token_name",
    `the name of a token has 1 to ${NAME_SIZE_MAX} characters, none of them a control character, and no space at its ends`,
  );
}
