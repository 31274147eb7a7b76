import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { CALL_SCHEME, type NodeCall } from "./node-call.ts";

/** What a request brought to show who sent it. */
export type Credential =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "node_call"; readonly call: NodeCall; readonly proof: string };

const NO_CREDENTIAL: Credential = { kind: "none" };

/**
 * Reads an `Authorization` of the scheme Bearer, Token or Basic (whose password is the token), or the one of a node that makes `call`.
 * Throws `invalid` / `authorization_malformed`.
 */
export function parseAuthorization(text: string | undefined, call: NodeCall): Credential {
  if (text === undefined) return NO_CREDENTIAL;
  const [scheme = "", value = "", ...rest] = text.split(" ");
  if (value === "" || rest.length > 0) throw malformed();
  switch (scheme.toLowerCase()) {
    case "bearer":
    case "token":
      return { kind: "token", token: value };
    case "basic":
      return { kind: "token", token: passwordOf(value) };
    case CALL_SCHEME.toLowerCase():
      return { kind: "node_call", call, proof: value };
    default:
      throw malformed();
  }
}

/** The password of `user:password` in Base64; neither has a colon. */
function passwordOf(base64: string): string {
  const parts = textOf(Buffer.from(base64, "base64")).split(":");
  const [, password] = parts;
  if (password === undefined || parts.length > 2) throw malformed();
  return password;
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    throw malformed(error);
  }
}

function malformed(cause?: unknown): DbError {
  return new DbError(
    "invalid",
    "authorization_malformed",
    "Authorization header was malformed, the request was not in the form of 'Authorization: <auth-scheme> <token>', supported auth-schemes are Bearer, Token and Basic",
    { cause },
  );
}
