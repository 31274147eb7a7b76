/** What the caller can do about a failure; surfaces map it to a status, loops map it to retry or stop. */
export type ErrorKind =
  | "invalid" // the request is wrong: correct it, do not retry
  | "not_found" // go without it, or create it
  | "conflict" // somebody else won: read again, then decide
  | "unavailable" // passing: retry with backoff
  | "denied" // bring another identity
  | "unsupported" // ask another node, or for something else
  | "exceeded" // a limit: ask for less, or later
  | "corrupt" // stored bytes fail their checks: stop and report
  | "internal"; // a bug here

/** Numbers and names that explain an error, as JSON. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The one error class of the database.
 *
 * `code` is stable and documented in docs/errors.md; `message` is for people and may change.
 * Carry the failure underneath as `cause`.
 */
export class DbError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly detail: ErrorDetail;
  /** What logs have in place of the message, where that repeats a user's text; undefined: the message itself. */
  readonly logged: string | undefined;

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    options: { detail?: ErrorDetail; cause?: unknown; logged?: string | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "DbError";
    this.kind = kind;
    this.code = code;
    this.detail = options.detail ?? {};
    this.logged = options.logged;
  }
}

/** A DbError on its way to another thread or process. */
export interface ErrorParts {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly detail: ErrorDetail;
}

export function errorParts({ kind, code, message, detail }: DbError): ErrorParts {
  return { kind, code, message, detail };
}

/** The error that `parts` were. */
export function errorOfParts({ kind, code, message, detail }: ErrorParts): DbError {
  return new DbError(kind, code, message, { detail });
}

/** Reports a broken invariant: a bug here, never a bad request. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new DbError("internal", "assertion_failed", message);
}

/** Whether `error` is a DbError of `kind`. */
export function isKind(error: unknown, kind: ErrorKind): error is DbError {
  return error instanceof DbError && error.kind === kind;
}

/** What a person is told of anything thrown. The message of a DbError says enough; what is beneath it is for logs. */
export function messageOf(error: unknown): string {
  return error instanceof DbError ? error.message : describeError(error);
}

/** The message of anything thrown, as logs have it, followed by those of its causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = (error instanceof DbError ? error.logged : undefined) ?? error.message;
  return error.cause === undefined ? message : `${message}: ${describeError(error.cause)}`;
}
