import { DbError } from "#base/errors.ts";

/** A command line that says something it cannot mean: the program prints it and exits with 2. */
export function usageError(message: string, cause?: unknown): DbError {
  return new DbError("invalid", "usage", message, { cause });
}

/** Whether `error` was made by `usageError`. */
export function isUsageError(error: unknown): error is DbError {
  return error instanceof DbError && error.code === "usage";
}
