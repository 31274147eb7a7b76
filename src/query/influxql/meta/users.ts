/** Users, their passwords and what they may do: kept and shown. Nothing is refused for it yet; `access/` will ask the catalog. */
import { hashPassword, matchesPassword, PASSWORD_SALT_SIZE } from "#access/passwords.ts";
import { DbError } from "#base/errors.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import { requirePolicies } from "#catalog/v1/policies.ts";
import type { UserGrant, UserPrivilege, UserRecord } from "#catalog/v1/users.ts";
import { randomBytes } from "#ports/random.ts";
import type { StatementAnswer } from "../answer.ts";
import type { Privilege, UserStatement } from "../ast.ts";
import { type Decide, type MetaContext, type MetaOptions, newestCatalog } from "./context.ts";
import { answerOf, NO_ROWS, texts } from "./rows.ts";

const USER_COUNT_MAX = 10_000;
/** Characters of names and of passwords. */
const TEXT_LENGTH_MAX = 1_024;
/** Statements that wait to hash a password: some five seconds of work. */
const HASHES_WAITING_MAX = 100;

const WANTED: Readonly<Record<Privilege, UserPrivilege>> = {
  READ: "read",
  WRITE: "write",
  "ALL PRIVILEGES": "all",
};
const SHOWN: Readonly<Record<UserPrivilege, string>> = {
  none: "NO PRIVILEGES",
  read: "READ",
  write: "WRITE",
  all: "ALL PRIVILEGES",
};

/**
 * Rejects with `user_invalid`, `user_exists`, `user_limit`, `user_not_found`, `database_not_found`, `passwords_full`, and the reason of the
 * context's signal: behind that nothing is changed any more.
 */
export async function changeUsers(
  statement: UserStatement,
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  switch (statement.kind) {
    case "create_user":
      await createUser(statement, options, context);
      return NO_ROWS;
    case "drop_user":
      return change(options, context, (state) => {
        const { name } = requireUser(state, statement.name);
        return [{ kind: "drop_user", name }];
      });
    case "set_password": {
      requireUser(await newestCatalog(options, context), statement.name);
      const password = await hashOf(statement.password, options, context);
      return changeUser(statement.name, { options, context }, (user) => ({ ...user, password }));
    }
    case "grant":
    case "revoke":
      return changeGrant(statement, options, context);
  }
}

export async function showUsers(
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const { users } = await newestCatalog(options, context);
  const columns = [...texts("user"), { name: "admin", type: "boolean" } as const];
  const rows = [...users.values()].map(({ admin, name }) => [name, admin]);
  return answerOf([{ name: "", columns, rows }]);
}

/** Rejects with `user_not_found`. */
export async function showGrants(
  name: string,
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const { grants } = requireUser(await newestCatalog(options, context), name);
  const rows = grants.map(({ database, privilege }) => [database, SHOWN[privilege]]);
  return answerOf([{ name: "", columns: texts("database", "privilege"), rows }]);
}

/** Who is there with this password and rank may be created again. */
async function createUser(
  { admin, name, password: text }: Extract<UserStatement, { kind: "create_user" }>,
  options: MetaOptions,
  context: MetaContext,
): Promise<void> {
  if (name === "") throw userInvalid("username required");
  checkLength(name);
  const known = (await newestCatalog(options, context)).users.get(name);
  const isSame =
    known?.admin === admin &&
    (await inTurn(options, context, () => matchesPassword(text, known.password)));
  const password = await hashOf(text, options, context);
  await change(options, context, ({ users }) => {
    const now = users.get(name);
    if (now === undefined) {
      if (users.size >= USER_COUNT_MAX) throw tooManyUsers();
      return [{ kind: "set_user", user: { name, password, admin, grants: [] } }];
    }
    if (isSame && now.admin === admin && now.password === known.password) return [];
    throw new DbError("conflict", "user_exists", "user already exists", { detail: { user: name } });
  });
}

