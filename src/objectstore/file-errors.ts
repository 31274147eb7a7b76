import { DbError } from "#base/errors.ts";

/** The name of the operating system's error number, as `ENOENT`; undefined for any other failure. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof DbError || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether `error` says that there is nothing at a path. */
export function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "ENOENT" || errno === "ENOTDIR";
}

/** What a failed call of the file system means for the object `key`. A DbError is given back as it is. */
export function storeErrorOf(error: unknown, key: string): DbError {
  if (error instanceof DbError) return error;
  const errno = errnoOf(error);
  const options = { detail: { key, errno }, cause: error };
  switch (errno) {
    case "ENOSPC":
    case "EDQUOT":
      return new DbError("unavailable", "store_full", "The store's disk is full.", options);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new DbError(
        "unavailable",
        "store_read_only",
        "The store's folder forbids this operation.",
        options,
      );
    case "ENOTDIR":
    case "EISDIR":
      return new DbError(
        "invalid",
        "object_key_invalid",
        "The key lies beneath another object, or other objects lie beneath it.",
        options,
      );
    default:
      return unreachableError(error, key);
  }
}

/** An operation that failed and may still have taken effect. */
export function unreachableError(error: unknown, key: string): DbError {
  const errno = errnoOf(error);
  const reason = errno === undefined ? "" : ` (${errno})`;
  const message = `The store's folder does not answer${reason}.`;
  return new DbError("unavailable", "store_unreachable", message, {
    detail: { key, errno },
    cause: error,
  });
}

const FOLDER_MISTAKES: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "EEXIST",
  "ENOTDIR",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  // Where the parent cannot hold folders at all, as in /proc.
  "ENOENT",
]);

/** Why `directory` cannot be opened: DbError `invalid` / `data_dir_unusable` where another folder would help. */
export function openErrorOf(error: unknown, directory: string): DbError {
  const errno = errnoOf(error);
  if (!FOLDER_MISTAKES.has(errno)) return storeErrorOf(error, "");
  return new DbError(
    "invalid",
    "data_dir_unusable",
    `The folder ${directory} cannot be used: ${reasonOf(errno)} (${errno}).`,
    { detail: { directory, errno }, cause: error },
  );
}

function reasonOf(errno: string | undefined): string {
  switch (errno) {
    case "EACCES":
    case "EPERM":
      return "this process may not write there";
    case "EROFS":
      return "its file system is read-only";
    case "EEXIST":
    case "ENOTDIR":
    case "EISDIR":
      return "a file stands where a folder should be";
    case "ENOTSUP":
    case "EOPNOTSUPP":
    case "ENOSYS":
      return "its file system has no hard links";
    default:
      return "no folder can be made there";
  }
}
