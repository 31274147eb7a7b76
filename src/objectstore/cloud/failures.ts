import { DbError } from "#base/errors.ts";

/** What a cloud answered instead of what was asked. */
export interface CloudRefusal {
  /** The status of the answer; undefined: none came. */
  readonly status: number | undefined;
  /** The cloud's own name for it, or the operating system's error number. */
  readonly code: string | undefined;
  /** The cloud's words. */
  readonly text: string;
}

/** Which object of which bucket a request was about. */
export interface CloudSubject {
  readonly key: string;
  /** As `bucket data at http://127.0.0.1:9000`. */
  readonly place: string;
}

/** The time that a request bears is too far from the store's. */
const CLOCKS_DIFFER = "RequestTimeTooSkewed";
/** Names of refusals that their status alone does not explain. */
const PASSING_CODES: ReadonlySet<string | undefined> = new Set([
  // These three are about another request for the same object.
  "ConcurrentModification",
  "ConditionalRequestConflict",
  "OperationAborted",
  // The store has not got the whole request.
  "IncompleteBody",
  "RequestTimeout",
  // Libraries take the right time from this answer, so the next request bears it.
  CLOCKS_DIFFER,
]);
const DENIED_CODES: ReadonlySet<string | undefined> = new Set([
  "CredentialsProviderError",
  "ExpiredToken",
  "InvalidToken",
  "TokenRefreshRequired",
]);
const FULL_CODES: ReadonlySet<string | undefined> = new Set([
  "InsufficientStorage",
  "QuotaExceeded",
  "XMinioStorageFull",
]);
/** 307 is how S3 answers while it spreads the word of a new bucket: elsewhere for now, and here later. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([307, 408, 425, 429, 500, 502, 503, 504]);

/** Whether the store takes who asks for somebody who may not. */
export function isDenied({ code, status }: CloudRefusal): boolean {
  if (PASSING_CODES.has(code) || FULL_CODES.has(code)) return false;
  return DENIED_CODES.has(code) || status === 401 || status === 403;
}

/**
 * What a refusal of a cloud, or its silence, means for who asked. `store_unreachable` alone leaves open whether the request took
 * effect; all others say that it did not, and that asking again at once will not help.
 */
export function cloudErrorOf(
  refusal: CloudRefusal,
  subject: CloudSubject,
  cause: unknown,
): DbError {
  const { status, code } = refusal;
  const where = `${subject.place} (${saidOf(refusal)})`;
  const options = { detail: { key: subject.key, status, answer: code }, cause };
  if (FULL_CODES.has(code) || status === 507) {
    const message = `The object store takes no more data into ${where}: make room, or raise its quota.`;
    return new DbError("unavailable", "store_full", message, options);
  }
  if (isDenied(refusal)) {
    const message = `The object store denies access to ${where}: check the credentials, that they may read, write, list and delete there, and this machine's clock.`;
    return new DbError("unavailable", "store_denied", message, options);
  }
  if (code === CLOCKS_DIFFER) {
    const message = `The object store takes no request for ${where}: the clock of this machine is wrong, or the store's; set it, and keep it so with NTP.`;
    return new DbError("unavailable", "store_unreachable", message, options);
  }
  if (isPassing(refusal)) {
    const hint = status === undefined ? ": check the endpoint, and the network on the way" : "";
    const message = `The object store does not answer for ${where}${hint}.`;
    return new DbError("unavailable", "store_unreachable", message, options);
  }
  if (status === 404) {
    const message = `The object store does not have ${where}: create it, or correct --bucket and the endpoint.`;
    return new DbError("unavailable", "store_missing", message, options);
  }
  const message = `The object store refuses a request for ${where}: check endpoint, region and bucket.`;
  return new DbError("unavailable", "store_refused", message, options);
}

/** Also a success whose answer cannot be read: it leaves open what happened. */
function isPassing({ code, status }: CloudRefusal): boolean {
  if (status === undefined || status < 300) return true;
  return PASSING_CODES.has(code) || PASSING_STATUSES.has(status);
}

/** Somebody else's object stands under `key`. */
export function objectExists(key: string, cause: unknown): DbError {
  return new DbError("conflict", "object_exists", "The object exists already.", {
    detail: { key },
    cause,
  });
}

function saidOf({ status, code = "", text }: CloudRefusal): string {
  const name = text.includes(code) ? "" : code;
  const words = [status ?? "", name].filter((word) => word !== "").join(" ");
  if (words === "") return text;
  return text === "" ? words : `${words}: ${text}`;
}