function changeGrant(
  { database, kind, privilege, user: name }: Extract<UserStatement, { kind: "grant" | "revoke" }>,
  options: MetaOptions,
  context: MetaContext,
): Promise<StatementAnswer> {
  const asked: Asked = { options, context };
  if (database === undefined)
    return changeUser(name, asked, (user) => ({ ...user, admin: kind === "grant" }));
  const wanted = WANTED[privilege];
  return changeUser(name, asked, (user, state) => {
    requirePolicies(state, database);
    const before = user.grants.find((grant) => grant.database === database)?.privilege ?? "none";
    const after = kind === "grant" ? wanted : withoutPrivilege(before, wanted);
    return { ...user, grants: withGrant(user.grants, { database, privilege: after }) };
  });
}

/** What is left of `before` when `taken` is taken back. */
function withoutPrivilege(before: UserPrivilege, taken: UserPrivilege): UserPrivilege {
  if (taken === "all" || taken === before) return "none";
  if (before === "all") return taken === "read" ? "write" : "read";
  return before;
}

function withGrant(grants: readonly UserGrant[], wanted: UserGrant): readonly UserGrant[] {
  const isWanted = ({ database }: UserGrant) => database === wanted.database;
  if (!grants.some(isWanted)) return [...grants, wanted];
  return grants.map((grant) => (isWanted(grant) ? wanted : grant));
}

interface Asked {
  readonly options: MetaOptions;
  readonly context: MetaContext;
}

function changeUser(
  name: string,
  { context, options }: Asked,
  changed: (user: UserRecord, state: CatalogState) => UserRecord,
): Promise<StatementAnswer> {
  return change(options, context, (state) => {
    const user = changed(requireUser(state, name), state);
    return [{ kind: "set_user", user }];
  });
}

/** Users are in no database. */
async function change(
  { changes }: MetaOptions,
  { signal }: MetaContext,
  decide: Decide,
): Promise<StatementAnswer> {
  await changes.change("", (state) => {
    signal.throwIfAborted();
    return decide(state);
  });
  return NO_ROWS;
}

function hashOf(password: string, options: MetaOptions, context: MetaContext): Promise<string> {
  checkLength(password);
  const salt = randomBytes(options.random, PASSWORD_SALT_SIZE);
  return inTurn(options, context, () => hashPassword(password, salt));
}

/** Does `work`, which hashes a password, when those before it are done. Rejects with `passwords_full` and the signal's reason. */
async function inTurn<T>(
  { hashing }: MetaOptions,
  { signal }: MetaContext,
  work: () => Promise<T>,
): Promise<T> {
  if (hashing.waitingCount >= HASHES_WAITING_MAX) throw passwordsFull(hashing.waitingCount);
  const leave = await hashing.acquire(signal);
  try {
    return await work();
  } finally {
    leave();
  }
}

function checkLength(text: string): void {
  if (text.length <= TEXT_LENGTH_MAX) return;
  throw userInvalid(`a user's name and password have ${TEXT_LENGTH_MAX} characters at most`);
}

function requireUser({ users }: CatalogState, name: string): UserRecord {
  const user = users.get(name);
  if (user !== undefined) return user;
  throw new DbError("not_found", "user_not_found", "user not found", { detail: { user: name } });
}

function userInvalid(message: string): DbError {
  return new DbError("invalid", "user_invalid", message);
}

function passwordsFull(waitingCount: number): DbError {
  return new DbError(
    "exceeded",
    "passwords_full",
    `${waitingCount} statements with passwords wait already: ask again later`,
    { detail: { waitingCount } },
  );
}

function tooManyUsers(): DbError {
  return new DbError(
    "exceeded",
    "user_limit",
    `there are ${USER_COUNT_MAX} users, at most so many may be: drop one`,
    { detail: { userCountMax: USER_COUNT_MAX } },
  );
}
