import { DbError } from "#base/errors.ts";

/** What a failed call of the disk means to the member whose files are in `folder`. A DbError is given back as it is. */
export function diskErrorOf(error: unknown, folder: string): DbError {
  if (error instanceof DbError) return error;
  return logFailedError(folder, errnoOf(error) ?? String(error), error);
}

export function logFailedError(folder: string, why: string, cause?: unknown): DbError {
  return new DbError(
    "unavailable",
    "raft_log_failed",
    `The raft log in ${folder} cannot be read or written: ${why}. Nothing more is written to it; see to the disk, then start the node again.`,
    { detail: { folder }, cause },
  );
}

/** The name of the system's error number, as `ENOSPC`; undefined for any other failure. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof DbError || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
