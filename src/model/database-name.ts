import { DbError } from "#base/errors.ts";

/** The database of the cluster's own tables; it is there without being created. */
export const INTERNAL_DATABASE = "_internal";

const NAME_SIZE_MAX = 64;
const LETTER_OR_DIGIT = /^[A-Za-z0-9]$/;
const NAME_CHARACTER = /^[A-Za-z0-9_-]$/;
const ASCII_MAX = 0x7f;
/** Stands between the database and the retention policy of v1, which together name one database. */
export const POLICY_SEPARATOR = "/";

/** The policy of v1 whose database has the name alone. */
export const AUTOGEN = "autogen";

/**
 * Throws DbError `invalid` / `database_name` unless a database may be called `name`: 1 to 64 of A–Z a–z 0–9 `_` `-`,
 * a letter or digit first. One `/` may stand inside, before the retention policy of v1.
 */
export function checkDatabaseName(name: string): void {
  if (name === "") throw wrong("db name cannot be empty");
  let separatorCount = 0;
  for (const [index, character] of Array.from(name).entries()) {
    if (index === 0) {
      if (character.charCodeAt(0) > ASCII_MAX) throw wrongCharacter();
      if (!LETTER_OR_DIGIT.test(character)) {
        throw wrong("db name did not start with a number or letter");
      }
    } else if (character === POLICY_SEPARATOR) {
      separatorCount += 1;
    } else if (!NAME_CHARACTER.test(character)) {
      throw wrongCharacter();
    }
  }
  if (separatorCount > 1 || name.endsWith(POLICY_SEPARATOR)) {
    throw wrong(
      "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'",
    );
  }
  if (name.length > NAME_SIZE_MAX) {
    throw wrong(`namespace name ${name} length must be between 1 and ${NAME_SIZE_MAX} characters`);
  }
}

/** As `checkDatabaseName`, of a database to write to; throws `invalid` / `database_internal` for the cluster's own. */
export function checkWrittenName(name: string): void {
  if (name === INTERNAL_DATABASE) {
    throw new DbError("invalid", "database_internal", "cannot modify internal db");
  }
  checkDatabaseName(name);
}

/**
 * The one name under which v1's `database` and retention policy are stored: the policies that v1 has by itself
 * add nothing, others follow in lower case after a slash.
 */
export function nameWithPolicy(database: string, policy: string | undefined): string {
  const lower = (policy ?? "").toLowerCase();
  if (["", "''", AUTOGEN, "default"].includes(lower)) return database;
  return `${database}${POLICY_SEPARATOR}${lower}`;
}

/** The database of v1 that our database `name` belongs to. */
export function v1NameOf(name: string): string {
  const end = name.indexOf(POLICY_SEPARATOR);
  return end < 0 ? name : name.slice(0, end);
}

function wrongCharacter(): DbError {
  return wrong(
    "invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens",
  );
}

function wrong(message: string): DbError {
  return new DbError("invalid", "database_name", message);
}
